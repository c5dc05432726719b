package config

import (
	"net/url"
	"strings"
)

const mask = "***"

// Secret is a URL that may hold a password. Every way to print it hides the userinfo and
// the passwords in the query; convert it to string to use it.
type Secret string

// String returns the URL with *** in the place of secrets.
func (s Secret) String() string { return redactURL(string(s)) }

// GoString implements fmt.GoStringer, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText implements encoding.TextMarshaler, for JSON and log/slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// redactURL is written by hand at the end, since package url would escape the asterisks.
func redactURL(raw string) string {
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil {
		return mask
	}
	user := u.User != nil
	u.User = nil
	params := strings.Split(u.RawQuery, "&")
	for i, param := range params {
		key, _, _ := strings.Cut(param, "=")
		if plain, err := url.QueryUnescape(key); err != nil || strings.Contains(strings.ToLower(plain), "password") {
			params[i] = key + "=" + mask
		}
	}
	u.RawQuery = strings.Join(params, "&")
	text := u.String()
	if user {
		text = strings.Replace(text, "://", "://"+mask+"@", 1)
	}
	return text
}

// mayHoldSecret decides whether text of the file may be shown; it rather hides too much.
func mayHoldSecret(text string) bool {
	return strings.Contains(text, "@") || strings.Contains(strings.ToLower(text), "password")
}
