package handlers

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"statuspage/internal/auth"
	"statuspage/internal/grant"
	"strings"
	"testing"
	"time"
)

// staff is a site with a control store, and a browser that keeps cookies.
type staff struct {
	*site
	store string
	auth  *auth.Auth
}

const goodPassword = "correct horse battery staple"

func newStaff(t *testing.T, change func(*Options)) *staff {
	t.Helper()
	s := &staff{store: "sqlite:///" + filepath.Join(t.TempDir(), "control.db")}
	s.auth = auth.New(auth.Options{Store: s.store, Log: slog.New(slog.DiscardHandler)})
	s.site = newSite(t, func(o *Options) {
		o.Auth = s.auth
		if change != nil {
			change(o)
		}
	})
	t.Cleanup(func() { _ = s.auth.Close() })
	s.fresh()
	return s
}

// fresh is a browser that has no cookies yet.
func (s *staff) fresh() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.http.Jar = jar
}

// invited is the path of an invite from the command line.
func (s *staff) invited(role grant.Role) string {
	s.t.Helper()
	d, err := auth.OpenDesk(s.t.Context(), s.store, time.Now)
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	secret, err := d.Invite(s.t.Context(), role)
	if err != nil {
		s.t.Fatal(err)
	}
	return "/admin/invite/" + secret
}

// send is a form as a browser sends it from our own page, unless headers say otherwise.
func (s *staff) send(path string, form url.Values, header ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Origin", s.url)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, string(body)
}

func person(name string) url.Values {
	return url.Values{"name": {name}, "password": {goodPassword}}
}

// joins makes an operator, who has signed in then.
func (s *staff) joins(name string, role grant.Role) {
	s.t.Helper()
	if res, body := s.send(s.invited(role), person(name)); res.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("%s does not join: %d %s", name, res.StatusCode, body)
	}
}

func (s *staff) want(what string, res *http.Response, code int) {
	s.t.Helper()
	if res.StatusCode != code {
		s.t.Errorf("%s: %d, want %d", what, res.StatusCode, code)
	}
}

// TestAreaIsNotThereUntilSomebodyIsInvited: then it is, without a restart.
func TestAreaIsNotThereUntilSomebodyIsInvited(t *testing.T) {
	t.Parallel()
	s := newStaff(t, nil)
	for _, path := range []string{"/admin", "/admin/sign-in", "/admin/account", "/admin/invite/spi_x", "/admin/operators"} {
		res, _ := s.get(path)
		s.want(path, res, http.StatusNotFound)
	}
	res, _ := s.send("/admin/sign-in", person("ana"))
	s.want("a form", res, http.StatusNotFound)
	invite := s.invited(grant.Admin)
	res, body := s.get(invite)
	if s.want("the invite", res, http.StatusOK); !strings.Contains(body, "Admin") {
		t.Errorf("the invite says no role:\n%s", body)
	}
	res, _ = s.get("/admin")
	if s.want("/admin", res, http.StatusSeeOther); res.Header.Get("Location") != "/admin/sign-in?next=%2Fadmin" {
		t.Errorf("/admin leads to %s", res.Header.Get("Location"))
	}
	res, _ = s.get("/admin/sign-in")
	s.want("sign-in", res, http.StatusOK)
	plain := newSite(t, nil)
	res, _ = plain.get("/admin")
	s.want("a site without operators", res, http.StatusNotFound)
	res, _ = plain.do(http.MethodPost, "/admin/sign-in")
	s.want("a form there", res, http.StatusMethodNotAllowed)
}

