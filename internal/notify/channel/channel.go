// Package channel is how a message reaches an operator. All that a kind of channel is stands in its file and in one table, which
// configuration, documentation and tests walk. What a channel is reached by is a secret: no error of this package shows it.
package channel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"statuspage/internal/status"
	"strings"
	"time"
)

// kinds is every kind of channel, in the order in which documentation has them.
var kinds = []*Kind{
	&emailKind,
	&webhookKind,
	&slackKind,
	&discordKind,
	&telegramKind,
	&ntfyKind,
	&pagerdutyKind,
	&alertmanagerKind,
}

// Kind is what is to be known of one kind of channel.
type Kind struct {
	Name    string
	About   string // A line for the documentation.
	Keys    []Key  // Its settings, in the order in which they are printed.
	Example string // An element of channels: in a configuration.
	Mail    bool   // It needs mail: in the configuration.

	begin func() How
}

// How is the settings of one channel: the struct of its kind, by its pointer.
type How interface {
	send(ctx context.Context, via *Via, m Message) error
}

// Key is one setting of a kind. A secret one may also stand in a file, as NAME_file.
type Key struct {
	Name     string
	About    string
	Secret   bool // Its value is shown to nobody.
	Required bool
	Many     bool // A list, in whose place a single value may stand.

	add func(h How, text string) error // Its errors say what to write, and never repeat the value.
	all func(h How) []string
}

// one is a setting that has one value.
func one[T any](name, about string, of func(*T) *string, parse func(string) (string, error)) Key {
	return Key{
		Name: name, About: about,
		add: func(h How, text string) (err error) {
			*of(any(h).(*T)), err = parse(text) //nolint:forcetypeassert // The struct of the kind.
			return err
		},
		all: func(h How) []string {
			if v := *of(any(h).(*T)); v != "" { //nolint:forcetypeassert // As above.
				return []string{v}
			}
			return nil
		},
	}
}

// many is a setting that has several.
func many[T any](name, about string, of func(*T) *[]string, parse func(string) (string, error)) Key {
	return Key{
		Name: name, About: about, Many: true,
		add: func(h How, text string) error {
			v, err := parse(text)
			if err == nil {
				all := of(any(h).(*T)) //nolint:forcetypeassert // The struct of the kind.
				*all = append(*all, v)
			}
			return err
		},
		all: func(h How) []string { return *of(any(h).(*T)) }, //nolint:forcetypeassert // As above.
	}
}

func (k Key) secret() Key   { k.Secret = true; return k }
func (k Key) required() Key { k.Required = true; return k }

// Kinds returns every kind.
func Kinds() []*Kind { return slices.Clone(kinds) }

// Channel is one that the configuration names.
type Channel struct {
	Name string
	Kind *Kind
	How  How
}

// New returns a channel of this kind without settings.
func (k *Kind) New(name string) Channel { return Channel{name, k, k.begin()} }

// Set takes one value of a key, or one more.
func (c Channel) Set(k Key, text string) error { return k.add(c.How, text) }

// Values are those of a key.
func (c Channel) Values(k Key) []string { return k.all(c.How) }

// Via is what messages go through.
type Via struct {
	HTTP *http.Client
	Mail *Mail // Nil when there is none.
}

const (
	sendTimeout   = 15 * time.Second
	maxConcurrent = 4 // Connections to one host.
)

// NewVia returns a way out that is for messages alone: it follows no redirect, and no guard of probes stands in it.
func NewVia(mail *Mail) *Via {
	return &Via{Mail: mail, HTTP: &http.Client{
		Timeout:       sendTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: sendTimeout}).DialContext,
			TLSHandshakeTimeout: sendTimeout, IdleConnTimeout: time.Minute, MaxConnsPerHost: maxConcurrent, ForceAttemptHTTP2: true,
		},
	}}
}

// Error is why a message did not go.
type Error struct {
	Final bool          // Trying again would be in vain.
	After time.Duration // The receiver asks to wait as long; 0 when it doesn't.
	text  string
}

// Error implements error.
func (e *Error) Error() string { return e.text }

// Send sends a message. Every error is an *Error, and shows nothing that the channel keeps secret.
func (c Channel) Send(ctx context.Context, via *Via, m Message) error {
	err := c.How.send(ctx, via, m)
	if err == nil {
		return nil
	}
	told := &Error{}
	if known, is := errors.AsType[*Error](err); is {
		told.Final, told.After = known.Final, known.After
	}
	told.text = c.masked(via, err)
	return told
}

// masked is the text of an error without secrets.
func (c Channel) masked(via *Via, err error) string {
	if of, is := errors.AsType[*url.Error](err); is {
		err = of.Err // The rest is the address.
	}
	text := err.Error()
	var secrets []string
	for _, k := range c.Kind.Keys {
		if k.Secret {
			secrets = append(secrets, c.Values(k)...)
		}
	}
	if c.Kind.Mail && via.Mail != nil {
		secrets = append(secrets, via.Mail.secrets()...)
	}
	for _, s := range secrets {
		if u, err := url.Parse(s); err == nil && u.Host != "" {
			for _, part := range []string{u.RequestURI(), strings.TrimPrefix(u.Path, "/"), u.RawQuery, u.User.String()} {
				if len(part) > 1 {
					text = strings.ReplaceAll(text, part, "***")
				}
			}
		}
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return oneLine(text)
}

// parseAddress takes what is reached over https, or over http on this machine.
func parseAddress(text string) (string, error) {
	u, err := parseHTTP(text)
	if err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		err = errors.New("http would show it to everybody on the way: write https://")
	}
	return text, err
}

// parseAnyAddress takes http to other machines too: there is nothing secret about it.
func parseAnyAddress(text string) (string, error) {
	_, err := parseHTTP(text)
	return text, err
}

func parseHTTP(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || status.HasControl(text) || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.Contains(text, " ") {
		return nil, errors.New("not an address: write https://host/path")
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// parseWord takes one word, such as a token.
func parseWord(text string) (string, error) {
	if text == "" || len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("must be one word of letters, digits and signs of ASCII")
	}
	return text, nil
}

// Secrets names the settings whose values are shown to nobody.
func Secrets() (names []string) {
	for _, k := range kinds {
		for _, key := range k.Keys {
			if key.Secret {
				names = append(names, fmt.Sprintf("%s.%s", k.Name, key.Name))
			}
		}
	}
	return names
}
