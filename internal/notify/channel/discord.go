package channel

import (
	"context"
	"strings"
)

// Discord is a webhook of a Discord channel.
type Discord struct{ URL string }

var discordKind = Kind{
	Name: "discord", About: "webhook of a Discord channel",
	Keys: []Key{one("url", "of the webhook", func(d *Discord) *string { return &d.URL }, parseAddress).secret().required()},
	Example: `chat:
  discord: {url: "https://discord.com/api/webhooks/1/s3cret"}
`,
	begin: func() How { return new(Discord) },
}

const maxDiscord = 2000 // Characters that Discord takes.

// discordText keeps what services are called from being markup.
func discordText(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\*_~`|>[]()#<@:-", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (d *Discord) send(ctx context.Context, via *Via, m Message) error {
	title := cut(discordText("["+oneLine(m.Page)+"] "+m.title()), maxDiscord/4)
	content := title + "\n" + m.body(maxDiscord-len(title)-1, discordText)
	return post(ctx, via, d.URL, nil, map[string]any{
		"content": content, "flags": 4, // No previews.
		"allowed_mentions": map[string]any{"parse": []string{}},
	})
}
