package e2e

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// overprints lists pairs of texts in a row that stand over each other.
const overprints = `(() => {
	const bad = [];
	for (const row of document.querySelectorAll('.grid tbody tr')) {
		const boxes = [...row.querySelectorAll('th, .state, .uptime, .latency')].map(e => {
			const range = document.createRange();
			range.selectNodeContents(e);
			const b = range.getBoundingClientRect(), own = e.getBoundingClientRect(), cut = getComputedStyle(e).overflow === 'hidden';
			return { name: e.className || 'name', left: cut ? own.left : b.left, right: cut ? Math.min(own.right, b.right) : b.right, top: b.top, bottom: b.bottom };
		});
		boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
			if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) bad.push(row.id + ': ' + a.name + ' and ' + b.name);
		}));
	}
	if (document.documentElement.scrollWidth > innerWidth) bad.push('the page is wider than the window');
	return bad.slice(0, 3).join('; ');
})()`

// TestBrowserNothingOverprints looks at rows with long words in every window, from the narrowest phone to a desk.
func TestBrowserNothingOverprints(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	web.answer(http.StatusServiceUnavailable)
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", web.url, "")+service("a-service-with-quite-a-long-name-for-a-row", newTarget(t).url, ""))
	p.newest("web", func(record) bool { return true })
	x := newTab(t)
	for _, window := range []string{"1h", "24h", "90d"} {
		for _, lang := range []string{"en", "de", "fr"} {
			x.do(chromedp.Navigate(p.URL + "/?window=" + window + "&lang=" + lang))
			for _, width := range []int64{320, 360, 390, 480, 640, 704, 706, 720, 768, 800, 832, 900, 928, 930, 1024, 1280, 1440} {
				x.do(chromedp.EmulateViewport(width, 900))
				if bad := eval[string](x, overprints); bad != "" {
					t.Errorf("%s, %s, %d px: %s", window, lang, width, bad)
				}
			}
		}
	}
}

var streams = regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`)

// TestBrowserPrintsStates prints the page, without backgrounds as browsers do, and looks for the colours of up and down.
func TestBrowserPrintsStates(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	web.answer(http.StatusServiceUnavailable)
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", web.url, "")+service("api", newTarget(t).url, ""))
	p.newest("web", func(record) bool { return true })
	p.newest("api", func(record) bool { return true })
	x := newTab(t)
	x.colors("dark") // Paper is white all the same.
	x.do(chromedp.Navigate(p.URL + "/"))
	x.until(`document.querySelector('#s-web').dataset.s === 'down' && document.querySelector('#s-api').dataset.s === 'up'`)
	pdf, err := chromedp.Call(x.ctx, page.PrintToPDF, page.PrintToPDFParams{})
	if err != nil {
		t.Fatal(err)
	}
	var drawn strings.Builder
	for _, m := range streams.FindAllSubmatch(pdf.Data, -1) {
		if r, err := zlib.NewReader(bytes.NewReader(m[1])); err == nil {
			_, _ = io.Copy(&drawn, r)
		}
	}
	for state, color := range map[string][3]float64{"up": {0x1f, 0x9d, 0x63}, "down": {0xd3, 0x31, 0x2f}} {
		fill := strings.ReplaceAll(fmt.Sprintf("%.4f %.4f %.4f ", color[0]/255, color[1]/255, color[2]/255), "0.", ".")
		if !strings.Contains(drawn.String(), fill+"rg") {
			t.Errorf("on paper nothing has the colour of %s, %srg", state, fill)
		}
	}
}
