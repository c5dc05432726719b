package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserEmbeds shows the banner and the frame on another site, under a strict policy.
func TestBrowserEmbeds(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", web.url, "")+service("api", newTarget(t).url, ""))
	p.newest("web", func(record) bool { return true })
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src %[1]s; connect-src %[1]s; frame-src %[1]s", p.URL))
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Shop</title><body><h1>Shop</h1><iframe title="Status" src="%s/embed?theme=dark"></iframe><script src="%s/embed.js"></script>`, p.URL, p.URL)
	}))
	t.Cleanup(other.Close)
	x := newTab(t)
	x.do(chromedp.Navigate(other.URL + "/"))
	x.until(`parseInt(document.querySelector('iframe').style.height) > 40`) // The frame has told its height.
	if eval[bool](x, `[...document.body.children].some(e => e.shadowRoot)`) {
		t.Error("the banner shows while everything is up")
	}
	web.answer(http.StatusServiceUnavailable)
	p.newest("web", func(r record) bool { return !r.Available })
	x.do(chromedp.Navigate(other.URL + "/"))
	const banner = `[...document.body.children].find(e => e.shadowRoot)?.shadowRoot`
	x.until(banner + `?.querySelector('a')?.textContent === '1 of 2 services is down'`)
	if got := eval[string](x, banner+`.querySelector('a').href`); got != p.URL+"/" {
		t.Errorf("the banner leads to %s", got)
	}
	eval[bool](x, banner+`.querySelector('button').click() || true`)
	x.until(`![...document.body.children].some(e => e.shadowRoot)`)
}

// TestBrowserFrameIsNeverReplaced keeps the frame for other sites fresh, but only with what is ours.
func TestBrowserFrameIsNeverReplaced(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", web.url, ""))
	p.newest("web", func(record) bool { return true })
	front := newProxy(t, p.URL)
	x := newTab(t)
	x.record()
	x.do(chromedp.Navigate(front.URL + "/embed"))
	x.until(`document.querySelector('main section').dataset.s === 'up'`)
	const look = `document.dispatchEvent(new Event('visibilitychange'))` // As when it is shown again.
	front.habit.Store(&habit{stream: passOn, page: http.StatusBadGateway})
	pages := front.pages.Load()
	eval[bool](x, look)
	waitFor(t, "the frame asks", func() bool { return front.pages.Load() > pages })
	web.answer(http.StatusServiceUnavailable)
	p.newest("web", func(r record) bool { return !r.Available })
	front.habit.Store(&habit{stream: passOn})
	x.until(look + ` && document.querySelector('main section').dataset.s === 'down'`)
	if loads := eval[int](x, `Number(sessionStorage.loads)`); loads != 1 {
		t.Errorf("the frame was loaded %d times", loads)
	}
}
