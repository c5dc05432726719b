package monitor

import (
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"testing"
	"time"
)

func TestSignalNamesARegionThatItsCheckLists(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listed []string
		want   string
	}{{nil, ""}, {[]string{"us-east"}, ""}, {[]string{"us-east", "eu-west"}, "eu-west"}} {
		check := &plan{Check: check.Check{Service: status.Service{ID: "web", Regions: c.listed}}}
		if got := signal(check, time.Now(), "eu-west", probe.Result{Outcome: status.Up}).Region; got != c.want {
			t.Errorf("region of a check that lists %v = %q, want %q", c.listed, got, c.want)
		}
	}
}
