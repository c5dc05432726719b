package config

import (
	"errors"
	"net/url"
	"regexp"
)

// parseQueue takes the address of a Redis.
func parseQueue(text string) (Secret, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Hostname() == "" {
		return "", errors.New("not a queue: write redis://:password@host:6379/0, or rediss:// for TLS")
	}
	return Secret(text), nil
}

var regionName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// parseRegion takes the name of a place.
func parseRegion(text string) (string, error) {
	if !regionName.MatchString(text) {
		return "", errors.New("not a region: write 1 to 32 lower-case letters a-z, digits and dashes")
	}
	return text, nil
}
