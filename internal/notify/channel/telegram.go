package channel

import (
	"context"
	"strings"
)

// Telegram is a chat that a bot writes to.
type Telegram struct{ Token, Chat, URL string }

var telegramKind = Kind{
	Name: "telegram", About: "a chat that a bot of Telegram writes to",
	Keys: []Key{
		one("token", "of the bot", func(t *Telegram) *string { return &t.Token }, parseWord).secret().required(),
		one("chat", "id of the chat, or @name of a channel", func(t *Telegram) *string { return &t.Chat }, parseWord).required(),
		one("url", "another server of the Bot API", func(t *Telegram) *string { return &t.URL }, parseAddress),
	},
	Example: `phone:
  telegram: {token: "123456:s3cret", chat: "-1001234567890"}
`,
	begin: func() How { return new(Telegram) },
}

const maxTelegram = 4000 // Telegram takes 4,096 characters.

// send writes plain text: nothing in it is markup.
func (t *Telegram) send(ctx context.Context, via *Via, m Message) error {
	at := "https://api.telegram.org"
	if t.URL != "" {
		at = strings.TrimRight(t.URL, "/")
	}
	title := cut("["+oneLine(m.Page)+"] "+m.title(), maxTelegram/4)
	return post(ctx, via, at+"/bot"+t.Token+"/sendMessage", nil, map[string]any{
		"chat_id": t.Chat, "text": title + "\n" + m.body(maxTelegram-len(title)-1, plain),
		"link_preview_options": map[string]any{"is_disabled": true},
	})
}
