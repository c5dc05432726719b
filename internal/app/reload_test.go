package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"statuspage/db"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/status"
	"statuspage/monitor"
	"strings"
	"sync"
	"testing"
	"time"
)

// running is a process that serves a configuration and measures nothing yet.
func running(t *testing.T, cfg *config.Config, log io.Writer) (a *app, url string) {
	t.Helper()
	store, err := db.Open(t.Context(), string(cfg.Database), db.Options{Log: nobody})
	if err != nil {
		t.Fatal(err)
	}
	a = &app{roles: All(), log: slog.New(slog.NewTextHandler(log, nil)), metrics: metrics.New("test"), store: store}
	if err := a.build(cfg, false); err != nil {
		t.Fatal(err)
	}
	a.past.Fill(t.Context(), make(chan struct{}))
	ln, err := Listen(cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- a.pages.Serve(ln) }()
	t.Cleanup(func() {
		a.reloads.recalls.Wait()
		if err := errors.Join(a.stop(nil), <-served, store.Close()); err != nil {
			t.Error(err)
		}
	})
	return a, "http://" + ln.Addr().String()
}

func ask(t *testing.T, url, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(res.StatusCode, " ", string(body))
}

// stands is what each part shows of the configuration that it stands on, in words.
func stands(t *testing.T, a *app, url string) string {
	t.Helper()
	var all strings.Builder
	for _, c := range []string{"old", "kept", "new"} {
		before := unknown(t, a)
		a.monitor.Take([]monitor.Planned{{Service: c, Slot: time.Now(), Deadline: time.Now().Add(-time.Second)}})
		fmt.Fprintf(&all, "prober knows %s: %v\n", c, unknown(t, a) == before)
		a.metrics.Observe(metrics.Probe{Service: c, Instance: "http://" + c + ".example", Outcome: "up", Began: time.Now(), Holds: time.Hour})
		fmt.Fprintf(&all, "metrics tell of %s: %v\n", c, strings.Contains(told(t, a), `probe_success{instance="http://`+c+`.example"`))
	}
	for _, s := range a.board.Current().Services() {
		fmt.Fprintf(&all, "board shows %s\n", s.ID)
	}
	page := ask(t, url+"/", "")
	for _, word := range []string{"Before", "After", "old-name", "kept-name", "new-name"} {
		fmt.Fprintf(&all, "page says %s: %v\n", word, strings.Contains(page, word))
	}
	for _, token := range []string{"before", "after"} {
		checks := ask(t, url+"/agent/v1/checks", token)
		for _, c := range []string{"old", "new"} {
			fmt.Fprintf(&all, "agent %s: %.3s, %s %v\n", token, checks, c, strings.Contains(checks, `"id":"`+c+`"`))
		}
	}
	fmt.Fprintf(&all, "title %s\n", a.cfg.Load().Title)
	return all.String()
}

func told(t *testing.T, a *app) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := a.metrics.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// unknown is how many runs were of services that the prober does not know.
func unknown(t *testing.T, a *app) (n float64) {
	t.Helper()
	for line := range strings.Lines(told(t, a)) {
		if value, found := strings.CutPrefix(line, `statuspage_probes_skipped_total{cause="unknown"} `); found {
			if _, err := fmt.Sscan(value, &n); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

func reloadable(t *testing.T, title, token string, ids ...string) *config.Config {
	t.Helper()
	cfg := startable(t)
	cfg.Title, cfg.Checks = title, nil
	cfg.Agents = []config.Agent{{Region: "eu", Token: sha256.Sum256([]byte(token))}}
	for _, id := range ids {
		cfg.Checks = append(cfg.Checks, check.Check{
			Service: status.Service{
				ID: id, Name: id + "-name", URL: "http://" + id + ".example", Interval: time.Minute, Timeout: time.Second, Regions: []string{"eu"}, DownWhen: 1,
			},
			Target: "http://127.0.0.1:1", How: &check.HTTP{Method: "HEAD"},
		})
	}
	return cfg
}

var errRefused = errors.New("a part refuses")

// TestReloadThatFailsGoesBackWhole has each part in turn refuse the new configuration: then all of them stand on the old one, and the
// error says whose fault it is. Without a refusal all stand on the new one.
func TestReloadThatFailsGoesBackWhole(t *testing.T) {
	t.Parallel()
	parts := []string{"prober", "agents", "board", "page", ""}
	for i, refuses := range parts {
		t.Run("refused by "+refuses, func(t *testing.T) {
			t.Parallel()
			before, next := reloadable(t, "Before", "before", "old", "kept"), reloadable(t, "After", "after", "kept", "new")
			var log lockedLog
			a, url := running(t, before, &log)
			stood := stands(t, a, url)
			steps := a.steps(t.Context(), before, next, true)
			if len(steps) != len(parts)-1 {
				t.Fatalf("%d steps, want %d", len(steps), len(parts)-1)
			}
			if refuses == "" {
				if err := a.reload(t.Context(), next); err != nil {
					t.Fatal(err)
				}
				// The same words, with both configurations' in each other's place.
				swapped := strings.NewReplacer("old", "new", "new", "old", "Before", "After", "After", "Before", "before", "after", "after", "before")
				if got, want := lines(stands(t, a, url)), lines(swapped.Replace(stood)); got != want {
					t.Errorf("after the reload:\n%s\nwant:\n%s", got, want)
				}
				return
			}
			if steps[i].part != refuses {
				t.Fatalf("step %d is of the %s", i, steps[i].part)
			}
			steps[i].do = func() error { return errRefused }
			err := takeOver(steps, a.log)
			if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), refuses) {
				t.Errorf("the error is %v, want who refuses", err)
			}
			if got := stands(t, a, url); got != stood {
				t.Errorf("after the refusal:\n%s\nbefore:\n%s", got, stood)
			}
			if text := log.String(); strings.Contains(text, "can't go back") {
				t.Error(text)
			}
			if err := a.reload(context.WithoutCancel(t.Context()), next); err != nil { // What goes back can go on.
				t.Errorf("the next reload: %v", err)
			}
		})
	}
}

// lines sorts the lines of a text.
func lines(text string) string {
	all := strings.Split(text, "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// lockedLog is a log that may be read meanwhile.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