// TestOperatorsComeAndGo walks through all that an admin does, without a script.
func TestOperatorsComeAndGo(t *testing.T) {
	t.Parallel()
	s := newStaff(t, nil)
	s.joins("ana", grant.Admin)
	_, body := s.get("/admin/account")
	if !strings.Contains(body, "Signed in as ana") || !strings.Contains(body, "this one") {
		t.Fatalf("ana's account:\n%s", body)
	}
	_, body = s.send("/admin/invites", url.Values{"role": {"author"}})
	link := regexp.MustCompile(`<pre>(http://[^<]+)</pre>`).FindStringSubmatch(body)
	if link == nil || !strings.HasPrefix(link[1], s.url+"/admin/invite/spi_") {
		t.Fatalf("no link: %s", body)
	}
	_, body = s.get("/admin/operators")
	if strings.Contains(body, "spi_") || strings.Count(body, "/admin/invites/") != 1 {
		t.Errorf("the open invite is shown again, or not at all:\n%s", body)
	}
	ana := s.http.Jar
	s.fresh()
	invite := strings.TrimPrefix(link[1], s.url)
	res, body := s.send(invite, url.Values{"name": {"<b>bob"}, "password": {"short"}})
	if s.want("a short password", res, http.StatusUnprocessableEntity); !strings.Contains(body, `value="&lt;b&gt;bob"`) || !strings.Contains(body, "At least 12 characters.") || strings.Contains(body, `"short"`) {
		t.Errorf("what was typed:\n%s", body)
	}
	res, _ = s.send(invite, person("bob"))
	s.want("bob joins", res, http.StatusSeeOther)
	res, _ = s.send(invite, person("eve"))
	s.want("the invite again", res, http.StatusNotFound)
	for _, path := range []string{"/admin/operators", "/admin/tokens", "/admin/log"} {
		res, _ = s.get(path)
		s.want("an author at "+path, res, http.StatusForbidden)
	}
	for _, path := range []string{"/admin/invites", "/admin/tokens"} {
		res, _ = s.send(path, url.Values{"role": {"admin"}, "name": {"x"}, "scope": {"incidents:write"}})
		s.want("an author posts "+path, res, http.StatusForbidden)
	}
	bob := s.http.Jar
	s.http.Jar = ana
	_, body = s.get("/admin/operators")
	edit := regexp.MustCompile(`href="(/admin/operators/[a-z0-9]+)">[^<]*<span class="vh"> bob`).FindStringSubmatch(body)
	if edit == nil {
		t.Fatalf("no bob:\n%s", body)
	}
	res, _ = s.send(edit[1]+"/role", url.Values{"role": {"root"}})
	s.want("a role that is none", res, http.StatusUnprocessableEntity)
	res, _ = s.send(edit[1]+"/role", url.Values{"role": {"viewer"}})
	s.want("bob is a viewer", res, http.StatusSeeOther)
	res, _ = s.send(edit[1]+"/remove", nil)
	s.want("bob is removed", res, http.StatusSeeOther)
	res, _ = s.get(edit[1])
	s.want("bob's page", res, http.StatusNotFound)
	s.http.Jar = bob
	res, _ = s.get("/admin/account")
	s.want("bob's session", res, http.StatusSeeOther)
	s.http.Jar = ana
	me := regexp.MustCompile(`/admin/operators/[a-z0-9]+`).FindString(func() string { _, b := s.get("/admin/operators"); return b }())
	res, body = s.send(me+"/remove", nil)
	if s.want("the last admin", res, http.StatusConflict); !strings.Contains(body, "The last admin stays one.") {
		t.Errorf("the last admin is told:\n%s", body)
	}
	_, body = s.get("/admin/log")
	for _, act := range []string{"became an operator", "made an invite", "changed a role", "removed an operator", "somebody who has left"} {
		if !strings.Contains(body, act) {
			t.Errorf("the log lacks %q", act)
		}
	}
	if strings.Contains(body, "bob") {
		t.Error("who was removed is named in the log")
	}
	res, _ = s.get("/admin/log?before=x")
	s.want("a wrong cursor", res, http.StatusUnprocessableEntity)
	res, _ = s.send("/admin/sign-out", nil)
	s.want("sign-out", res, http.StatusSeeOther)
	res, _ = s.get("/admin/account")
	s.want("after it", res, http.StatusSeeOther)
	s.http.Jar = ana
	res, _ = s.get("/admin/account")
	s.want("after it, with the old cookie", res, http.StatusSeeOther)
}

