package config

import (
	"strings"
	"testing"
)

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://status.example.com": "https://status.example.com", "https://status.example.com/": "https://status.example.com", "https://example.org/status/": "https://example.org/status",
		"http://example.org:8080/a/b.c_d~e-f//": "http://example.org:8080/a/b.c_d~e-f", "https://example.org/events": "https://example.org/events", "https://example.org/x#y": "https://example.org/x",
	} {
		if got, err := parseBaseURL(text); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"https://example.org/a(b", "https://example.org/%41", "https://example.org/a%2Fb", "https://example.org/%20", "https://example.org/ä", "https://example.org/a//b", "https://example.org/a/../b", "https://example.org/./a", "https://example.org/a'b", "https://example.org/a&b",
		"https://example.org/services", "https://example.org/API/x/", "https://example.org/signals/", "https://u@example.org/", "https://example.org/?x",
	} {
		if got, err := parseBaseURL(text); err == nil {
			t.Errorf("%s: %q", text, got)
		} else if strings.Contains(text, "org/") && !strings.ContainsAny(text, "@?") && !strings.Contains(err.Error(), "a host of its own") {
			t.Errorf("%s: %v, which names no remedy", text, err)
		}
	}
}
