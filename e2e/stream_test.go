package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"statuspage/e2e/harness"
	"strings"
	"testing"
	"time"

	devtools "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	targets "github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// recorder notes each state that the page goes through, and how often it was loaded, and tells the page that it is framed by.
const recorder = `(() => {
	window.said = [];
	sessionStorage.loads = Number(sessionStorage.loads || 0) + 1;
	const note = () => {
		const live = document.getElementById('live'), banner = document.getElementById('banner');
		if (live && said.at(-1) !== live.dataset.live) said.push(live.dataset.live);
		if (parent !== window) parent.postMessage({from: location.origin, said, loads: Number(sessionStorage.loads), title: document.title,
			text: live ? live.textContent : '', at: banner ? banner.dataset.at : ''}, '*');
	};
	new MutationObserver(note).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
})()`

// record makes the tab note what its pages say.
func (x *tab) record() {
	x.t.Helper()
	if _, err := chromedp.Call(x.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: recorder}); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tab) says(state string) {
	x.t.Helper()
	x.until(`document.querySelector('#live')?.dataset.live === '` + state + `'`)
}

// same holds that the page is the one that was opened: never replaced by another, nor loaded anew.
func (x *tab) same(what string) {
	x.t.Helper()
	if loads, title := eval[int](x, `Number(sessionStorage.loads)`), eval[string](x, `document.title`); loads != 1 || !strings.Contains(title, "Acme") {
		x.t.Errorf("%s: the page was loaded %d times, and is %q", what, loads, title)
	}
}

// frames shows pages side by side in one tab, each behind a proxy of its own.
type frames struct{ *tab }

// frame is what the page in a frame has last told of itself.
type frame struct {
	Said            []string
	Loads           int
	Title, Text, At string
}

func (f frame) is(state string) bool { return len(f.Said) > 0 && f.Said[len(f.Said)-1] == state }

func showFrames(t *testing.T, proxies []*proxy) frames {
	t.Helper()
	var body strings.Builder
	body.WriteString("<!DOCTYPE html><title>frames</title><script>window.told = {}; onmessage = e => { told[e.data.from] = e.data }</script>")
	for _, p := range proxies {
		_, _ = fmt.Fprintf(&body, "<iframe src=%q width=150 height=120></iframe>", p.URL+"/")
	}
	wall := httptest.NewServer(answering(body.String()))
	t.Cleanup(wall.Close)
	x := newTab(t)
	x.record()
	x.do(chromedp.Navigate(wall.URL))
	return frames{x}
}

func answering(html string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, html)
	})
}

func (x frames) of(p *proxy) frame {
	x.t.Helper()
	var f frame
	if err := json.Unmarshal([]byte(eval[string](x.tab, `JSON.stringify(told['`+p.URL+`'] ?? {})`)), &f); err != nil {
		x.t.Fatal(err)
	}
	return f
}

// until waits for something to hold of each case's frame.
func (x frames) until(what string, cases []string, proxies []*proxy, holds func(frame) bool) {
	x.t.Helper()
	for i, name := range cases {
		var f frame
		harness.WaitFor(x.t, patience, name+": "+what, func() bool { f = x.of(proxies[i]); return holds(f) })
	}
}