// TestTokensAreShownOnce, count for their scopes, and end.
func TestTokensAreShownOnce(t *testing.T) {
	t.Parallel()
	s := newStaff(t, nil)
	s.joins("ana", grant.Admin)
	for name, form := range map[string]url.Values{
		"Choose at least one.": {"name": {"deploy <ci>"}, "lasts": {"30"}},
		"not a scope":          {"name": {"deploy <ci>"}, "scope": {"all"}},
		"Write a name.":        {"name": {" "}, "scope": {"incidents:write"}, "lasts": {"0"}},
	} {
		res, body := s.send("/admin/tokens", form)
		s.want(name, res, http.StatusUnprocessableEntity)
		if name != "not a scope" && !strings.Contains(body, name) || strings.Contains(body, "spt_") {
			t.Errorf("%s:\n%s", name, body)
		}
		if form.Get("name") != " " && !strings.Contains(body, `value="deploy &lt;ci&gt;"`) {
			t.Errorf("%s: what was typed is lost", name)
		}
	}
	_, body := s.send("/admin/tokens", url.Values{"name": {"deploy"}, "scope": {"incidents:write", "incidents:read"}, "lasts": {"30"}})
	token := regexp.MustCompile(`spt_[A-Za-z0-9_-]{43}`).FindString(body)
	if token == "" || strings.Contains(body, "checked") {
		t.Fatalf("no token, or a form that is filled in:\n%s", body)
	}
	for _, scope := range []grant.Scope{grant.ReadIncidents, grant.WriteIncidents} {
		if p, err := s.auth.Bearer(t.Context(), "OAuth "+token, scope, auth.From{}); err != nil || p.Name != "deploy" {
			t.Errorf("%s: %+v %v", scope, p, err)
		}
	}
	_, body = s.get("/admin/tokens")
	if strings.Contains(body, "spt_") || !strings.Contains(body, "incidents:read, incidents:write") {
		t.Errorf("shown again, or without its scopes:\n%s", body)
	}
	res, _ := s.send(regexp.MustCompile(`/admin/tokens/[a-z0-9]+/end`).FindString(body), nil)
	s.want("ended", res, http.StatusSeeOther)
	if _, err := s.auth.Bearer(t.Context(), "Bearer "+token, grant.ReadIncidents, auth.From{}); err == nil {
		t.Error("it counts after its end")
	}
}

// TestFormsComeFromOurOwnPages: what a browser says of others is refused, and so is who says nothing.
func TestFormsComeFromOurOwnPages(t *testing.T) {
	t.Parallel()
	s := newStaff(t, func(o *Options) { o.Page.BaseURL = "https://status.example" })
	s.joins("ana", grant.Admin)
	for _, c := range []struct {
		origin, site string
		want         int
	}{
		{s.url, "", http.StatusSeeOther},
		{"", "same-origin", http.StatusSeeOther},
		{"null", "same-origin", http.StatusSeeOther},
		{"https://status.example", "", http.StatusSeeOther}, // A proxy has put another name into Host.
		{"", "none", http.StatusSeeOther},
		{"", "", http.StatusForbidden},
		{"null", "", http.StatusForbidden},
		{"https://evil.example", "", http.StatusForbidden},
		{"https://evil.example", "cross-site", http.StatusForbidden},
		{"https://other.status.example", "same-site", http.StatusForbidden},
		{s.url + "1", "", http.StatusForbidden},
		{strings.Replace(s.url, "http:", "https:", 1) + ".evil.example", "", http.StatusForbidden},
	} {
		for _, path := range []string{"/admin/sign-in", "/admin/account/sessions/others/end", "/admin/invite/spi_x"} {
			want := c.want
			if want != http.StatusForbidden && path == "/admin/invite/spi_x" {
				want = http.StatusNotFound
			}
			res, body := s.send(path, person("ana"), "Origin", c.origin, "Sec-Fetch-Site", c.site)
			s.want("from "+c.origin+" "+c.site+" to "+path, res, want)
			if want == http.StatusForbidden && !strings.Contains(body, "not sent from our own page") {
				t.Errorf("what is said of it:\n%s", body)
			}
		}
	}
	// What reads acts on nothing.
	for _, path := range []string{"/admin/sign-out", "/admin/account/sessions/others/end", "/admin/invites"} {
		res, _ := s.get(path)
		if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, res.StatusCode)
		}
	}
	res, _ := s.get("/admin/account")
	s.want("still signed in", res, http.StatusOK)
}

