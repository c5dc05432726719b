package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserBelowAPath looks at the page where it is one of several on a host, behind a proxy that takes the
// path off, and one that doesn't.
func TestBrowserBelowAPath(t *testing.T) {
	t.Parallel()
	for _, strip := range []bool{true, false} {
		web := newTarget(t)
		p := start(t, t.TempDir(), "title: Acme\nbase_url: https://example.org/status/\nservices:\n"+service("web", web.url, "")+service("api", newTarget(t).url, ""))
		p.newest("api", func(record) bool { return true })
		to, err := url.Parse(p.URL)
		if err != nil {
			t.Fatal(err)
		}
		forward := httputil.NewSingleHostReverseProxy(to)
		forward.FlushInterval = -1
		stray := make(chan string, 100)
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !strings.HasPrefix(r.URL.Path, "/status/"):
				if r.URL.Path != "/favicon.ico" { // Which the browser asks for where a page names none.
					stray <- r.URL.Path
				}
				http.NotFound(w, r)
			case strip:
				http.StripPrefix("/status", forward).ServeHTTP(w, r)
			default:
				forward.ServeHTTP(w, r)
			}
		}))
		t.Cleanup(proxy.Close)
		x := newTab(t)
		x.do(chromedp.Navigate(proxy.URL + "/status/"))
		x.until(`document.querySelector('#live').dataset.live === 'on'`)
		x.until(fmt.Sprintf(stateOf, "web", "up"))
		web.answer(http.StatusServiceUnavailable)
		x.until(fmt.Sprintf(stateOf, "web", "down"))
		x.until(`document.querySelector('#icon').href.includes('/status/static/icon-down')`)
		x.do(chromedp.Click(`#w-24h`))
		x.until(`document.querySelector('#board').dataset.window === '24h' && location.pathname === '/status/'`)
		x.until(`document.querySelector('#live').dataset.live === 'on'`)
		x.do(chromedp.Click(`#s-web th a`))
		x.until(`location.pathname === '/status/services/web' && document.querySelector('#live')?.dataset.live === 'on'`)
		x.do(chromedp.Click(`footer nav a[hreflang=de]`))
		x.until(`location.pathname === '/status/services/web' && document.documentElement.lang === 'de'`)
		x.do(chromedp.Click(`a.brand`)) // The choice is carried on, within the page.
		x.until(`location.pathname === '/status/' && document.documentElement.lang === 'de'`)
		x.do(chromedp.Navigate(proxy.URL + "/status/badges?of=web"))
		x.until(`document.querySelector('.shown img').complete && document.querySelector('.shown img').naturalWidth > 0`)
		x.do(chromedp.Navigate(proxy.URL + "/status/redoc"))
		x.until(`document.querySelector('.redoc-wrap h1')?.textContent.includes('statuspage')`)
		x.do(chromedp.Navigate(proxy.URL + "/status/embed"))
		x.until(`document.querySelector('.banner').dataset.s === 'down'`)
		eval[bool](x, `fetch(new URL('../status?format=json&code=200', document.querySelector('script').src)).then(r => r.json()).then(s => { window.said = s.state }) && true`)
		x.until(`window.said === 'down'`) // As embed-frame.js asks.
		if got := eval[string](x, `document.querySelector('.banner a').pathname`); got != "/status/" {
			t.Errorf("the frame leads to %s", got)
		}
		x.quiet()
		if n := len(stray); n > 0 {
			t.Errorf("%d requests left the page, such as %s (strip %t)", n, <-stray, strip)
		}
	}
}
