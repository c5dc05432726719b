package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The parsers of single values. Their errors say what to write and never repeat the value:
// it may be a secret, or have come out of a variable.

const (
	maxNameLength = 100
	maxIDLength   = 63
	maxHostLength = 253
)

// parseText takes the one-line texts that people read.
func parseText(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case utf8.RuneCountInString(text) > maxNameLength:
		return "", fmt.Errorf("longer than %d characters", maxNameLength)
	case status.HasControl(text):
		return "", errors.New("has control characters or a line break")
	}
	return text, nil
}

func parseRetries(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > check.MaxRetries {
		return 0, fmt.Errorf("must be a number from 0 to %d", check.MaxRetries)
	}
	return n, nil
}

func parsePath(text string) (string, error) {
	if status.HasControl(text) {
		return "", errors.New("has control characters or a line break")
	}
	return text, nil
}

func parseID(text string) (string, error) {
	if len(text) > maxIDLength || strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		return "", fmt.Errorf("not an id: write 1 to %d lower-case letters a-z, digits and dashes", maxIDLength)
	}
	if text == reservedID {
		return "", fmt.Errorf("%q is reserved for the badge of the whole page: choose another id", reservedID)
	}
	return text, nil
}

var aliasForm = regexp.MustCompile(`^(?:kuma:[1-9][0-9]{0,9}|gatus:[^\s/?#]{1,250})$`)

// parseAlias takes names that other products have for a service in their addresses.
func parseAlias(text string) (string, error) {
	if !aliasForm.MatchString(text) || status.HasControl(text) {
		return "", errors.New("not an alias: write kuma:2 for the number of a monitor of Uptime Kuma, or gatus:group_name for the key of an endpoint of Gatus")
	}
	return text, nil
}

// slug keeps status.Slug within the length of an id.
func slug(name string) string {
	id := status.Slug(name)
	return strings.TrimRight(id[:min(len(id), maxIDLength)], "-")
}

// uniqueID returns id, or id with the first free number behind it.
func uniqueID(id string, used map[string]bool) string {
	if id == "" {
		id = "service"
	}
	unique := id
	for n := 2; used[unique]; n++ {
		suffix := "-" + strconv.Itoa(n)
		unique = id[:min(len(id), maxIDLength-len(suffix))] + suffix
	}
	return unique
}

// urlName names a service after its address.
func urlName(u *url.URL) string {
	name := []rune(u.Host + strings.TrimRight(u.EscapedPath(), "/"))
	return string(name[:min(len(name), maxNameLength)])
}

// parseURL takes addresses of the web, whatever else can be measured.
func parseURL(text string) (*url.URL, error) {
	u, _, err := check.ParseURL(text, check.Named("http"))
	return u, err
}

// parseTarget takes addresses of all that can be measured.
func parseTarget(text string) (*url.URL, error) {
	u, _, err := check.ParseURL(text)
	return u, err
}

