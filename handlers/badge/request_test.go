package badge

import (
	"statuspage/handlers/answer"
	"statuspage/internal/figures"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"testing"
	"time"
)

func TestWindowsOfBadges(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1w": status.Week, "7d12h": 7*status.Day + 12*time.Hour, "1w1d": 8 * status.Day, "36h": 36 * time.Hour, "90d": 90 * status.Day, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute,
		"P1W": status.Week, "P1DT12H": 36 * time.Hour, "PT36H": 36 * time.Hour, "PT90M": 90 * time.Minute, "PT3600S": time.Hour,
		"": 0, "P": 0, "PT": 0, "P1DT": 0, "P1M": 0, "P1Y": 0, "1y": 0, "x": 0, "91d": 0, "30s": 0, "-1h": 0, "+1h": 0, "7d-12h": 0, "12h7d": 0, "90d1m": 0,
		"999w2562047h": 0, "0d": 0, "1d" + " ": 0, "0007d": 0, "7d.5h": 0, "1d0": 0, "1.500000000000000h": 0, "P0007D": 0,
	} {
		if got, ok := parseWindow(text); ok != (want > 0) || ok && got != want {
			t.Errorf("parseWindow(%q) = %v, %t, want %v", text, got, ok, want)
		}
	}
}

func FuzzBadgeRequest(f *testing.F) {
	f.Add("web/uptime.svg", "P7D", "95", "#fff", "x")
	f.Add("group:a/latency.json", "1h", "1e9", "blue", "")
	f.Fuzz(func(t *testing.T, path, window, percentile, color, label string) {
		q := parse(answer.DecodedAll(path), func(name string) string {
			return map[string]string{"window": window, "percentile": percentile, "color": color, "label": label, "label_color": color}[name]
		})
		if q.mistake != "" || badge.Types[q.format] == "" {
			return
		}
		if q.window <= 0 || q.window > figures.MaxWindow || !(q.percentile > 0 && q.percentile <= 100) {
			t.Fatalf("%q is accepted with window %v and percentile %v", path, q.window, q.percentile)
		}
		if q.color != "" && (q.color[0] != '#' || len(q.color) > 7) {
			t.Fatalf("colour %q became %q", color, q.color)
		}
	})
}
