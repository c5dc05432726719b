package statuspage

import (
	"encoding/json"
	"statuspage/internal/incident"
)

func managed(i *incident.Incident) *Managed {
	m := &Managed{Metadata: map[string]any{}, Kind: i.Kind, Draft: i.Draft, Head: i.Head, Forks: i.Forks, Schedule: i.Schedule}
	if i.Override != nil {
		text := i.Override.String()
		m.ImpactOverride = &text
	}
	if i.Metadata != "" {
		_ = json.Unmarshal([]byte(i.Metadata), &m.Metadata) // It was an object when it was taken.
	}
	if s := i.Schedule; s != nil {
		m.AutoInProgress, m.AutoCompleted, m.RemindPrior = !s.ManualStart, !s.ManualEnd, len(s.Remind) > 0
	}
	if p := i.Postmortem; p != nil && p.Text != "" {
		m.PostmortemBody, m.PostmortemPublishedAt = &p.Text, maybe(p.PublishedAt)
	}
	return m
}

// Postmortem is what was written about an incident when it was over.
type Postmortem struct {
	CreatedAt      *Time   `json:"created_at"`
	PreviewKey     *string `json:"preview_key"`
	Body           *string `json:"body"`
	BodyUpdatedAt  *Time   `json:"body_updated_at"`
	BodyDraft      *string `json:"body_draft"`
	DraftUpdatedAt *Time   `json:"body_draft_updated_at"`
	PublishedAt    *Time   `json:"published_at"`
	NotifySubs     bool    `json:"notify_subscribers"`
	NotifyTwitter  bool    `json:"notify_twitter"`
	CustomTweet    *string `json:"custom_tweet"`
}

// PostmortemOf writes it.
func PostmortemOf(p *incident.PostmortemText) Postmortem {
	out := Postmortem{NotifySubs: p.Notify, BodyUpdatedAt: maybe(p.PublishedAt), PublishedAt: maybe(p.PublishedAt), DraftUpdatedAt: maybe(p.DraftedAt)}
	if p.Text != "" {
		out.Body = &p.Text
	}
	if p.Draft != "" {
		out.BodyDraft = &p.Draft
	}
	out.CreatedAt = out.BodyUpdatedAt
	if out.CreatedAt == nil {
		out.CreatedAt = out.DraftUpdatedAt
	}
	return out
}
