package config

import (
	"crypto/sha256"
	"errors"
	"net/url"
	"path"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/grant"
	"statuspage/internal/status"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

const (
	maxTokens   = 1000
	controlFile = "control.db"
)

// Admin is where operators work.
type Admin struct {
	Off    bool
	Listen string // host:port of its own; empty for where the page is.
}

// Token lets a program write.
type Token struct {
	Name    string
	Hash    [sha256.Size]byte // SHA-256 of it; it itself is not kept.
	Scopes  []grant.Scope
	Expires time.Time // From then on it counts no more; zero for ever.
}

// admin decodes true, false, or a mapping.
func (d *decoder) admin(node *yaml.Node, path string, a *Admin) {
	if node.Kind == yaml.ScalarNode {
		on := true
		value(d, &on, check.ParseBool)(node, path)
		a.Off = !on
		return
	}
	d.mapping(node, path, field{"listen": func(node *yaml.Node, path string) {
		d.adminListen = node
		value(d, &a.Listen, parseListen)(node, path)
	}})
}

func (d *decoder) tokens(node *yaml.Node, path string, dst *[]Token) {
	if len(node.Content) > maxTokens {
		d.fail(node, path, "too many tokens: at most %d", maxTokens)
		return
	}
	d.sequence(node, path, func(node *yaml.Node, path string) {
		t, ok := d.token(node, path)
		if !ok {
			return
		}
		for _, before := range *dst {
			switch {
			case t.Name == before.Name:
				d.fail(node, path, "a token of this name is there already: give each its own")
			case t.Hash == before.Hash:
				d.fail(node, path, "the same token as another: give each its own")
			}
		}
		*dst = append(*dst, t)
	})
}

func (d *decoder) token(node *yaml.Node, path string) (t Token, ok bool) {
	before := len(d.mistakes)
	var token, file string
	var scopes []grant.Scope
	d.mapping(node, path, field{
		"name":       value(d, &t.Name, parseText),
		"token":      value(d, &token, ParseToken),
		"token_file": func(node *yaml.Node, path string) { file = d.tokenFile(node, path) },
		"scopes":     list(d, &scopes, grant.ParseScope),
		"expires":    value(d, &t.Expires, ParseExpiry),
	})
	switch {
	case len(d.mistakes) > before:
	case t.Name == "":
		d.fail(node, path+".name", "must not be empty")
	case len(scopes) == 0:
		d.fail(node, path+".scopes", "must not be empty: write what it is for, such as [incidents:write]")
	case (token == "") == (file == ""):
		d.fail(node, path, "needs token: ${A_VARIABLE} or token_file: path, and not both")
	}
	t.Hash = sha256.Sum256([]byte(token + file))
	for _, s := range grant.Scopes { // Each once, in their order.
		if slices.Contains(scopes, s) {
			t.Scopes = append(t.Scopes, s)
		}
	}
	return t, len(d.mistakes) == before
}

// ParseExpiry takes the instant from which something counts no more: a day, at whose beginning in UTC, or a time with its zone.
func ParseExpiry(text string) (time.Time, error) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("not a day or a time: write 2027-01-31, at whose beginning in UTC it ends, or 2027-01-31T12:00:00Z")
}

func parseControl(text string) (Secret, error) {
	const want = "write sqlite:///data/control.db, or postgres://user:password@host:5432/name for several processes" //nolint:gosec // An example.
	u, err := url.Parse(text)
	if err != nil || status.HasControl(text) || u.Opaque != "" || !strings.Contains(text, "://") {
		return "", errors.New("not a URL of a store: " + want + ", special characters percent-encoded")
	}
	switch u.Scheme {
	case "sqlite":
		if u.Host != "" || u.User != nil || strings.Trim(u.Path, "/") == "" {
			return "", errors.New("no file behind three slashes: " + want)
		}
	case "postgresql", "postgres":
		if u.Hostname() == "" || !check.ValidPort(u.Port(), u.Host) {
			return "", errors.New("no host, or a wrong port: " + want)
		}
	default:
		return "", errors.New("the scheme must be sqlite or postgres: " + want)
	}
	return Secret(text), nil
}

// besideData is the control store of who names none: a file beside the data, or beside the outbox of data that is elsewhere.
func besideData(database Secret, outbox string) Secret {
	file := "/" + (&url.URL{Path: outbox}).EscapedPath() // An absolute path has two slashes then.
	if rest, is := strings.CutPrefix(string(database), "sqlite://"); is {
		file, _, _ = strings.Cut(rest, "?")
	}
	dir, _ := path.Split(file)
	return Secret("sqlite://" + dir + controlFile)
}

type printedAdmin struct {
	Listen string `yaml:"listen"`
}

func (a Admin) printed() any {
	switch {
	case a.Off:
		return false
	case a.Listen != "":
		return printedAdmin{a.Listen}
	}
	return nil
}

type printedToken struct {
	Name    string   `yaml:"name"`
	Token   string   `yaml:"token"`
	Scopes  []string `yaml:"scopes,flow"`
	Expires string   `yaml:"expires,omitempty"`
}

func printedTokens(all []Token) (printed []printedToken) {
	for _, t := range all {
		p := printedToken{Name: t.Name, Token: mask, Scopes: strings.Fields(grant.Join(t.Scopes))}
		if !t.Expires.IsZero() {
			p.Expires = t.Expires.Format(time.RFC3339)
		}
		printed = append(printed, p)
	}
	return printed
}
