package channel

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Webhook is a program that takes what Statuspage tells its subscribers, signed as Standard Webhooks are.
type Webhook struct {
	URL     string
	Secrets []string // The newest first; each signs.
}

var webhookKind = Kind{
	Name: "webhook", About: "POST of the body that Statuspage sends to webhooks, signed by [Standard Webhooks](https://www.standardwebhooks.com) where there is a secret",
	Keys: []Key{
		one("url", "where to", func(w *Webhook) *string { return &w.URL }, parseAddress).secret().required(),
		many("secret", "`whsec_` and 24 to 64 bytes in base64; of several, while they are changed, each signs", func(w *Webhook) *[]string { return &w.Secrets }, parseSigning).secret(),
	},
	Example: `hook:
  webhook:
    url: https://example.org/hooks/status
    secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
`,
	begin: func() How { return new(Webhook) },
}

const signingPrefix = "whsec_"

func parseSigning(text string) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, signingPrefix))
	if err != nil || len(key) < 24 || len(key) > 64 || !strings.HasPrefix(text, signingPrefix) {
		return "", errors.New("not a secret of Standard Webhooks: write whsec_ and 24 to 64 random bytes in base64, such as of `openssl rand -base64 32`")
	}
	return text, nil
}

type hookUpdate struct {
	ID        string `json:"id"`
	Status    string `json:"status,omitempty"`
	OldStatus string `json:"old_status,omitempty"`
	NewStatus string `json:"new_status,omitempty"`
	Body      string `json:"body,omitempty"`
	Component string `json:"component_id,omitempty"`
	Created   string `json:"created_at"`
	Type      string `json:"component_type,omitempty"`
	State     string `json:"state,omitempty"`
}

type hookComponent struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Created string `json:"created_at"`
}

type hookIncident struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Status     string          `json:"status"`
	Impact     string          `json:"impact"`
	Shortlink  string          `json:"shortlink,omitempty"`
	Created    string          `json:"created_at"`
	Updated    string          `json:"updated_at"`
	Resolved   *string         `json:"resolved_at"`
	Updates    []hookUpdate    `json:"incident_updates"`
	Components []hookComponent `json:"components"`
}

type hookBody struct {
	Meta struct {
		Generated     string `json:"generated_at"`
		Unsubscribe   string `json:"unsubscribe,omitempty"`
		Documentation string `json:"documentation"`
	} `json:"meta"`
	Page struct {
		ID          string `json:"id"`
		Indicator   string `json:"status_indicator"`
		Description string `json:"status_description"`
	} `json:"page"`
	Component *hookComponent `json:"component,omitempty"`
	Update    *hookUpdate    `json:"component_update,omitempty"`
	Incident  *hookIncident  `json:"incident,omitempty"`
}

// hookStatus is what Statuspage calls a component in this state.
func (l Line) hookStatus() string {
	switch {
	case l.State == Ends || l.Kind == Certificate:
		return "operational"
	case l.Kind == Slow:
		return "degraded_performance"
	default:
		return "major_outage"
	}
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// statuspage is the message as Statuspage would tell it: of one service a change of its component, of several an incident that
// names them all.
func (m Message) statuspage() hookBody {
	var b hookBody
	b.Meta.Generated, b.Meta.Documentation = instant(m.At), "https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/"
	b.Page.ID, b.Page.Indicator, b.Page.Description = oneLine(m.Page), "major", m.title()
	if m.ended() || m.Test {
		b.Page.Indicator = "none"
	}
	components := make([]hookComponent, len(m.Lines))
	for i, l := range m.Lines {
		components[i] = hookComponent{l.Service, oneLine(l.Name), l.hookStatus(), instant(l.Since)}
	}
	if len(m.Lines) == 1 && !m.Test {
		was := "operational"
		if l := m.Lines[0]; l.State != Begins {
			l.State = Begins
			was = l.hookStatus()
		}
		b.Component = &components[0]
		b.Update = &hookUpdate{ID: m.ID, OldStatus: was, NewStatus: components[0].Status, Component: components[0].ID, Created: instant(m.At), Type: "Component", Body: m.Lines[0].text(), State: "sn_created"}
		return b
	}
	i := hookIncident{ID: m.ID, Name: m.title(), Status: "investigating", Impact: "major", Shortlink: m.URL, Created: instant(m.At), Updated: instant(m.At), Components: components}
	if m.ended() || m.Test {
		at := instant(m.At)
		i.Status, i.Impact, i.Resolved = "resolved", "none", &at
	}
	if len(m.Lines) > 0 && m.Lines[0].Batch != "" {
		i.ID = m.Lines[0].Batch
	}
	i.Updates = []hookUpdate{{ID: m.ID, Status: i.Status, Body: m.body(maxHook, plain), Created: instant(m.At)}}
	b.Incident = &i
	return b
}

const maxHook = 4 << 20 // Of all services that there can be.

func (w *Webhook) send(ctx context.Context, via *Via, m Message) error {
	body, err := json.Marshal(m.statuspage())
	if err != nil {
		return err
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	header := map[string]string{"Webhook-Id": m.ID, "Webhook-Timestamp": at}
	var signatures []string
	for _, secret := range w.Secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, signingPrefix))
		if err != nil {
			return err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(m.ID + "." + at + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(signatures) > 0 {
		header["Webhook-Signature"] = strings.Join(signatures, " ")
	}
	return postBody(ctx, via, w.URL, header, body)
}