// TestBrowserBehindBadProxies looks at the page through whatever lies between a server and a
// browser. Where no stream passes it says so, refreshes itself, and asks rarely; it says "Live" only
// of what it has heard, and once streams pass it is live without having been loaded anew.
func TestBrowserBehindBadProxies(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", newTarget(t).url, ""))
	p.newest("web", func(record) bool { return true })
	elsewhere := newTarget(t)
	portal := "<html><head><title>Log in</title></head><body><main id=main><h1>Welcome to our network</h1></main></body></html>"
	const mime = "Content-Type"
	cases := []struct {
		name  string
		habit habit
		heard bool          // Something passes, so that it is live for a moment.
		pause time.Duration // Between two requests, when it is told one.
	}{
		{name: "body held back", habit: habit{stream: holdBody}},
		{name: "head held back", habit: habit{stream: holdHead}},
		{name: "502", habit: habit{stream: answers(502, portal, mime, "text/html")}},
		{name: "empty", habit: habit{stream: answers(200, "", mime, "text/event-stream")}},
		{name: "502 that calls itself a stream", habit: habit{stream: answers(502, "event: beat\ndata: 1\n\n", mime, "text/event-stream")}},
		{name: "204", habit: habit{stream: answers(204, "")}},
		{name: "portal", habit: habit{stream: answers(200, portal, mime, "text/html")}},
		{name: "another type", habit: habit{stream: unnamed}},
		{name: "login", habit: habit{stream: answers(302, "", "Location", "/how")}},
		{name: "login elsewhere", habit: habit{stream: answers(302, "", "Location", elsewhere.url)}},
		{name: "403", habit: habit{stream: answers(403, portal, mime, "text/html")}},
		{name: "404", habit: habit{stream: answers(404, portal, mime, "text/html")}},
		{name: "429", habit: habit{stream: answers(429, "", "Retry-After", "1")}},
		{name: "full house", habit: habit{stream: answers(503, "", "Retry-After", "5")}, pause: 5 * time.Second},
		{name: "cut", habit: habit{stream: cut}, heard: true},
		{name: "drip", habit: habit{stream: drip}},
		{name: "reset", habit: habit{stream: reset}},
		{name: "packed without a flush", habit: habit{stream: pack}},
		{name: "only the first word", habit: habit{stream: onlyFirst}, heard: true},
	}
	names, proxies := make([]string, len(cases)), make([]*proxy, len(cases))
	for i, c := range cases {
		names[i], proxies[i] = c.name, newProxy(t, p.URL)
		proxies[i].habit.Store(&c.habit)
	}
	opened := time.Now()
	x := showFrames(t, proxies)
	x.until("says that it refreshes itself", names, proxies, func(f frame) bool { return strings.HasPrefix(f.Text, "Not live, refreshed every 30 s") })
	before := make(map[string]bool)
	for _, p := range proxies {
		before[x.of(p).At] = true
	}
	x.until("refreshes itself", names, proxies, func(f frame) bool { return !before[f.At] })
	for i, c := range cases {
		f := x.of(proxies[i])
		if slices.Contains(f.Said, "on") != c.heard {
			t.Errorf("%s: it said %s", c.name, f.Said)
		}
		most := 8 + int64(time.Since(opened)/time.Second) // Pauses of 0.2, 0.4, 0.8 … s are 1 to 2 s in the end.
		if c.pause > 0 {
			most = 1 + int64(time.Since(opened)/c.pause)
		}
		if n := proxies[i].streams.Load(); n > most {
			t.Errorf("%s: %d streams were asked for, want at most %d", c.name, n, most)
		}
		proxies[i].habit.Store(&habit{stream: passOn})
	}
	x.until("is live once streams pass", names, proxies, func(f frame) bool { return f.is("on") && strings.HasPrefix(f.Text, "Live") })
	for i, c := range cases {
		if f := x.of(proxies[i]); f.Loads != 1 || !strings.Contains(f.Title, "Acme") {
			t.Errorf("%s: the page was loaded %d times, and is %q", c.name, f.Loads, f.Title)
		}
	}
}