// TestCookiesAreOfTheAreaAlone: bound to the host over https, sent to the area alone without; and nothing of the public site has to do with them.
func TestCookiesAreOfTheAreaAlone(t *testing.T) {
	t.Parallel()
	const attributes = "HttpOnly; "
	for _, c := range []struct {
		base, origin, proto, want, path string
	}{
		{"", "", "", "statuspage=", "path=/admin"},
		{"", "", "https", "__Host-statuspage=", "path=/"},
		{"https://status.example", "https://status.example", "", "__Host-statuspage=", "path=/"},
		{"http://status.lan/board", "", "", "statuspage=", "path=/board/admin"},
		{"https://status.example/board", "https://status.example", "", "__Host-statuspage=", "path=/"},
	} {
		s := newStaff(t, func(o *Options) {
			o.Page.BaseURL = c.base
			o.Limits.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		})
		origin := s.url
		if c.origin != "" {
			origin = c.origin
		}
		res, _ := s.send(s.invited(grant.Viewer), person("ana"), "Origin", origin, "X-Forwarded-Proto", c.proto)
		cookie := res.Header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, c.want) || !strings.Contains(cookie, c.path+";") || !strings.Contains(cookie, attributes) || !strings.Contains(cookie, "SameSite=Lax") ||
			strings.Contains(cookie, "secure") != strings.HasPrefix(c.want, "__Host-") || strings.Contains(cookie, "domain") {
			t.Errorf("%+v: %s", c, cookie)
		}
		if to := res.Header.Get("Location"); !strings.HasSuffix(to, "/admin") {
			t.Errorf("%+v leads to %s", c, to)
		}
	}
	s := newStaff(t, nil)
	s.joins("ana", grant.Admin)
	jar := s.http.Jar
	for _, path := range []string{"/", "/services/web", "/history", "/signals", "/badge/web.svg", "/nope", "/embed", "/status"} {
		s.fresh()
		without, bodyWithout := s.get(path)
		s.http.Jar = jar
		with, bodyWith := s.get(path, "Cookie", "statuspage=x; __Host-statuspage=y")
		for _, res := range []*http.Response{without, with} {
			if res.Header.Get("Set-Cookie") != "" || strings.Contains(strings.ToLower(res.Header.Get("Vary")), "cookie") {
				t.Errorf("%s: %v", path, res.Header)
			}
		}
		if path != "/" && bodyWith != bodyWithout || with.Header.Get("Cache-Control") != without.Header.Get("Cache-Control") {
			t.Errorf("%s is another with a cookie", path)
		}
	}
}

// TestNothingOfTheAreaIsKept: no cache, no frame, no other site, no search engine.
func TestNothingOfTheAreaIsKept(t *testing.T) {
	t.Parallel()
	s := newStaff(t, nil)
	invite := s.invited(grant.Admin)
	check := func(what string, res *http.Response) {
		t.Helper()
		h := res.Header
		if h.Get("Cache-Control") != "no-store" || h.Get("ETag") != "" || h.Get("Access-Control-Allow-Origin") != "" || h.Get("X-Frame-Options") != "DENY" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: %v", what, h)
		}
		if res.StatusCode < 400 && (h.Get("Referrer-Policy") != "same-origin" || h.Get("X-Robots-Tag") != "noindex") {
			t.Errorf("%s: %v", what, h)
		}
	}
	for _, path := range []string{"/admin", "/admin/sign-in", invite, "/admin/invite/spi_none"} {
		res, _ := s.get(path, "Origin", "http://localhost:3000")
		check(path, res)
	}
	res, _ := s.send(invite, url.Values{})
	check("a wrong form", res)
	s.joins("ana", grant.Admin)
	for _, path := range []string{"/admin", "/admin/account", "/admin/operators", "/admin/tokens", "/admin/log", "/admin/nope"} {
		res, body := s.get(path)
		check(path, res)
		if strings.Contains(body, "<style") || strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
			t.Errorf("%s has code in it", path)
		}
	}
	req := func(method string) int { res, _ := s.do(method, "/admin/account"); return res.StatusCode }
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
		if code := req(method); code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, code)
		}
	}
}

