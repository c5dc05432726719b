package channel

import (
	"context"
	"slices"
)

// PagerDuty is a service with an integration of the Events API v2.
type PagerDuty struct{ Key, URL string }

var pagerdutyKind = Kind{
	Name: "pagerduty", About: "Events API v2: a message opens an incident, and it is resolved when all that it told is over",
	Keys: []Key{
		one("key", "integration key", func(p *PagerDuty) *string { return &p.Key }, parseWord).secret().required(),
		one("url", "another address, such as `https://events.eu.pagerduty.com/v2/enqueue`", func(p *PagerDuty) *string { return &p.URL }, parseAddress),
	},
	Example: `duty:
  pagerduty: {key: 0123456789abcdef0123456789abcdef}
`,
	begin: func() How { return new(PagerDuty) },
}

const maxSummary = 1024

type pagerEvent struct {
	Key     string        `json:"routing_key"`
	Action  string        `json:"event_action"`
	Dedup   string        `json:"dedup_key"`
	Client  string        `json:"client,omitempty"`
	URL     string        `json:"client_url,omitempty"`
	Payload *pagerPayload `json:"payload,omitempty"`
}

type pagerPayload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp"`
	Details   map[string]string `json:"custom_details"`
}

// send triggers what goes on under the key of the message that told it first, and resolves the messages of which nothing is left.
// What is sent twice after a failure in the middle is one to PagerDuty, by its key.
func (p *PagerDuty) send(ctx context.Context, via *Via, m Message) error {
	at := "https://events.pagerduty.com/v2/enqueue"
	if p.URL != "" {
		at = p.URL
	}
	open := Message{ID: m.ID, At: m.At, Page: m.Page, URL: m.URL, Test: m.Test}
	var keys []string
	for _, l := range m.Lines {
		if l.State != Ends {
			open.Lines = append(open.Lines, l)
			if !slices.Contains(keys, l.Batch) {
				keys = append(keys, l.Batch)
			}
		}
	}
	closes := m.Closes
	if m.Test {
		keys, closes = []string{m.ID}, []string{m.ID}
	}
	for _, key := range keys {
		e := pagerEvent{Key: p.Key, Action: "trigger", Dedup: key, Client: oneLine(m.Page), URL: m.URL, Payload: &pagerPayload{
			Summary: cut(open.title()+": "+open.names(), maxSummary), Source: oneLine(m.Page), Severity: "critical", Timestamp: instant(m.At),
			Details: map[string]string{"services": open.body(maxHook/16, plain)},
		}}
		if m.Test {
			e.Payload.Summary, e.Payload.Severity = open.title(), "info"
		}
		if err := post(ctx, via, at, nil, e); err != nil {
			return err
		}
	}
	for _, key := range closes {
		if err := post(ctx, via, at, nil, pagerEvent{Key: p.Key, Action: "resolve", Dedup: key}); err != nil {
			return err
		}
	}
	return nil
}
