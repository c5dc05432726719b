package config

import (
	"net/url"
	"slices"
	"strings"
)

const mask = "***"

// Secret is a URL that may hold a password. Every way to print it hides the userinfo and
// the secrets in the query; convert it to string to use it.
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
	text := public(u, false)
	if u.User != nil {
		text = strings.Replace(text, "://", "://"+mask+"@", 1)
	}
	return text
}

// public returns the URL as the store and the page may know it: without userinfo, and with ***
// for what its query calls a secret, or for all its values.
func public(u *url.URL, all bool) string {
	shown := *u
	shown.User = nil
	if u.RawQuery != "" {
		params := strings.Split(u.RawQuery, "&")
		for i, param := range params {
			if key, value, _ := strings.Cut(param, "="); value != "" && (all || NamesSecret(key)) {
				params[i] = key + "=" + mask
			}
		}
		shown.RawQuery = strings.Join(params, "&")
	}
	return shown.String()
}

// secretNames are what names of secrets end in: access_token, apiKey, X-Amz-Signature.
var secretNames = []string{"password", "passwd", "pwd", "secret", "token", "key", "auth", "sig", "signature", "credential", "credentials"}

// NamesSecret tells whether a parameter of a query says that it is one.
func NamesSecret(key string) bool {
	plain, err := url.QueryUnescape(key)
	plain = strings.ToLower(plain)
	return err != nil || strings.Contains(plain, "password") || slices.ContainsFunc(secretNames, func(end string) bool { return strings.HasSuffix(plain, end) })
}

// mayHoldSecret decides whether text of the file may be shown; it rather hides too much.
func mayHoldSecret(text string) bool {
	lower := strings.ToLower(text)
	return strings.ContainsAny(text, "@?") || slices.ContainsFunc(secretNames, func(name string) bool { return strings.Contains(lower, name) })
}