// TestSignInIsSlowed: with the words, the time and what was typed, and 429 for programs. Each try comes from an address of its own,
// since reading a password takes so much that one address would be kept from it for that alone.
func TestSignInIsSlowed(t *testing.T) {
	t.Parallel()
	s := newStaff(t, func(o *Options) { o.Limits.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	s.joins("ana", grant.Admin)
	s.fresh()
	wrong := url.Values{"name": {"ana"}, "password": {"wrong wrong wrong"}}
	for i := range 5 {
		res, body := s.send("/admin/sign-in", wrong, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
		if s.want("a wrong password", res, http.StatusUnprocessableEntity); !strings.Contains(body, "Name or password is wrong.") || !strings.Contains(body, `value="ana"`) || strings.Contains(body, "wrong wrong") {
			t.Errorf("a wrong password:\n%s", body)
		}
	}
	res, body := s.send("/admin/sign-in?lang=de", person("ana"), "X-Forwarded-For", "203.0.113.9")
	if s.want("the sixth", res, http.StatusTooManyRequests); res.Header.Get("Retry-After") == "" || !strings.Contains(body, "Zu viele Versuche") {
		t.Errorf("the sixth: %v\n%s", res.Header, body)
	}
	for range 5 {
		res, _ = s.get("/admin/invite/spi_guess", "X-Forwarded-For", "203.0.113.77")
		s.want("a guess", res, http.StatusNotFound)
	}
	res, _ = s.get("/admin/invite/spi_guess", "X-Forwarded-For", "203.0.113.77")
	s.want("one guess more", res, http.StatusTooManyRequests)
}

// TestSignInLeadsWhereOneWanted, within the area and nowhere else; what the address says is no field.
func TestSignInLeadsWhereOneWanted(t *testing.T) {
	t.Parallel()
	s := newStaff(t, nil)
	s.joins("ana", grant.Admin)
	for next, want := range map[string]string{
		"/admin/log": "/admin/log", "": "/admin", "//evil.example": "/admin", "/admin//evil": "/admin", "https://evil.example/admin": "/admin",
		"/administrator": "/admin", "/admin/../": "/admin/..", "/admin/log?x=1": "/admin", `/admin\evil`: "/admin", "/admin/\r\nX: y": "/admin",
	} {
		s.fresh()
		res, _ := s.send("/admin/sign-in?lang=de&next="+url.QueryEscape(next), person("ana"))
		if got := res.Header.Get("Location"); got != want+"?lang=de" && next != "/admin/../" || res.Header.Get("X") != "" {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
	s.fresh()
	res, _ := s.send("/admin/sign-in?"+person("ana").Encode(), nil)
	s.want("name and password in the address", res, http.StatusUnprocessableEntity)
}

// TestAreaHasAListener: there and nowhere else, with the files that its pages want, and without the page.
func TestAreaHasAListener(t *testing.T) {
	t.Parallel()
	s := newStaff(t, func(o *Options) { o.OwnAdmin, o.Page.BaseURL = true, "https://status.example/board" })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.server.ServeAdmin(ln) }()
	invite := s.invited(grant.Admin)
	res, _ := s.get(invite)
	s.want("where the page is", res, http.StatusNotFound)
	res, _ = s.send(invite, person("ana"))
	s.want("a form there", res, http.StatusMethodNotAllowed)
	public := s.url
	s.url = "http://" + ln.Addr().String()
	for _, base := range []string{"", "/board"} {
		res, body := s.get(base + invite)
		s.want("the invite", res, http.StatusOK)
		css := regexp.MustCompile(`href="(/board/static/admin\.[0-9a-f]+\.css)"`).FindStringSubmatch(body)
		if css == nil {
			t.Fatalf("no styles:\n%s", body)
		}
		res, _ = s.get(css[1])
		s.want("styles", res, http.StatusOK)
	}
	res, _ = s.send(invite, person("ana"))
	s.want("joining", res, http.StatusSeeOther)
	res, _ = s.get("/board/admin/account")
	s.want("the account", res, http.StatusOK)
	_, body := s.send("/board/admin/invites", url.Values{"role": {"viewer"}})
	if !strings.Contains(body, "<pre>"+s.url+"/board/admin/invite/spi_") {
		t.Errorf("the link leads elsewhere:\n%s", body)
	}
	for _, path := range []string{"/", "/signals", "/metrics", "/events"} {
		res, _ = s.get(path)
		s.want(path, res, http.StatusNotFound)
	}
	s.http.CloseIdleConnections()
	s.url = public
	if err := s.server.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestStoreThatIsAwayIsToldSo, and the page does not care.
func TestStoreThatIsAwayIsToldSo(t *testing.T) {
	t.Parallel()
	away := auth.New(auth.Options{Store: "postgres://nobody@127.0.0.1:1/x?sslmode=disable", Log: slog.New(slog.DiscardHandler)})
	s := newSite(t, func(o *Options) { o.Auth = away })
	for _, path := range []string{"/admin", "/admin/sign-in"} {
		res, body := s.get(path, "Accept", "text/html")
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || strings.Contains(body, "127.0.0.1") {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	if res, _ := s.get("/"); res.StatusCode != http.StatusOK {
		t.Errorf("the page: %d", res.StatusCode)
	}
}

// TestAreaSpeaksAllLanguages: no page of it lacks a text in any.
func TestAreaSpeaksAllLanguages(t *testing.T) {
	t.Parallel()
	s := newStaff(t, nil)
	s.joins("ana", grant.Admin)
	s.send("/admin/tokens", url.Values{"name": {"ci"}, "scope": {"incidents:write"}})
	s.send("/admin/invites", url.Values{"role": {"viewer"}})
	hollow := regexp.MustCompile(`<(h1|h2|th scope="col"|button|legend|b|label for="[a-z]+"|p)></|data-of=""|%!`)
	titles := map[string]bool{}
	for _, lang := range []string{"en", "de", "es", "fr", "ja", "pt"} {
		for _, path := range []string{"/admin/account", "/admin/operators", "/admin/tokens", "/admin/log", "/admin/sign-in?next=/x"} {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			_, body := s.get(path + sep + "lang=" + lang)
			if m := hollow.FindString(body); m != "" {
				t.Errorf("%s in %s has %s", path, lang, m)
			}
			if path == "/admin/log" {
				titles[regexp.MustCompile(`<h1>.*</h1>`).FindString(body)] = true
			}
		}
	}
	if len(titles) != 6 {
		t.Errorf("six languages have the titles %v", titles)
	}
}

// TestPasskeysAreWhereTheyCanBe: on a host with a name, over https or on this machine; what is no answer of a device lets nobody in, and another
// site's page can't even ask.
func TestPasskeysAreWhereTheyCanBe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base, host string
		want       bool
	}{
		{"", "", false}, // 127.0.0.1
		{"", "localhost:8000", true},
		{"", "status.example", false},
		{"https://status.example", "", true},
		{"https://status.example", "evil.example", true}, // The host is that of the configuration all the same.
		{"http://status.example", "status.example", false},
		{"https://192.0.2.7", "192.0.2.7", false},
		{"http://localhost:8000/board", "localhost:8000", true},
	} {
		s := newStaff(t, func(o *Options) { o.Page.BaseURL = c.base })
		s.invited(grant.Admin)
		ask := func(path, body string, header ...string) (int, string) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Host = c.host
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Sec-Fetch-Site", "same-origin")
			for i := 0; i+1 < len(header); i += 2 {
				req.Header.Set(header[i], header[i+1])
			}
			res, err := s.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return res.StatusCode, string(text)
		}
		code, body := ask("/admin/passkey/ask", "{}")
		if got := code == http.StatusOK; got != c.want || !got && code != http.StatusNotFound {
			t.Errorf("%+v: %d %s", c, code, body)
		}
		if !c.want {
			continue
		}
		host := "localhost"
		if strings.HasPrefix(c.base, "https:") {
			host = "status.example"
		}
		if !strings.Contains(body, `"rpId":"`+host+`"`) || !strings.Contains(body, `"userVerification":"required"`) || !strings.Contains(body, `"ticket":"`) {
			t.Errorf("%+v is asked %s", c, body)
		}
		ticket := regexp.MustCompile(`"ticket":"([^"]+)"`).FindStringSubmatch(body)[1]
		for sent, want := range map[string]int{
			"": http.StatusBadRequest, "[]": http.StatusBadRequest, `{"ticket":1}`: http.StatusBadRequest,
			`{}`: http.StatusUnprocessableEntity, `{"ticket":"` + ticket + `"}`: http.StatusUnprocessableEntity, `{"ticket":"` + ticket + `","response":{"id":"AA","type":"public-key"}}`: http.StatusUnprocessableEntity,
		} {
			if code, body := ask("/admin/passkey/answer", sent); code != want {
				t.Errorf("%q: %d %s, want %d", sent, code, body, want)
			}
		}
		if code, _ := ask("/admin/passkey/ask", "{}", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); code != http.StatusForbidden {
			t.Errorf("another site asks: %d", code)
		}
		if code, _ := ask("/admin/account/passkeys/ask", "{}"); code != http.StatusSeeOther {
			t.Errorf("who has not signed in makes one: %d", code)
		}
	}
}
