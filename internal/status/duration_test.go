package status

import (
	"strings"
	"testing"
	"time"
)

func TestDurationsAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "30s": 30 * time.Second, "1.5h": 90 * time.Minute, "1h30m": 90 * time.Minute, "90d": 90 * Day, "2w": 2 * Week,
		"1w2d": 9 * Day, "1d12h": 36 * time.Hour, "1w1d1h1m1s": 8*Day + time.Hour + time.Minute + time.Second, "0": 0, "0d": 0, "5214w": 5214 * Week, "36500d": MaxDuration,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", " ", "7", "d", "-1h", "+1h", "1d-1h", "1d+1h", "12h1d", "1d1w", "1.5d", "1y", "1M", "P1D", "1d ", "1d\n", "36501d", "5215w", "9999w99999d", "2562047h", "99999999h", "00001w",
	} {
		if got, err := ParseDuration(text); err == nil || strings.TrimSpace(text) != "" && strings.Contains(err.Error(), `"`) {
			t.Errorf("ParseDuration(%q) = %v, %v, want an error that doesn't repeat it", text, got, err)
		}
	}
}

func TestISODurationsAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"P1W": Week, "P30D": 30 * Day, "P1DT12H": 36 * time.Hour, "PT36H": 36 * time.Hour, "PT90M": 90 * time.Minute, "PT3600S": time.Hour, "P1W1DT1H1M1S": 8*Day + 3661*time.Second,
		"P0D": 0, "P999W999DT9999H999999M99999999S": 999*Week + 999*Day + 9999*time.Hour + 999999*time.Minute + 99999999*time.Second,
	} {
		if got, err := ParseISODuration(text); err != nil || got != want {
			t.Errorf("ParseISODuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "P", "PT", "P1DT", "1d", "P1M", "P1Y", "P1.5D", "-P1D", "P-1D", "P1D1W", "PT1S1H", "p1d", "P1D ", "P1D\n", "P1000D"} {
		if got, err := ParseISODuration(text); err == nil {
			t.Errorf("ParseISODuration(%q) = %v, want an error", text, got)
		}
	}
}

// FuzzDuration holds that what is read is within its bounds, and is written so that it is read as the same again.
func FuzzDuration(f *testing.F) {
	for _, text := range []string{"1w2d", "90d", "1d12h", "1.5h", "0", "500ms", "9999w99999d", "2562047h47m16s", "P1DT12H", "PT", "-1h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		iso, err := ParseISODuration(text)
		if err == nil && (iso < 0 || text[0] != 'P') {
			t.Errorf("ParseISODuration(%q) = %v", text, iso)
		}
		d, errGo := ParseDuration(text)
		if err == nil && errGo == nil {
			t.Errorf("%q is both %v and %v", text, iso, d)
		}
		if errGo != nil {
			return
		}
		if d < 0 || d > MaxDuration {
			t.Errorf("ParseDuration(%q) = %v", text, d)
		}
		if again, err := ParseDuration(FormatDuration(d)); err != nil || again != d {
			t.Errorf("%v is written %s, which reads as %v, %v", d, FormatDuration(d), again, err)
		}
	})
}
