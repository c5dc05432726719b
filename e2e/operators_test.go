package e2e

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// command runs the binary in dir to its end, and returns the last line that it prints.
func command(t *testing.T, dir string, args ...string) string {
	t.Helper()
	path, err := harness.Binary()
	harness.Must(t, err)
	c := exec.CommandContext(t.Context(), path, args...)
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// fill types into fields of a form and sends it, as a person does.
func (x *tab) fill(form string, fields ...string) {
	x.t.Helper()
	for i := 0; i+1 < len(fields); i += 2 {
		x.do(chromedp.SendKeys("#"+fields[i], fields[i+1]))
	}
	x.do(chromedp.Click(form + " button.main"))
}

// TestOperatorsWorkInABrowser: from the command line's link to a token and out again, in a browser, by names on plain http, where browsers
// say Origin and no Sec-Fetch-Site. Each page is right for axe-core, in both themes and on a phone, and fits it.
func TestOperatorsWorkInABrowser(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	dir, web := t.TempDir(), newTarget(t)
	p := start(t, dir, "title: Acme\nservices:\n"+service("web", web.url, ""))
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	x := newTab(t, chromedp.Flag("host-resolver-rules", "MAP status.lan 127.0.0.1"))
	site := "http://status.lan:" + u.Port()
	shows := func(what string) {
		t.Helper()
		x.until(fmt.Sprintf("document.readyState === 'complete' && document.body.textContent.includes(%q)", what))
	}
	link, err := url.Parse(command(t, dir, "admin", "invite"))
	if err != nil {
		t.Fatal(err)
	}
	x.do(chromedp.Navigate(site + link.Path))
	shows("You are invited to the role Admin")
	x.fill("main", "name", "ana", "password", "correct horse battery staple")
	shows("Signed in as ana")
	if path := eval[string](x, `location.pathname`); path != "/admin/account" {
		t.Errorf("joining leads to %s", path)
	}
	x.do(chromedp.Navigate(site + "/admin/tokens"))
	x.do(chromedp.Click(`input[value="incidents:write"]`))
	x.fill("main form:last-of-type", "name", "deploy")
	shows("Keep this token now")
	x.do(chromedp.Navigate(site + "/admin/operators"))
	x.do(chromedp.Click(`button.main`))
	shows("Give this link to one person.")
	edit := eval[string](x, `document.querySelector('.acts a').pathname`)
	jar, err := chromedp.Call(x.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		t.Fatal(err)
	}
	if len(jar.Cookies) != 1 || !jar.Cookies[0].HTTPOnly || jar.Cookies[0].Path != "/admin" {
		t.Errorf("cookies %+v", jar.Cookies)
	}
	for _, scheme := range []string{"light", "dark"} {
		x.colors(scheme)
		for _, width := range []int64{1200, 360} {
			if _, err := chromedp.Call(x.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1}); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/admin/account", "/admin/operators", edit, "/admin/tokens", "/admin/log"} {
				x.do(chromedp.Navigate(site + path))
				x.accessible(path, fmt.Sprint(scheme, width), string(axe))
				if wide := eval[int](x, `document.documentElement.scrollWidth`); wide > int(width) {
					t.Errorf("%s is %d wide on a screen of %d", path, wide, width)
				}
				x.screenshot(strings.Join([]string{"admin", filepath.Base(path), scheme, strconv.FormatInt(width, 10)}, "-"))
			}
		}
	}
	x.do(chromedp.Navigate(site + "/admin/account"))
	x.do(chromedp.Click(`.prefer a[hreflang="de"]`))
	shows("Angemeldet als ana")
	x.do(chromedp.Click(`.who button`))
	shows("Sie sind abgemeldet.")
	x.accessible("/admin/sign-in", "dark", string(axe))
	x.screenshot("admin-sign-in")
	x.fill("main", "name", "ana", "password", "wrong wrong wrong")
	shows("Name oder Passwort ist falsch.")
	x.accessible("/admin/sign-in, wrong", "dark", string(axe))
	x.screenshot("admin-sign-in-wrong")
	x.fill("main", "password", "correct horse battery staple")
	shows("Angemeldet als ana")
	x.quiet()
}

