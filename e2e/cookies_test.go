package e2e

import (
	"strings"
	"sync"
	"testing"

	devtools "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// TestBrowserGetsNoCookies uses all that remembers something: language, time zone, window, search, badges, errors.
// Neither an answer nor a script sets a cookie.
func TestBrowserGetsNoCookies(t *testing.T) {
	t.Parallel()
	web := newTarget(t)
	p := start(t, t.TempDir(), "services:\n"+service("web", web.url, "")+service("api", web.url, ""))
	p.newest("api", func(record) bool { return true })
	x := newTab(t)
	if _, err := chromedp.Call(x.ctx, devtools.Enable, devtools.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	answers, setting := 0, []string(nil)
	if err := chromedp.Listen(x.ctx, func(event any) {
		answer, is := event.(*devtools.EventResponseReceivedExtraInfo) // With the headers as they came.
		if !is {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		answers++
		for name, value := range answer.Headers {
			if text, _ := value.(string); strings.EqualFold(name, "Set-Cookie") {
				setting = append(setting, text)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	live := `document.querySelector('#live').dataset.live === 'on'`
	x.do(chromedp.Navigate(p.URL + "/"))
	x.until(live)
	x.do(chromedp.Click(`.prefer a[hreflang="de"]`))
	x.until(`document.documentElement.lang === 'de' && ` + live)
	eval[bool](x, `(() => { document.querySelector('#tz').value = 'Asia/Tokyo'; document.querySelector('.zone button').click(); return true })()`)
	x.until(`location.search.includes('tz=Asia') && document.querySelector('#tz').value === 'Asia/Tokyo' && ` + live)
	eval[bool](x, `document.querySelector('#w-24h').click() || true`)
	x.until(`document.querySelector('#board').dataset.window === '24h'`)
	for _, path := range []string{"/?q=web&state=up", "/?view=tv", "/services/web", "/history", "/badges", "/how", "/embed", "/nope", "/signals", "/badge/page.svg"} {
		x.do(chromedp.Navigate(p.URL + path))
		if cookies := eval[string](x, `document.cookie || ''`); cookies != "" {
			t.Errorf("%s has the cookies %s", path, cookies)
		}
	}
	if lang := eval[string](x, `localStorage.getItem('look')`); !strings.Contains(lang, "de") {
		t.Errorf("the choice is not kept: %s", lang)
	}
	jar, err := chromedp.Call(x.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(jar.Cookies) > 0 || len(setting) > 0 || answers < 20 {
		t.Errorf("%d cookies are kept, %q were set by %d answers", len(jar.Cookies), setting, answers)
	}
}
