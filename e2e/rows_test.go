package e2e

import (
	"fmt"
	"math"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserOpensTheRowThatIsEntered goes over the page with pointer, keys and finger: the row where the
// visitor is has its cells, goes on being live with what is shown of a cell in place, and is a picture again
// once he has left.
func TestBrowserOpensTheRowThatIsEntered(t *testing.T) {
	t.Parallel()
	web, api := newTarget(t), newTarget(t)
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", web.url, "")+service("api", api.url, ""))
	p.newest("api", func(record) bool { return true })
	x := newTab(t)
	x.do(chromedp.EmulateViewport(1280, 560), chromedp.Navigate(p.URL+"/"))
	x.says("on")
	if n := eval[int](x, `document.querySelectorAll('.grid td[data-c]').length`); n != 0 {
		t.Errorf("%d cells are links before the visitor has entered a row", n)
	}
	const stops = `document.querySelectorAll('.grid td a[tabindex="0"]').length`
	const top = `document.querySelector('#s-api').getBoundingClientRect().top`
	before := eval[float64](x, top)
	over := func(selector string) {
		at := eval[[]float64](x, `(() => { const b = document.querySelector('`+selector+`').getBoundingClientRect(); return [b.left + b.width * .99, b.top + b.height / 2] })()`)
		x.do(chromedp.MouseEvent("mouseMoved", at[0], at[1]))
	}
	over("#s-web td.cells")
	x.until(`document.querySelectorAll('#s-web td[data-c]').length === 60`)
	x.until(`document.querySelector('#s-web td[data-c] a:hover')`)
	if after := eval[float64](x, top); after != before {
		t.Errorf("the row below moves from %v to %v when one is opened", before, after)
	}
	web.answer(http.StatusServiceUnavailable)
	x.until(fmt.Sprintf(stateOf, "web", "down"))
	x.until(`document.querySelectorAll('#s-web td[data-c]').length === 60 && document.querySelector('#s-web td[data-c^=x]')`)
	if moved := eval[float64](x, top) - before; math.Abs(moved) >= 1 {
		t.Errorf("news above the grid moves the rows by %v below the pointer", moved)
	}
	x.until(`getComputedStyle(document.querySelector('#s-web td[data-c] a:hover'), '::after').content.includes(':')`)
	over("#s-api td.cells")
	x.until(`document.querySelector('#s-api td[data-c]') && document.querySelector('#s-web td.cells svg.x') && !document.querySelector('#s-web td[data-c]')`)
	x.do(chromedp.MouseEvent("mouseMoved", 5, 5))
	x.until(`!document.querySelector('.grid [data-open]')`)
	if n := eval[int](x, stops); n != 1 {
		t.Errorf("the grid has %d tab stops after rows were open, want 1", n)
	}

	// Keys go from row to row in one column, and leave none open behind them.
	x.enter("web")
	x.do(chromedp.KeyEvent(kb.Home))
	first := eval[string](x, `document.activeElement.ariaLabel.slice(0, 5)`)
	x.do(chromedp.KeyEvent(kb.ArrowDown))
	x.until(`document.activeElement.matches('#s-api td[data-c] a') && !document.querySelector('#s-web td[data-c]')`)
	if got := eval[int](x, `[...document.querySelectorAll('#s-api td[data-c] a')].indexOf(document.activeElement)`); got > 1 {
		t.Errorf("down from the first cell (%s) leads to cell %d", first, got)
	}
	x.do(chromedp.KeyEvent(kb.Tab))
	x.until(`!document.querySelector('.grid [data-open]')`)
	if n := eval[int](x, stops); n != 1 {
		t.Errorf("the grid has %d tab stops once it was left, want 1", n)
	}
	x.quiet()
}

// TestBrowserTapTellsACellFirst taps as on a phone: the first tap opens the row and tells what is below the
// finger, the second opens that; where no cells come, the first leads to the service.
func TestBrowserTapTellsACellFirst(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", newTarget(t).url, ""))
	p.newest("web", func(record) bool { return true })
	front := newProxy(t, p.URL)
	x := newTab(t)
	if _, err := chromedp.Call(x.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	x.do(chromedp.EmulateViewport(390, 800), chromedp.Navigate(front.URL+"/?window=24h"))
	x.says("on")
	x.do(chromedp.Click("#s-web td.cells a"))
	x.until(`document.activeElement.matches('#s-web td[data-c] a')`)
	if n := eval[int](x, `[...document.querySelectorAll('#s-web td[data-c] a')].indexOf(document.activeElement)`); n < 10 || n > 13 {
		t.Errorf("a tap in the middle of the day tells of hour %d", n)
	}
	href := eval[string](x, `document.activeElement.pathname`)
	eval[bool](x, `document.activeElement.click() || true`)
	x.until(`location.pathname === '` + href + `'`)

	x.do(chromedp.Navigate(front.URL + "/"))
	x.says("on")
	front.habit.Store(&habit{stream: passOn, page: 502})
	x.do(chromedp.Click("#s-web td.cells a"))
	x.until(`location.pathname === '/services/web'`)
}