// TestOperatorsOfSeveralProcesses: with PostgreSQL who signs in at one is in at the other, and out at both; while it is away the area says so,
// and the pages go on.
func TestOperatorsOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	shared := harness.LaunchPostgres(t)
	web := newTarget(t)
	yaml := "control: " + shared.URL("postgres") + "\nservices:\n" + service("web", web.url, "")
	dir := t.TempDir()
	one, two := start(t, dir, yaml), start(t, t.TempDir(), yaml)
	if strings.Contains(command(t, dir, "config", "print"), "statuspage@") {
		t.Error("config print shows who asks the control store")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(p *product, path string, form url.Values) int {
		t.Helper()
		method := http.MethodGet
		if form != nil {
			method = http.MethodPost
		}
		req, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", p.URL)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	link, err := url.Parse(command(t, dir, "admin", "invite", "--role", "admin"))
	if err != nil {
		t.Fatal(err)
	}
	if code := ask(two, link.Path, url.Values{"name": {"ana"}, "password": {"correct horse battery staple"}}); code != http.StatusSeeOther {
		t.Fatalf("joining at the second: %d", code)
	}
	const account = "/admin/account"
	for _, p := range []*product{one, two} { // Ports share cookies.
		if code := ask(p, account, nil); code != http.StatusOK {
			t.Errorf("signed in: %d", code)
		}
	}
	shared.Kill()
	for _, p := range []*product{one, two} {
		if code, page := ask(p, account, nil), ask(p, "/", nil); code != http.StatusServiceUnavailable || page != http.StatusOK {
			t.Errorf("without the store: %d, the page %d", code, page)
		}
	}
	harness.Must(t, shared.Start(t.Context()))
	waitFor(t, "the store is back", func() bool { return ask(one, account, nil) == http.StatusOK && ask(two, account, nil) == http.StatusOK })
	if code := ask(one, "/admin/sign-out", url.Values{}); code != http.StatusSeeOther {
		t.Errorf("sign-out: %d", code)
	}
	if code := ask(two, account, nil); code != http.StatusSeeOther {
		t.Errorf("at the other after it: %d", code)
	}
}

// TestPasskeyInABrowser: made on the account's page and used at sign-in with Chromium's own authenticator; one that was ended, and one whose
// owner is not there, let nobody in.
func TestPasskeyInABrowser(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	dir, web := t.TempDir(), newTarget(t)
	p := start(t, dir, "services:\n"+service("web", web.url, ""))
	site := strings.Replace(p.URL, "127.0.0.1", "localhost", 1)
	x := newTab(t)
	if _, err := chromedp.Call(x.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	device, err := chromedp.Call(x.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
		IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	shows := func(what string) {
		t.Helper()
		x.until(fmt.Sprintf("document.readyState === 'complete' && document.body.innerText.includes(%q)", what))
	}
	link, err := url.Parse(command(t, dir, "admin", "invite"))
	if err != nil {
		t.Fatal(err)
	}
	x.do(chromedp.Navigate(site + link.Path))
	shows("You are invited")
	x.fill("main", "name", "ana", "password", "correct horse battery staple")
	shows("Add a passkey")
	const button = `[data-passkey] button`
	x.do(chromedp.Click(button))
	shows("The passkey is added.")
	x.accessible("/admin/account with a passkey", "light", string(axe))
	x.screenshot("admin-account-passkey")
	x.do(chromedp.Click(button)) // The device has one for this account.
	shows("That did not work.")
	x.do(chromedp.Click(`.who button`))
	shows("You are signed out.")
	x.do(chromedp.Navigate(site + "/admin/log"))
	shows("Sign in with a passkey")
	x.accessible("/admin/sign-in with a passkey", "light", string(axe))
	x.screenshot("admin-sign-in-passkey")
	x.do(chromedp.Click(button))
	shows("added a passkey")
	if path := eval[string](x, `location.pathname`); path != "/admin/log" {
		t.Errorf("sign-in leads to %s", path)
	}
	if _, err := chromedp.Call(x.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device.AuthenticatorID}); err != nil {
		t.Fatal(err)
	}
	x.do(chromedp.Click(`.who button`))
	shows("You are signed out.")
	x.do(chromedp.Click(button)) // Somebody else has the device.
	shows("That did not work.")
	if _, err := chromedp.Call(x.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device.AuthenticatorID, IsUserVerified: true}); err != nil {
		t.Fatal(err)
	}
	x.do(chromedp.Click(button))
	shows("Signed in as ana")
	x.do(chromedp.Click(`form[action*="/passkeys/"] button`))
	shows("Ended.")
	x.do(chromedp.Click(`.who button`))
	shows("You are signed out.")
	x.do(chromedp.Click(button))
	shows("That did not work.")
	x.quiet()
}
