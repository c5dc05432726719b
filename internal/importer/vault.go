package importer

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"strings"
)

// vault keeps what nobody may read, by the names of the variables that stand for it.
type vault struct {
	names  []string
	values map[string]string
}

func newVault() *vault { return &vault{values: map[string]string{}} }

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}`)

// hide puts what is secret in the place of the texts between variables into the vault, and returns a text that names it.
func (v *vault) hide(s *service, what, text string) string {
	var b strings.Builder
	at := 0
	put := func(part string) {
		if part == "" {
			return
		}
		name := "SECRET_" + envName(s.id) + "_" + envName(what)
		for n := 2; v.values[name] != ""; n++ {
			name = fmt.Sprintf("SECRET_%s_%s_%d", envName(s.id), envName(what), n)
		}
		v.names = append(v.names, name)
		v.values[name] = strings.Map(func(r rune) rune {
			if status.IsControl(r) {
				return ' ' // A line of the file is one value.
			}
			return r
		}, strings.ToValidUTF8(plain(part), "\uFFFD"))
		b.WriteString("${" + name + "}")
	}
	for _, m := range variable.FindAllStringIndex(text, -1) {
		put(text[at:m[0]])
		b.WriteString(text[m[0]:m[1]])
		at = m[1]
	}
	put(text[at:])
	return b.String()
}

func envName(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, text)
}

// header hides a header's value, except what everybody may know.
func (v *vault) header(s *service, name, value string) string {
	switch strings.ToLower(name) {
	case "accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-type", "host", "origin", "pragma", "user-agent":
		return value
	}
	for _, scheme := range []string{"Bearer ", "Basic ", "Token "} {
		if rest, is := strings.CutPrefix(value, scheme); is {
			return scheme + v.hide(s, name, rest)
		}
	}
	return v.hide(s, name, value)
}

// address hides the password of an address, and the values of its query that are called a secret.
func (v *vault) address(s *service, text string) string {
	text, _, _ = strings.Cut(text, "#")
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, tail := rest[:end], rest[end:]
	if at := strings.LastIndex(host, "@"); at >= 0 {
		user, password, has := strings.Cut(host[:at], ":")
		if strings.Contains(user, "${") && !strings.Contains(user, "}") { // The colon of ${A:-b}.
			user, password, has = host[:at], "", false
		}
		switch {
		case has:
			user += ":" + v.hide(s, "password", encoded(password))
		default: // A token may stand there alone.
			user = v.hide(s, "user", encoded(user))
		}
		host = user + host[at:]
	}
	path, query, has := strings.Cut(tail, "?")
	if has {
		params := strings.Split(query, "&")
		for i, param := range params {
			if key, value, _ := strings.Cut(param, "="); value != "" && config.NamesSecret(key) {
				params[i] = key + "=" + v.hide(s, key, encoded(value))
			}
		}
		path += "?" + strings.Join(params, "&")
	}
	return scheme + "://" + host + path
}

// encoded writes a part of an address in letters that no shell minds; variables stay.
func encoded(text string) string {
	if strings.Contains(text, "${") {
		return text
	}
	raw, err := url.PathUnescape(plain(text))
	if err != nil {
		raw = plain(text)
	}
	return strings.ReplaceAll(url.QueryEscape(raw), "+", "%20")
}

// used lists the names that a text has.
func (v *vault) used(body []byte) (names []string) {
	for _, m := range variable.FindAllSubmatch(body, -1) {
		if name := string(m[1]); v.values[name] != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// lines writes them as a file that shells, systemd and Docker read.
func (v *vault) lines(names []string) []byte {
	var b strings.Builder
	for _, name := range names {
		value := v.values[name]
		if !bare.MatchString(value) {
			value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		}
		b.WriteString(name + "=" + value + "\n")
	}
	if b.Len() == 0 {
		return nil
	}
	return []byte(b.String())
}

var bare = regexp.MustCompile(`^[A-Za-z0-9_./:+=,@%-]*$`)

// guesses is how many values of variables that nobody has set are tried.
const guesses = 3

// guess has values for all variables: those of the vault, those of the environment, and for others one that fits most places.
func (v *vault) guess(getenv func(string) string, n int) func(string) string {
	return func(name string) string {
		if value := v.values[name]; value != "" {
			return value
		}
		if strings.HasPrefix(name, "STATUSPAGE_") {
			return "" // What configures us is not asked here.
		}
		if getenv != nil {
			if value := getenv(name); value != "" {
				return value
			}
		}
		switch {
		case n == 1:
			return "https://host.example"
		case n == 2:
			return "host.example"
		case strings.Contains(name, "PORT"):
			return "8080"
		}
		return "200"
	}
}

// literal writes a text so that our configuration reads it as it is.
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// plain is a text with its doubled dollars single again.
func plain(text string) string { return strings.ReplaceAll(text, "$$", "$") }
