package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"statuspage/e2e/harness"
	"strings"
	"testing"
	"time"
)

// wanderer is a browser that goes from page server to page server.
type wanderer struct {
	id    string
	shows map[string]string // By target.
}

// visit connects to a server with the id of the last event, and hands each event's targets on, until stop says so.
func (w *wanderer) visit(t *testing.T, p *product, stop func(targets []string) bool) {
	t.Helper()
	ctx, leave := context.WithTimeout(t.Context(), patience)
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", w.id)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	id, data := "", ""
	for lines := bufio.NewReader(res.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended: %v", err)
		}
		switch line = strings.TrimSuffix(line, "\n"); {
		case strings.HasPrefix(line, "id: "):
			id = line[len("id: "):]
		case strings.HasPrefix(line, "data: "):
			data += line[len("data: "):]
		case line == "" && id != "":
			w.id = id
			if stop(w.take(data)) {
				return
			}
			id, data = "", ""
		case line == "":
			data = ""
		}
	}
}

func (w *wanderer) take(data string) (targets []string) {
	for part := range strings.SplitSeq(data, "<hx-partial ") {
		if _, part, ok := strings.Cut(part, `hx-target="#`); ok {
			target, html, _ := strings.Cut(part, `"`)
			_, html, _ = strings.Cut(html, ">")
			html, _, _ = strings.Cut(html, "</hx-partial>")
			w.shows[target] = html
			targets = append(targets, target)
		}
	}
	slices.Sort(targets)
	return targets
}

// TestBrowserGoesFromServerToServer runs two page servers and a process that measures, on a real Redis and a real
// QuestDB. A browser that comes from another server, from one that has been restarted, or after Redis has lost
// its data, is sent what differs from what it shows.
func TestBrowserGoesFromServerToServer(t *testing.T) {
	t.Parallel()
	x, q, redis := newTarget(t), newQuestDB(t), harness.LaunchRedis(t)
	var services strings.Builder
	for i := range 8 { // Nobody measures these for an hour.
		fmt.Fprintf(&services, "  - {name: s%d, id: s%d, url: '%s', interval: 1h, timeout: 1s}\n", i, i, x.url)
	}
	yaml := fmt.Sprintf("listen: 127.0.0.1:0\ndatabase: %q\nqueue: %s\noutbox: outbox.db\nservices:\n%s%s",
		q.URL(), redis.URL(), service("fast", x.url, ""), services.String())
	begin := func(role string) *product {
		return start(t, t.TempDir(), yaml, "serve", "--role", role)
	}
	// Whoever plans the runs says since when they are due, and who is started before hears of it half a minute later.
	begin("scheduler,worker").wait("has said which runs are due", func() bool {
		n, err := q.exec("SELECT count_distinct(service) FROM signals_terms")
		return err == nil && n == 9
	})
	a, b := begin("web"), begin("web")
	for _, p := range []*product{a, b} {
		p.wait("shows what is measured", func() bool { return len(p.records("fast")) > 1 })
		p.wait("has read the past", func() bool { code, _ := p.get("/readyz"); return code == http.StatusOK })
	}

	w := &wanderer{shows: map[string]string{}}
	w.visit(t, a, func([]string) bool { return true })
	if len(w.shows) != 13 {
		t.Fatalf("a new browser is sent %d parts, want all 13", len(w.shows))
	}
	few := 0
	for i := range 10 {
		switch i {
		case 4:
			a.Kill()
			a = start(t, a.Cmd.Dir, "", "serve", "--role", "web")
			a.wait("is ready", func() bool { code, _ := a.get("/readyz"); return code == http.StatusOK })
		case 7:
			redis.Kill()
			harness.Must(t, redis.Empty())
			harness.Must(t, redis.Start(t.Context()))
		}
		p := []*product{b, a}[i%2]
		minute, first := time.Now().Truncate(time.Minute), true
		w.visit(t, p, func(targets []string) bool {
			if first && minute.Equal(time.Now().Truncate(time.Minute)) && !slices.Contains(targets, "s-s0") {
				few++
			}
			first = false
			page := rowsOf(t, p)
			return w.shows["s-fast"] == page["s-fast"] && w.shows["s-s0"] == page["s-s0"] && w.shows["banner"] == page["banner"]
		})
	}
	t.Logf("%d of 10 visits brought less than all rows", few)
	if few < 6 { // But for those that came in another minute.
		t.Errorf("only %d of 10 visits brought less than all rows", few)
	}
}

// rowsOf is what a page shows, by target.
func rowsOf(t *testing.T, p *product) map[string]string {
	t.Helper()
	res, err := http.Get(p.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	shows := map[string]string{}
	for _, target := range []string{"s-fast", "s-s0", "banner"} {
		tag := "tr"
		if target == "banner" {
			tag = "section"
		}
		at := strings.Index(string(body), "<"+tag+" id=\""+target+"\"")
		if at < 0 {
			t.Fatalf("the page lacks %s", target)
		}
		row, _, _ := strings.Cut(string(body[at:]), "</"+tag+">")
		shows[target] = row + "</" + tag + ">"
	}
	return shows
}

// TestSignalsReachAPageServerLate writes hours of signals to QuestDB after a page server has read the past, as
// another process does whose outbox had kept them. The server shows them by itself.
func TestSignalsReachAPageServerLate(t *testing.T) {
	t.Parallel()
	if os.Getenv("CHAOS") != "full" {
		t.Skip("takes minutes; CHAOS=full runs it")
	}
	x, q, redis := newTarget(t), newQuestDB(t), harness.LaunchRedis(t)
	p := start(t, t.TempDir(), fmt.Sprintf("listen: 127.0.0.1:0\ndatabase: %q\nqueue: %s\noutbox: outbox.db\nservices:\n  - {name: web, id: web, url: '%s', interval: 1m, timeout: 1s}\n",
		q.URL(), redis.URL(), x.url), "serve", "--role", "web")
	p.wait("has read the past", func() bool {
		code, body := p.get("/readyz")
		return code == http.StatusOK && strings.Contains(body, "filled")
	})
	hour := time.Now().UTC().Truncate(time.Hour)
	var rows strings.Builder
	for at := hour.Add(-4 * time.Hour); at.Before(hour.Add(-time.Hour)); at = at.Add(time.Minute) {
		if rows.Len() > 0 {
			rows.WriteByte(',')
		}
		fmt.Fprintf(&rows, "('%s', 200, '%s', true)", x.url, at.Format("2006-01-02T15:04:05.000000Z"))
	}
	if _, err := q.exec("INSERT INTO signals(url, http_status, received, available) VALUES" + rows.String()); err != nil {
		t.Fatal(err)
	}
	harness.WaitFor(t, 5*time.Minute, "the page server shows what came late", func() bool {
		_, body := p.get("/services/web?window=24h")
		return strings.Contains(body, "180 up, 0 slow, 0 down")
	})
	if !strings.Contains(p.Log.String(), "came late") {
		t.Error("it is not said")
	}
}
