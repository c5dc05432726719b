package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"statuspage/e2e/harness"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tab is a page in a real browser with what it complained about.
type tab struct {
	t        *testing.T
	ctx      context.Context
	mu       sync.Mutex
	messages []string
}

// newTab opens an empty tab in a browser of its own, with a fresh profile and more options.
func newTab(t *testing.T, more ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		harness.Missing(t, "Chromium", "install it: apt-get install chromium")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	alloc, stop := chromedp.NewExecAllocator(t.Context(), append(options, more...)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	x := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	console := chromedp.Console(ctx)
	go func() {
		for message, err := range console {
			if err != nil {
				return
			}
			x.mu.Lock()
			x.messages = append(x.messages, fmt.Sprint(message.Type, ": ", message.Text))
			x.mu.Unlock()
		}
	}()
	return x
}

func (x *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	x.t.Helper()
	if err := chromedp.Do(x.ctx, steps...); err != nil {
		x.t.Fatal(err)
	}
}

func eval[T any](x *tab, js string) T {
	x.t.Helper()
	v, err := chromedp.Run(x.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		x.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits for an expression to become true in the page.
func (x *tab) until(js string) {
	x.t.Helper()
	waitFor(x.t, js, func() bool {
		v, err := chromedp.Run(x.ctx, chromedp.Evaluate[bool]("Boolean("+js+")"))
		return err == nil && v
	})
}

// expected are complaints about what the tests themselves bring about: lost connections, the
// page that is not there, the logo that Redoc would fetch from elsewhere if it might, a form with a mistake in it, and a header that
// only counts over https on a host that is not this machine.
var expected = []string{"net::ERR_", "network error", "404 (Not Found)", "cdn.redoc.ly", "422 (Unprocessable Entity)", "Cross-Origin-Opener-Policy header has been ignored"}

// quiet fails when the page complained about anything else.
func (x *tab) quiet() {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, m := range x.messages {
		known := slices.ContainsFunc(expected, func(text string) bool { return strings.Contains(m, text) })
		if !known && (strings.HasPrefix(m, "error") || strings.HasPrefix(m, "exception") || strings.Contains(m, "Content Security Policy")) {
			x.t.Errorf("the console says %s", m)
		}
	}
}

// colors sets what the visitor prefers.
func (x *tab) colors(scheme string) {
	x.t.Helper()
	_, err := chromedp.Call(x.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *tab) screenshot(name string) {
	x.t.Helper()
	png, err := chromedp.Run(x.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		x.t.Fatal(err)
	}
	if err := os.MkdirAll("screenshots", 0o750); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("screenshots", name+".png"), png, 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// enter opens a row with the focus, as the keyboard does, which is on its newest cell then.
func (x *tab) enter(service string) {
	x.t.Helper()
	if _, err := chromedp.Call(x.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		x.t.Fatal(err)
	}
	eval[bool](x, `document.querySelector('#s-`+service+` td.cells a').focus() || true`)
	x.until(`document.activeElement.matches('#s-` + service + ` td[data-c]:last-child a')`)
}

const stateOf = `document.querySelector('#s-%s').dataset.s === '%s'`

func TestBrowserSeesEveryChange(t *testing.T) {
	t.Parallel()
	dir, web, api := t.TempDir(), newTarget(t), newTarget(t)
	yaml := "title: Acme\nservices:\n" + service("web", web.url, "") + service("api", api.url, "")
	p := start(t, dir, yaml)
	p.newest("api", func(record) bool { return true })
	x := newTab(t)
	x.do(chromedp.Navigate(p.URL + "/"))
	x.until(`document.querySelector('#live').textContent.startsWith('Live')`)
	eval[bool](x, `window.sameDocument = true`)
	x.until(fmt.Sprintf(stateOf, "web", "up"))

	// Focus a cell with the keyboard; it must survive that its row is replaced each second.
	x.enter("web")
	x.do(chromedp.KeyEvent(kb.ArrowLeft))
	focused := eval[string](x, `document.activeElement.ariaLabel.slice(0, 5)`)
	if shown := eval[string](x, `getComputedStyle(document.activeElement, '::after').content`); !strings.Contains(shown, focused) {
		t.Errorf("the details of a focused cell are not shown: %s", shown)
	}

	web.answer(http.StatusServiceUnavailable)
	x.until(fmt.Sprintf(stateOf, "web", "down"))
	x.until(`document.querySelector('#s-web .state').textContent === 'Down: HTTP 503'`)
	x.until(`document.querySelector('#banner h1').textContent === '1 of 2 services is down'`)
	x.until(`document.title.startsWith('web is down')`)
	x.until(`document.querySelector('#say').textContent.includes('web: Down')`)
	if got := eval[string](x, `document.activeElement.closest('tr')?.id + ' ' + document.activeElement.ariaLabel.slice(0, 5)`); got != "s-web "+focused {
		t.Errorf("focus moved to %q, want %q", got, "s-web "+focused)
	}

	// The process dies and comes back on the same address: right again without a reload.
	address := strings.TrimPrefix(p.URL, "http://")
	p.Kill()
	x.until(`document.querySelector('#live').dataset.live !== 'on'`)
	web.answer(http.StatusOK)
	start(t, dir, yaml, "serve", "--listen", address)
	x.until(fmt.Sprintf(stateOf, "web", "up"))
	x.until(`document.querySelector('#live').dataset.live === 'on'`)
	if !eval[bool](x, `window.sameDocument === true`) {
		t.Error("the page was reloaded")
	}
	x.quiet()
}

// TestBrowserLeavesADeadConnection makes the page believe that it has heard nothing for long.
func TestBrowserLeavesADeadConnection(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "services:\n  - {name: web, url: '"+web.url+"', interval: 1h}\n")
	x := newTab(t)
	x.record()
	x.do(chromedp.Navigate(p.URL + "/"))
	x.says("on")
	eval[bool](x, `(() => { const real = Date.now; Date.now = () => real() + 60e3; return true })()`)
	x.until(`said.join(' ').endsWith('on reconnecting on')`)
	x.quiet()
}

func TestBrowserServicePageIsLive(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "services:\n"+service("web", web.url, "")+service("other", web.url, ""))
	p.newest("web", func(record) bool { return true })
	x := newTab(t)
	x.do(chromedp.Navigate(p.URL + "/services/web"))
	x.until(`document.querySelector('#live').textContent.startsWith('Live')`)
	web.answer(http.StatusInternalServerError)
	x.until(`document.querySelector('#detail tr[data-s=down]')`)
	x.until(fmt.Sprintf(stateOf, "web", "down"))
	x.screenshot("service-1440-light")
	x.quiet()
}

func TestBrowserWithoutJavaScript(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "services:\n"+service("web", web.url, ""))
	p.wait("shows a signal", func() bool { _, page := p.get("/"); return strings.Contains(page, `<svg class="u"`) })
	x := newTab(t)
	if _, err := chromedp.Call(x.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	x.do(chromedp.Navigate(p.URL + "/"))
	if said := eval[string](x, `document.querySelector('#s-web td.cells a').ariaLabel`); !strings.HasPrefix(said, "Last hour: ") || !strings.Contains(said, " up") {
		t.Errorf("the picture of the cells says %q without JavaScript", said)
	}
	href := eval[string](x, `document.querySelector('#s-web td.cells a').href`)
	x.do(chromedp.Navigate(href))
	if !eval[bool](x, `[...document.querySelectorAll('#s-web td a')].some(a => /^[0-9]{2}:[0-9]{2} up/.test(a.ariaLabel))`) {
		t.Errorf("no cell at %s says what it stands for without JavaScript", href)
	}
	if n := eval[int](x, `document.querySelectorAll('noscript').length + document.querySelectorAll('meta[http-equiv=refresh]').length`); n == 0 {
		t.Error("the page does not refresh itself without JavaScript")
	}
}

func TestBrowserReference(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "title: Acme\n")
	x := newTab(t)
	for _, path := range []string{"/redoc", "/docs"} {
		x.do(chromedp.Navigate(p.URL + path))
		x.until(`document.querySelector('.redoc-wrap h1')?.textContent.includes('statuspage')`)
	}
	x.screenshot("redoc-light")
	x.quiet()
}

// TestBrowserPictures saves what a designer looks at, and holds that nothing is cut off.
func TestBrowserPictures(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "", "demo", "--listen", "127.0.0.1:0")
	p.wait("shows a failure and a success", func() bool {
		_, page := p.get("/")
		return strings.Contains(page, `<svg class="x"`) && strings.Contains(page, `<svg class="u"`) && !strings.Contains(page, `data-s="unknown"`)
	})
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	spans := "/services/reports-broken/"
	paths := []string{
		"/", "/?window=24h", "/?window=90d", "/?view=tv", "/?lang=ja", "/services/reports-broken", spans + now.Format("2006-01-02"), spans + now.Format("2006-01-02T15Z"),
		spans + now.Format("2006-01-02T15:04Z"), "/history", "/how", "/badges", "/nope",
	}
	for _, width := range []int64{320, 768, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(fmt.Sprintf("%d px, %s", width, scheme), func(t *testing.T) {
				t.Parallel()
				x := newTab(t)
				x.colors(scheme)
				for _, path := range paths {
					x.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(p.URL+path))
					if over := eval[int](x, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
						t.Errorf("%s at %d px is %d px too wide", path, width, over)
					}
					if width != 768 {
						x.accessible(path, scheme, string(axe))
					}
					name := strings.Trim(strings.NewReplacer("/", "-", "?", "", "=", "-", ":", "").Replace(path), "-")
					if name == "" {
						name = "page"
					}
					x.screenshot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
				}
				x.do(chromedp.Navigate(p.URL + "/"))
				x.enter("reports-broken")
				x.accessible("an open row", scheme, string(axe))
				x.screenshot(fmt.Sprintf("open-%d-%s", width, scheme))
				x.quiet()
			})
		}
	}
}

