package config

import (
	"errors"
	"net/url"
	"path"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
)

const controlFile = "control.db"

func parseControl(text string) (Secret, error) {
	const want = "write sqlite:///data/control.db, or postgres://user:password@host:5432/name for several processes" //nolint:gosec // How one is written.
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
