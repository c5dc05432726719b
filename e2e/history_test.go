package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNinetyDaysAreThereAfterAStart begins on a store with 92 days of signals, outages and holes.
func TestNinetyDaysAreThereAfterAStart(t *testing.T) {
	t.Parallel()
	dir, web := t.TempDir(), newTarget(t)
	yaml := "timezone: Europe/Budapest\nservices:\n  - {name: web, url: '" + web.url + "', interval: 10m, group: Public}\n  - {name: api, url: '" + web.url + "/api', interval: 10m}\n"
	if err := os.WriteFile(filepath.Join(dir, "seed.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	store := "sqlite:////" + strings.TrimPrefix(filepath.Join(dir, "store.db"), "/")
	out, err := exec.Command("go", "run", "../bench/seed", "-config", filepath.Join(dir, "seed.yaml"), "-database", store, "-days", "92").CombinedOutput()
	if err != nil {
		t.Fatalf("seed: %v\n%s", err, out)
	}
	p := start(t, dir, yaml+"database: "+store+"\n")
	p.wait("has read its history", func() bool {
		_, body := p.get("/readyz")
		return strings.Contains(body, `"filled"`)
	})
	has := func(path string, wanted ...string) string {
		t.Helper()
		code, body := p.get(path)
		if code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
		for _, text := range wanted {
			if !strings.Contains(body, text) {
				t.Errorf("%s lacks %q", path, text)
			}
		}
		return body
	}
	has("/?window=90d", "Last 90 days", `id="g-public"`)
	page := has("/services/web/cells?window=90d") + has("/services/api/cells?window=90d")
	if days := strings.Count(page, `<td data-c="`); days != 180 {
		t.Errorf("two services have %d days, want 180", days)
	}
	if empty := strings.Count(page, `<td data-c="n"`); empty > 4 {
		t.Errorf("%d of 180 days are without data", empty)
	}
	old := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -40).Add(12 * time.Hour)
	has("/services/web/"+old.Format("2006-01-02"), "p50", "Measurements", old.Format("/services/web/2006-01-02T15Z"))
	has("/services/web/"+old.Format("2006-01-02T15Z"), "p99", "Minutes")
	has("/services/web?chart=90d", `class="band"`, "90 d")
	has("/badge/web/latency.txt?window=30d", "p95 ")
	var outages, lapsed int
	for back := range 3 {
		first := time.Now().UTC().AddDate(0, 0, 1-time.Now().UTC().Day()).AddDate(0, -back, 0)
		body := has("/history?month=" + first.Format("2006-01"))
		outages += strings.Count(body, "was down for")
		lapsed += strings.Count(body, "no measurement after")
	}
	if outages == 0 || lapsed*2 > outages {
		t.Errorf("%d outages in three months, the end of %d unknown", outages, lapsed)
	}
}