func parseBaseURL(text string) (string, error) {
	u, err := parseURL(text)
	if err != nil {
		return "", err
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery {
		return "", errors.New("must have neither user nor query: write https://status.example.com")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	switch {
	case u.RawPath != "" || u.Path != "" && (!basePath.MatchString(u.Path) || path.Clean(u.Path) != u.Path):
		return "", errors.New("the path may have letters a-z, digits and ._~- between its slashes: write https://example.org/status, or give the page a host of its own")
	case slices.Contains(ownPaths, strings.ToLower(first)):
		return "", errors.New("the path begins as addresses of the page itself do: write https://example.org/status, or give the page a host of its own")
	}
	return u.String(), nil
}

// basePath is the form of a path that the page may stand below.
var basePath = regexp.MustCompile(`^(?:/[A-Za-z0-9._~-]+)+$`)

// ownPaths begin addresses of the page that go on behind them: below one of these, nobody could tell whether
// a proxy has taken the path off. A test in package handlers names the same.
var ownPaths = []string{"admin", "agent", "api", "badge", "brand", "groups", "incidents", "outages", "services", "signals", "static", "v1", "v2"}

// pageIDForm is that of Statuspage's ids, and of those that other tools have made of them.
var pageIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func parsePageID(text string) (string, error) {
	if !pageIDForm.MatchString(text) {
		return "", errors.New("write letters, digits, - and _, as Statuspage's ids have them")
	}
	return text, nil
}

func parseOrigin(text string) (string, error) {
	if text == "*" {
		return text, nil
	}
	u, err := parseURL(text)
	if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") {
		return "", errors.New("not an origin: write scheme and host without a path, such as http://localhost:3000, or *")
	}
	return strings.ToLower(u.String()), nil
}

// listeners refuses one address for two listeners; with port 0 each gets its own.
func (d *decoder) listeners(c *Config) {
	same := func(a, b string) bool {
		_, port, _ := net.SplitHostPort(a)
		return a == b && a != "" && port != "0"
	}
	if same(c.ListenOps, c.Listen) {
		d.fail(d.ops, "listen_ops", "the same as listen: visitors must not reach it, so name another port or address")
	}
	if same(c.Admin.Listen, c.Listen) || same(c.Admin.Listen, c.ListenOps) {
		d.fail(d.adminListen, "admin.listen", "the same as another listener: name another port or address, or leave it out to have /admin where the page is")
	}
}

func parseListen(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	n, errPort := strconv.Atoi(port)
	if err != nil || errPort != nil || n < 0 || n > 65535 || len(host) > maxHostLength || status.HasControl(host) || strings.ContainsAny(host, " /@") {
		return "", errors.New("not an address to listen on: write host:port, such as 127.0.0.1:8000, or :8000 for every address")
	}
	return text, nil
}

func parseDatabase(text string) (Secret, error) {
	const want = "write sqlite:///data/statuspage.db or questdb://user:password@host:8812/qdb"
	u, err := url.Parse(text)
	if err != nil || status.HasControl(text) || u.Opaque != "" || !strings.Contains(text, "://") {
		return "", errors.New("not a database URL: " + want + ", special characters percent-encoded")
	}
	switch u.Scheme {
	case "sqlite":
		if u.Host != "" || u.User != nil || strings.Trim(u.Path, "/") == "" {
			return "", errors.New("no file behind three slashes: " + want)
		}
	case "questdb", "postgresql", "postgres":
		if u.Hostname() == "" || !check.ValidPort(u.Port(), u.Host) {
			return "", errors.New("no host, or a wrong port: " + want)
		}
	default:
		return "", errors.New("the scheme must be sqlite, questdb, postgresql or postgres: " + want)
	}
	return Secret(text), nil
}

func parseTimezone(text string) (*time.Location, error) {
	loc, err := time.LoadLocation(text)
	if err != nil || text == "Local" || text != "" && path.Clean(text) != text { // Visitors ask for a zone by its name, wherever they are.
		return nil, errors.New("unknown time zone: write a name such as Europe/Budapest or UTC")
	}
	return loc, nil
}

func parseViewers(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxViewers {
		return 0, fmt.Errorf("not a whole number from 1 to %d", maxViewers)
	}
	return n, nil
}

func parseInterval(text string) (time.Duration, error) {
	d, err := check.ParseMillis(text)
	if err == nil && (d < status.MinInterval || d > status.Day) {
		err = errors.New("must be between 1s and 24h")
	}
	return d, err
}

func parseTimeout(text string) (time.Duration, error) {
	d, err := check.ParseMillis(text)
	if err == nil && d <= 0 {
		err = errors.New("must be at least 1ms")
	}
	return d, err
}

func parseRetention(text string) (time.Duration, error) {
	d, err := status.ParseDuration(text)
	if err == nil && (d < time.Hour || d%time.Hour != 0) {
		err = errors.New("must be whole hours, at least 1h") // The finest that a store can drop.
	}
	return d, err
}

// parseMinutes reads the interval as the variable of the tutorial has it.
func parseMinutes(text string) (time.Duration, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > int(status.Day/time.Minute) {
		return 0, fmt.Errorf("not a number of minutes from 1 to %d", int(status.Day/time.Minute))
	}
	return time.Duration(n) * time.Minute, nil
}
