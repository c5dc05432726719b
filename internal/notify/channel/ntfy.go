package channel

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// Ntfy is a topic of ntfy.
type Ntfy struct{ URL, Token string }

var ntfyKind = Kind{
	Name: "ntfy", About: "a topic of ntfy.sh, or of a server of your own",
	Keys: []Key{
		one("url", "of the topic", func(n *Ntfy) *string { return &n.URL }, parseTopic).secret().required(),
		one("token", "for a topic that is not open", func(n *Ntfy) *string { return &n.Token }, parseWord).secret(),
	},
	Example: `phone:
  ntfy: {url: "https://ntfy.sh/s3cret-topic"}
`,
	begin: func() How { return new(Ntfy) },
}

const (
	maxNtfy      = 3500 // Above 4,096 bytes ntfy makes a file of it.
	maxNtfyTitle = 200
)

func parseTopic(text string) (string, error) {
	text, err := parseAddress(text)
	if u, _ := url.Parse(text); err == nil && strings.Trim(u.Path, "/") == "" {
		err = errors.New("no topic: write https://ntfy.sh/topic")
	}
	return text, err
}

func (n *Ntfy) send(ctx context.Context, via *Via, m Message) error {
	u, err := url.Parse(n.URL)
	if err != nil {
		return err
	}
	path := strings.Trim(u.Path, "/")
	topic := path[strings.LastIndex(path, "/")+1:]
	u.Path, u.RawPath = "/"+strings.TrimSuffix(path, topic), ""
	priority, tag := 4, "rotating_light"
	if m.ended() || m.Test {
		priority, tag = 3, "white_check_mark"
	}
	header := map[string]string{}
	if n.Token != "" {
		header["Authorization"] = "Bearer " + n.Token
	}
	body := map[string]any{
		"topic": topic, "title": cut("["+oneLine(m.Page)+"] "+m.title(), maxNtfyTitle), "message": m.body(maxNtfy, plain), "priority": priority, "tags": []string{tag},
	}
	if m.URL != "" {
		body["click"] = m.URL
	}
	return post(ctx, via, u.String(), header, body)
}