// accessible holds what axe-core finds against WCAG 2.2 AA to nothing.
func (x *tab) accessible(path, scheme, axe string) {
	x.t.Helper()
	eval[bool](x, axe+"; true")
	eval[bool](x, `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r => {
		window.axeFound = r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + ' ' + n.failureSummary).join(' | ')).join(' || ');
	}); true`)
	x.until(`window.axeFound !== undefined`)
	found := eval[string](x, `window.axeFound`)
	if found != "" {
		x.t.Errorf("axe-core on %s, %s: %s", path, scheme, found)
	}
}

func TestBrowserSwitchesWindowsWithoutAReload(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "services:\n"+service("web", web.url, "")+service("api", web.url, ""))
	p.newest("api", func(record) bool { return true })
	x := newTab(t)
	x.do(chromedp.Navigate(p.URL + "/"))
	x.until(`document.querySelector('#live').dataset.live === 'on'`)
	eval[bool](x, `window.sameDocument = true`)
	for _, w := range []struct{ href, name, cells string }{{"/?window=24h", "24h", "24"}, {"/?window=90d", "90d", "90"}} {
		eval[bool](x, `document.querySelector('.windows a[href="`+w.href+`"]').click() || true`)
		x.until(`document.querySelector('#board').dataset.window === '` + w.name + `' && location.search === '?window=` + w.name + `'`)
		x.until(`document.querySelector('#s-web td.cells svg').getAttribute('viewBox') === '0 0 ` + w.cells + ` 9'`)
	}
	x.enter("api")
	x.until(`document.querySelectorAll('#s-api td[data-c]').length === 90`)
	eval[bool](x, `document.activeElement.blur() || true`)
	web.answer(http.StatusServiceUnavailable) // The stream has changed with the window.
	x.until(fmt.Sprintf(stateOf, "web", "down"))
	x.until(`document.querySelector('#s-web td.cells svg.x') && document.querySelector('#live').dataset.live === 'on'`)
	x.until(`document.querySelector('#icon').getAttribute('href').includes('icon-down')`)

	// The arrow keys move in the whole grid, which is one tab stop.
	if n := eval[int](x, `document.querySelectorAll('.grid td a[tabindex="0"]').length`); n != 1 {
		t.Errorf("the grid has %d tab stops among its cells, want 1", n)
	}
	x.enter("web")
	x.do(chromedp.KeyEvent(kb.ArrowDown))
	x.until(`document.activeElement.matches('#s-api td[data-c] a')`)
	x.do(chromedp.KeyEvent(kb.Home))
	if got := eval[string](x, `document.activeElement.closest('tr').id + ' ' + [...document.activeElement.closest('tr').querySelectorAll('td[data-c] a')].indexOf(document.activeElement)`); got != "s-api 0" {
		t.Errorf("down and home lead to %s, want s-api 0", got)
	}
	if !eval[bool](x, `window.sameDocument === true`) {
		t.Error("the page was reloaded")
	}
	x.quiet()
}

