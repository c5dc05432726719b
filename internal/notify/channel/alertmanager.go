package channel

import (
	"context"
	"strings"
	"time"
)

// Alertmanager is Prometheus's, by its API v2.
type Alertmanager struct{ URL string }

var alertmanagerKind = Kind{
	Name: "alertmanager", About: "Prometheus's Alertmanager, API v2: an alert a service, with labels `alertname`, `service`, `kind` and `page`",
	Keys: []Key{one("url", "of Alertmanager, without `/api`; a user and a password may stand in it", func(a *Alertmanager) *string { return &a.URL }, parseAnyAddress).secret().required()},
	Example: `am:
  alertmanager: {url: "http://127.0.0.1:9093"}
`,
	begin: func() How { return new(Alertmanager) },
}

// alertLife is until when an alert lasts without a word of its end: Alertmanager ends what says nothing of it after minutes.
const alertLife = 30 * 24 * time.Hour

type amAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Starts      string            `json:"startsAt"`
	Ends        string            `json:"endsAt"`
	Generator   string            `json:"generatorURL,omitempty"`
}

func (a *Alertmanager) send(ctx context.Context, via *Via, m Message) error {
	lines := m.Lines
	if m.Test {
		lines = []Line{{Service: "test", Name: "test", Kind: "test", State: Ends, Since: m.At, Until: m.At.Add(time.Minute)}}
	}
	all := make([]amAlert, len(lines))
	for i, l := range lines {
		ends := l.Until
		if l.State != Ends {
			ends = m.At.Add(alertLife)
		}
		all[i] = amAlert{
			Labels:      map[string]string{"alertname": "Statuspage", "service": l.Service, "kind": l.Kind, "page": oneLine(m.Page)},
			Annotations: map[string]string{"summary": l.title(), "description": l.text()},
			Starts:      instant(l.Since), Ends: instant(ends), Generator: m.link(l.Service),
		}
	}
	return post(ctx, via, strings.TrimRight(a.URL, "/")+"/api/v2/alerts", nil, all)
}
