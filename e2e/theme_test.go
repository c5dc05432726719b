package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserKeepsTheTheme chooses dark on one page and finds it on the next, before that is painted; and copies a
// snippet, also where a page swaps the snippets.
func TestBrowserKeepsTheTheme(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "title: Acme\nservices:\n"+service("web", newTarget(t).url, ""))
	x := newTab(t)
	x.colors("light")
	x.do(chromedp.Navigate(p.URL + "/how"))
	const scheme = `getComputedStyle(document.documentElement).colorScheme`
	if got := eval[string](x, scheme); got != "light dark" {
		t.Errorf("without a choice the page is %q", got)
	}
	x.do(chromedp.Click(`.theme button[value="dark"]`))
	x.until(scheme + ` === 'dark' && document.querySelector('.theme button[value="dark"]').ariaPressed === 'true'`)
	x.do(chromedp.Navigate(p.URL + "/badges"))
	x.until(scheme + ` === 'dark'`)
	x.until(`window.htmx`)
	was := eval[string](x, `document.querySelector('#preview code').textContent`)
	x.do(chromedp.SendKeys("#label", "ours"))
	x.until(`document.querySelector('#preview code').textContent.includes('ours')`)
	x.do(chromedp.Click("#preview .copy"))
	x.until(`document.querySelector('#say').textContent === 'Copied'`)
	x.do(chromedp.Click(`.theme button[value=""]`))
	x.until(scheme + ` === 'light dark'`)
	if was == "" {
		t.Error("the page came without a snippet")
	}
	x.quiet()
}