// TestBrowserKeepsThePageWhileTheServerIsAway begins where the first stream fails, as during a restart
// behind a proxy, which then answers everything with a page of its own.
func TestBrowserKeepsThePageWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", web.url, "")+service("api", web.url, ""))
	p.newest("api", func(record) bool { return true })
	front := newProxy(t, p.URL)
	away := &habit{stream: answers(502, "Bad Gateway", "Content-Type", "text/html"), page: 502}
	front.habit.Store(&habit{stream: away.stream})
	x := newTab(t)
	x.record()
	x.do(chromedp.Navigate(front.URL + "/?window=24h"))
	x.until(`window.htmx`)
	x.do(chromedp.Click("#w-1h"))
	x.until(`document.querySelector('#board').dataset.window === '1h'`)
	front.habit.Store(away)
	x.says("reconnecting")
	x.until(`document.querySelector('#live').textContent.startsWith('Reconnecting · last signal')`)

	// What is clicked meanwhile brings nothing, and takes nothing away.
	for _, link := range []string{"#w-24h", "#w-90d"} {
		pages := front.pages.Load()
		x.do(chromedp.Click(link))
		waitFor(t, "the click asks for a page", func() bool { return front.pages.Load() > pages })
	}
	pages := front.pages.Load()
	waitFor(t, "the page is asked for again", func() bool { return front.pages.Load() > pages+1 })
	if got := eval[string](x, `document.querySelector('#board').dataset.window + ', ' + document.querySelectorAll('.grid tbody tr').length + ' rows, ' + location.search`); !strings.HasPrefix(got, "1h, 2 rows, ") || strings.Contains(got, "90d") {
		t.Errorf("a click on another window has taken the grid away: %s", got)
	}
	x.same("the server is away")

	front.habit.Store(&habit{stream: passOn})
	x.says("on")
	web.answer(http.StatusServiceUnavailable)
	x.until(fmt.Sprintf(stateOf, "web", "down"))
	x.same("the server is back")
}

// TestBrowserRefreshesPlainly holds that a page no stream reaches leaves the visitor in peace: focus,
// search, scroll position and what is unfolded stay while its parts are replaced.
func TestBrowserRefreshesPlainly(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	var yaml strings.Builder
	yaml.WriteString("title: Acme\nservices:\n")
	for i := range 24 {
		yaml.WriteString(service(fmt.Sprintf("svc%02d", i), web.url, ""))
	}
	p := start(t, t.TempDir(), yaml.String())
	p.newest("svc23", func(record) bool { return true })
	front := newProxy(t, p.URL)
	front.habit.Store(&habit{stream: holdBody})
	x := newTab(t)
	x.record()
	x.do(chromedp.EmulateViewport(800, 500), chromedp.Navigate(front.URL+"/"))
	x.do(chromedp.SendKeys("#q", "svc0"))
	x.until(`document.querySelectorAll('.grid tbody tr').length === 10`)
	x.says("polling")
	const kept = `document.activeElement.id + ' ' + document.querySelector('#q').value + ' ' + scrollY + ' ' + document.querySelectorAll('.grid tbody tr').length`
	eval[bool](x, `(() => { scrollTo(0, 90); window.bannerBefore = document.querySelector('#banner'); return true })()`)
	before := eval[string](x, kept)
	web.answer(http.StatusServiceUnavailable)
	x.until(fmt.Sprintf(stateOf, "svc07", "down"))
	if after := eval[string](x, kept); after != before || !strings.HasPrefix(before, "q svc0 90 10") {
		t.Errorf("focus, search, scroll position and rows were %q and are %q", before, after)
	}
	x.until(`document.title.startsWith('24 of 24') || document.title.includes('down')`)

	// A cell keeps the focus though its row is another.
	x.enter("svc03")
	focused := eval[string](x, `document.activeElement.closest('tr').id + document.activeElement.getAttribute('href')`)
	web.answer(http.StatusOK)
	x.until(fmt.Sprintf(stateOf, "svc03", "up"))
	if got := eval[string](x, `(document.activeElement.closest('tr')?.id ?? '') + document.activeElement.getAttribute('href')`); got != focused {
		t.Errorf("the focus was on %s and is on %q", focused, got)
	}

	// The table of the chart stays unfolded, and its summary focused.
	x.do(chromedp.Navigate(front.URL + "/services/svc03"))
	x.says("polling")
	eval[bool](x, `(() => { const d = document.querySelector('.chart details'); d.open = true; d.querySelector('summary').focus(); window.chart = document.querySelector('.chart'); return true })()`)
	x.until(`document.querySelector('.chart') !== window.chart`)
	if !eval[bool](x, `document.querySelector('.chart details').open && document.activeElement.matches('.chart summary')`) {
		t.Error("the table of the chart was folded, or lost the focus")
	}
	x.do(chromedp.KeyEvent(kb.Tab))
	x.quiet()
}

