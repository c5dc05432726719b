package handlers

import (
	"net/http"
	"testing"
	"time"
)

// TestGoToADay asks for a day by the form of a service's page, which works without scripts.
func TestGoToADay(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	today := s.now().UTC().Format(time.DateOnly)
	for query, want := range map[string]string{
		"day=" + today: "/services/web/" + today,
		"day=" + today + "&lang=de&tz=Asia/Tokyo": "/services/web/" + today + "?lang=de&tz=Asia%2FTokyo",
	} {
		res := s.ask("/services/web?" + query)
		if got := string(res.Header.Peek("Location")); res.StatusCode() != http.StatusSeeOther || got != want {
			t.Errorf("%s: %d to %q, want %q", query, res.StatusCode(), got, want)
		}
	}
	for _, query := range []string{"day=tomorrow", "day=2036-01-01", "day=1970-01-01", "day=2026-02-30"} {
		if got := s.ask("/services/web?" + query).StatusCode(); got != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", query, got)
		}
	}
}