func TestBrowserFiltersManyServices(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	var yaml strings.Builder
	yaml.WriteString("services:\n")
	for i := range 24 {
		yaml.WriteString(service(fmt.Sprintf("svc%02d", i), web.url, ""))
	}
	p := start(t, t.TempDir(), yaml.String())
	p.newest("svc23", func(record) bool { return true })
	x := newTab(t)
	x.do(chromedp.Navigate(p.URL + "/"))
	x.until(`document.querySelector('#live').dataset.live === 'on'`)
	eval[bool](x, `(() => { const q = document.querySelector('#q'); q.focus(); q.value = 'svc07'; q.dispatchEvent(new Event('input', {bubbles: true})); return true })()`)
	x.until(`document.querySelectorAll('.grid tbody tr').length === 1 && document.querySelector('#found').textContent === '1 service'`)
	x.until(`location.search.includes('q=svc07') && document.activeElement.id === 'q'`)
	web.answer(http.StatusServiceUnavailable)
	x.until(fmt.Sprintf(stateOf, "svc07", "down"))

	// Typing and then choosing a window, both as a person does: the search stays.
	x.do(chromedp.SendKeys("#q", kb.Backspace+"8"))
	x.until(`document.querySelector('#s-svc08') && location.search.includes('q=svc08')`)
	x.do(chromedp.Click("#w-24h"))
	x.until(`document.querySelector('#board').dataset.window === '24h' && location.search.includes('window=24h') && location.search.includes('q=svc08')`)
	eval[bool](x, `document.querySelector('#w-90d').focus() || true`)
	x.do(chromedp.KeyEvent(kb.Enter))
	x.until(`document.querySelector('#board').dataset.window === '90d' && document.activeElement.id === 'w-90d'`)
	x.quiet()
}

func TestBrowserLongNamesFitAPhone(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	web.answer(http.StatusServiceUnavailable)
	p := start(t, t.TempDir(), "services:\n"+strings.Replace(service("web", web.url, ""), "name: web", "name: "+strings.Repeat("Unbreakable", 6), 1))
	p.newest("web", func(record) bool { return true })
	x := newTab(t)
	for _, path := range []string{"/", "/?window=90d", "/services/web", "/history", "/embed", "/badges", "/services/web/" + time.Now().UTC().Format("2006-01-02")} {
		x.do(chromedp.EmulateViewport(320, 800), chromedp.Navigate(p.URL+path))
		if over := eval[int](x, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%s is %d px too wide", path, over)
		}
	}
	x.quiet()
}
