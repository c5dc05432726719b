package channel

import (
	"context"
	"strings"
)

// Slack is an incoming webhook of Slack, or of what speaks as it does: Mattermost, Rocket.Chat.
type Slack struct{ URL string }

var slackKind = Kind{
	Name: "slack", About: "incoming webhook of Slack; Mattermost and Rocket.Chat take the same",
	Keys: []Key{one("url", "of the incoming webhook", func(s *Slack) *string { return &s.URL }, parseAddress).secret().required()},
	Example: `chat:
  slack: {url: "https://hooks.slack.com/services/T000/B000/s3cret"}
`,
	begin: func() How { return new(Slack) },
}

const maxSlack = 35_000 // Slack cuts at 40,000 characters.

// slackText keeps what services are called from being a mention or a link.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func (s *Slack) send(ctx context.Context, via *Via, m Message) error {
	text := slackText.Replace("["+oneLine(m.Page)+"] "+m.title()) + "\n" + m.body(maxSlack, slackText.Replace)
	return post(ctx, via, s.URL, nil, map[string]any{"text": text, "mrkdwn": false, "unfurl_links": false, "link_names": 0})
}
