package e2e

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserTurnsGreyWithoutItsServer takes the server away from a page that says all is well: three heartbeats later
// it says so no more, but from when it is; and all is as before once the server is back.
func TestBrowserTurnsGreyWithoutItsServer(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", newTarget(t).url, ""))
	p.newest("web", func(record) bool { return true })
	front := newProxy(t, p.URL)
	var away atomic.Bool
	front.habit.Store(&habit{stream: func(w http.ResponseWriter, _ *http.Request, pass func(io.Writer)) {
		head(w)
		pass(writing(func(b []byte) (int, error) {
			if away.Load() {
				return 0, io.ErrClosedPipe
			}
			return atOnce(w).Write(b)
		}))
	}})
	x := newTab(t)
	x.do(chromedp.Navigate(front.URL + "/"))
	x.says("on")
	x.until(`document.querySelector('#banner').dataset.s === 'up'`)
	const height = `document.querySelector('#board').offsetHeight`
	before := eval[float64](x, height)
	gone := answers(502, "Bad Gateway", "Content-Type", "text/html")
	front.habit.Store(&habit{stream: gone, page: 502})
	away.Store(true)
	x.until(`document.querySelector('#banner').dataset.s === 'unknown' && document.querySelector('#banner h1').textContent === 'Connection lost'`)
	x.until(`/^What you see is from .*: The service is up$/.test(document.querySelector('#banner p').textContent)`)
	x.until(`document.querySelector('#live').textContent.startsWith('Reconnecting · last signal')`)
	if said := eval[string](x, `document.querySelector('#say').textContent`); said != "Connection lost" {
		t.Errorf("a screen reader is told %q", said)
	}
	if after := eval[float64](x, height); after != before {
		t.Errorf("the page was %v high, and is %v without its server", before, after)
	}
	front.habit.Store(&habit{stream: passOn})
	x.until(`document.querySelector('#banner').dataset.s === 'up' && document.querySelector('#banner h1').textContent === 'The service is up' && !document.documentElement.hasAttribute('data-lost')`)
}

// TestBrowserFollowsAnOutageToItsEnd goes from the banner, which names what is down, to the page of the outage, which
// tells its end without a reload.
func TestBrowserFollowsAnOutageToItsEnd(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", web.url, "")+service("api", newTarget(t).url, ""))
	x := newTab(t)
	x.do(chromedp.Navigate(p.URL + "/"))
	x.says("on")
	web.answer(http.StatusServiceUnavailable)
	x.until(fmt.Sprintf(stateOf, "web", "down"))
	x.until(`document.querySelectorAll('.news li').length === 1 && /^Webs?\s*.*HTTP 503.*since \d\d:\d\d/is.test(document.querySelector('.news li').textContent)`)
	x.until(`/^\S+ is down · Acme$/.test(document.title)`)
	eval[bool](x, `document.querySelector('.news a').click(), true`) // In one step: a frame may replace the link between two.
	x.until(`location.pathname.startsWith('/outages/web-')`)
	x.says("on")
	was := eval[string](x, `document.querySelector('h1').textContent`)
	x.until(`document.querySelector('h1').textContent !== ` + fmt.Sprintf("%q", was))
	web.answer(http.StatusOK)
	x.until(`document.querySelector('#detail').dataset.say.startsWith('Up again since') && document.querySelector('h1').textContent.includes('was down for')`)
	x.until(`document.querySelector('#say').textContent.startsWith('Up again since')`)
	x.quiet()
}
