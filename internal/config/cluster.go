package config

import (
	"errors"
	"net/url"
)

// parseQueue takes the address of a Redis.
func parseQueue(text string) (Secret, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Hostname() == "" {
		return "", errors.New("not a queue: write redis://:password@host:6379/0, or rediss:// for TLS")
	}
	return Secret(text), nil
}
