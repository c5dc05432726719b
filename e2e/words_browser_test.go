package e2e

import (
	"net/http"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserShowsWhatIsWritten keeps the page and the page of an incident open while somebody writes: the words come, without a
// reload, and the region that screen readers speak changes once for each post. Both pages are accessible, in light and in dark.
func TestBrowserShowsWhatIsWritten(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	target := newTarget(t)
	p := start(t, t.TempDir(), "listen: 127.0.0.1:0\n"+wordsYAML+"services:\n"+service("web", target.url, "")+service("api", target.url, ""), "serve")
	write := func(method, path, body string) string {
		code, i, err := p.post(method, path, body)
		if err != nil || code >= http.StatusMultipleChoices {
			t.Fatalf("%d %v %v", code, i, err)
		}
		return i["id"].(string)
	}
	write(http.MethodPost, wordsPath, `{"incident":{"name":"New address","kind":"notice","body":"From May on."}}`)
	x := newTab(t)
	x.do(chromedp.Navigate(p.URL + "/"))
	x.until(`document.querySelector('#live').dataset.live === 'on'`)
	// What a screen reader is told: what is added to a live region.
	eval[bool](x, `window.spoken = []; new MutationObserver(all => all.forEach(m => m.addedNodes.forEach(n => n.textContent && spoken.push(n.textContent)))).observe(document.querySelector('[aria-live]'), {childList: true, subtree: true}); true`)
	id := write(http.MethodPost, wordsPath, `{"incident":{"name":"Login fails","body":"We **look**.","components":{"web":"partial_outage"}}}`)
	x.until(`document.querySelector('#going').textContent.includes('Login fails')`)
	x.until(`document.querySelector('#s-web').dataset.s === 'down' && document.title.includes('web is down') && document.querySelector('#icon').href.includes('down')`)
	write(http.MethodPatch, wordsPath+"/"+id, `{"incident":{"status":"identified","body":"A cable."}}`)
	x.until(`document.querySelector('#going .md').textContent.includes('A cable.')`)
	x.until(`spoken.length === 2 && spoken[0] === 'Login fails. Investigating: We look.' && spoken[1] === 'Login fails. Identified: A cable.'`)
	write(http.MethodPost, wordsPath, `{"incident":{"name":"Patches","component_ids":["api"],"schedule":{"start":"2020-01-01T03:00","minutes":30,"zone":"Europe/Berlin","rrule":"FREQ=DAILY"}}}`)
	x.until(`document.querySelector('#planned') && !document.querySelector('#planned').hidden`)
	for _, scheme := range []string{"light", "dark"} {
		x.colors(scheme)
		x.accessible("the page with words", scheme, string(axe))
	}
	x.do(chromedp.Navigate(p.URL + "/incidents/" + id))
	x.until(`document.querySelector('#live').dataset.live === 'on'`)
	write(http.MethodPatch, wordsPath+"/"+id, `{"incident":{"status":"resolved"}}`)
	x.until(`document.querySelector('#incident-title').textContent.includes('Resolved') && document.querySelectorAll('.timeline > li').length === 3`)
	for _, scheme := range []string{"light", "dark"} {
		x.colors(scheme)
		x.accessible("the page of an incident", scheme, string(axe))
	}
	x.do(chromedp.Navigate(p.URL + "/history"))
	x.accessible("the history with words", "dark", string(axe))
	x.quiet()
}