// TestBrowserTabsBehindHoldNoStream opens many tabs behind another, as middle clicks do, over HTTP/1.1,
// where a browser has six connections to a server.
func TestBrowserTabsBehindHoldNoStream(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", web.url, ""))
	p.newest("web", func(record) bool { return true })
	front := newProxy(t, p.URL)
	x := newTab(t)
	x.do(chromedp.Navigate(front.URL + "/"))
	x.says("on")
	var behind []*tab
	for i := range 8 {
		background := true
		made, err := chromedp.CallBrowser(x.ctx, targets.CreateTarget, targets.CreateTargetParams{URL: front.URL + []string{"/", "/services/web", "/?view=tv"}[i%3], Background: &background})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := chromedp.NewContext(x.ctx, chromedp.WithTargetID(made.TargetID))
		t.Cleanup(cancel)
		behind = append(behind, &tab{t: t, ctx: ctx})
	}
	for _, y := range behind {
		y.until(`document.readyState === 'complete' && document.hidden`)
		y.says("paused")
	}
	if n := front.streams.Load(); n != 1 {
		t.Errorf("%d streams were asked for, want that of the tab in front", n)
	}
	// The one that is brought to the front catches up at once, and the one that was there lets go.
	y := behind[1]
	web.answer(http.StatusServiceUnavailable)
	x.until(fmt.Sprintf(stateOf, "web", "down"))
	if _, err := chromedp.CallBrowser(x.ctx, targets.ActivateTarget, targets.ActivateTargetParams{TargetID: chromedp.FromContext(y.ctx).Target.TargetID}); err != nil {
		t.Fatal(err)
	}
	y.says("on")
	y.until(fmt.Sprintf(stateOf, "web", "down"))
	x.says("paused")
}

// TestBrowserResumes loses the stream in all the ways a visitor's machine has, and is live again.
func TestBrowserResumes(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", newTarget(t).url, ""))
	p.newest("web", func(record) bool { return true })
	front := newProxy(t, p.URL)
	x := newTab(t)
	x.record()
	x.do(chromedp.Navigate(front.URL + "/"))
	x.says("on")

	for _, offline := range []bool{true, false} {
		if _, err := chromedp.Call(x.ctx, devtools.OverrideNetworkState, devtools.OverrideNetworkStateParams{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
			t.Fatal(err)
		}
		if offline {
			x.says("reconnecting")
		}
	}
	x.says("on")

	// A machine that slept, or a clock that was set.
	for _, by := range []string{"60e3", "-3600e3"} {
		eval[bool](x, `(() => { window.said.length = 0; const real = Date.now; Date.now = () => real() + `+by+`; return true })()`)
		if by == "60e3" {
			x.until(`said.includes('reconnecting')`)
		}
		x.says("on")
	}

	// Away by a link, and back: nothing of ours keeps the browser from having kept the page as it was.
	eval[bool](x, `window.kept = true`)
	x.do(chromedp.Navigate(front.URL + "/how"))
	eval[bool](x, `history.back() || true`)
	x.until(`window.kept === true`)
	x.says("on")
	x.until(`document.querySelector('#live').textContent.startsWith('Live')`)
}

// TestBrowserLoadsANewLayoutOnlyWhenItComes changes what the page is made of while a proxy has nothing
// but its own page to give.
func TestBrowserLoadsANewLayoutOnlyWhenItComes(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	yaml := "title: Acme\nservices:\n" + service("web", web.url, "")
	for name, stream := range map[string]func(http.ResponseWriter, *http.Request, func(io.Writer)){"on": passOn, "polling": holdBody} {
		p := start(t, t.TempDir(), yaml)
		p.newest("web", func(record) bool { return true })
		front := newProxy(t, p.URL)
		front.habit.Store(&habit{stream: stream})
		x := newTab(t)
		x.record()
		x.do(chromedp.Navigate(front.URL + "/"))
		x.says(name)
		front.habit.Store(&habit{stream: stream, page: 502})
		pages := front.pages.Load()
		p.replace(yaml + service("api", web.url, ""))
		waitFor(t, name+": asks for the page that is new", func() bool { return front.pages.Load() > pages+1 })
		x.same(name)
		front.habit.Store(&habit{stream: stream})
		x.until(`document.querySelector('#s-api') && sessionStorage.loads === '2'`)
		x.says(name)
	}
}
