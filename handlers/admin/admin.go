// Package admin answers operators: sign-in, their own sessions, and who else may write. What acts is a POST that comes from our own
// pages; nothing is kept by any cache, and nothing needs a script.
package admin

import (
	"net/http"
	"net/url"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/handlers/visitor"
	"statuspage/internal/auth"
	"statuspage/internal/grant"
	"statuspage/internal/page"
	"statuspage/views"
	shown "statuspage/views/admin"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Root begins the addresses of the area.
const Root = "/admin"

// Options are what the area needs.
type Options struct {
	Auth      *auth.Auth // Nil: there is no area.
	Page      *page.Page
	Visitor   *visitor.Reader
	Limits    *gate.Limiter
	Now       func() time.Time
	Elsewhere bool // It has a listener of its own.
}

// Area is the operators' part of the site.
type Area struct {
	Options

	csrf *http.CrossOriginProtection
}

// New returns the area of a page.
func New(o Options) *Area {
	a := &Area{Options: o, csrf: http.NewCrossOriginProtection()}
	if u, err := url.Parse(o.Page.BaseURL); err == nil && u.Host != "" {
		// A proxy may have put another name into Host; what the configuration says is ours all the same.
		_ = a.csrf.AddTrustedOrigin(u.Scheme + "://" + u.Host) // An origin: the configuration is checked.
	}
	return a
}

// Posts tells whether a request may be a form of the area where the page is.
func (a *Area) Posts(h *fasthttp.RequestHeader) bool {
	return a != nil && !a.Elsewhere && a.posts(h)
}

func (a *Area) posts(h *fasthttp.RequestHeader) bool {
	return a.Auth != nil && h.IsPost() && strings.HasPrefix(string(h.RequestURI()), Root+"/")
}

// Routes adds the addresses of the area where the page is, unless it is elsewhere.
func (a *Area) Routes(r fiber.Router) {
	if !a.Elsewhere {
		a.OwnRoutes(r)
	}
}

// OwnRoutes adds them in any case: on the area's own listener.
func (a *Area) OwnRoutes(r fiber.Router) {
	r.Get(Root, a.Signed(grant.Viewer, func(v *Visit) error { return v.Go("/admin/account", "") }))
	r.Get("/admin/sign-in", a.open(a.signIn))
	r.Post("/admin/sign-in", a.open(a.signInNow))
	r.Get("/admin/invite/:secret", a.open(a.join))
	r.Post("/admin/invite/:secret", a.open(a.joinNow))
	a.accountRoutes(r)
	a.passkeyRoutes(r)
	a.operatorRoutes(r)
	a.tokenRoutes(r)
	r.Get("/admin/log", a.Signed(grant.Admin, a.audit))
}

// Visit is one request to the area, by whom and how they want to see it.
type Visit struct {
	*fiber.Ctx

	Who  auth.Operator // The zero operator before sign-in.
	From auth.From
	Look page.Preferences
	area *Area
}

// open answers while there is an area, and refuses what comes from the pages of others.
func (a *Area) open(do func(v *Visit) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		is, err := a.Auth.Open(c.UserContext())
		if err != nil {
			return err
		}
		if !is {
			return answer.NotFound("error.404")
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		// With no-referrer browsers say Origin: null of forms, and over plain http they say nothing else.
		c.Set(fiber.HeaderReferrerPolicy, "same-origin")
		c.Set("X-Robots-Tag", "noindex")
		if c.Method() == fiber.MethodPost && !a.ours(c) {
			return &answer.Problem{Code: http.StatusForbidden, Key: "error.origin"}
		}
		look, err := a.Visitor.WithoutWindow(c)
		if err != nil {
			return err
		}
		address, key := a.Limits.Who(c.Context())
		return do(&Visit{Ctx: c, From: auth.From{Key: key, Address: address.String(), Browser: c.Get(fiber.HeaderUserAgent)}, Look: look, area: a})
	}
}

// ours tells whether a browser says that one of our own pages asks. One that says nothing is none of these years.
func (a *Area) ours(c *fiber.Ctx) bool {
	site, origin := c.Get("Sec-Fetch-Site"), c.Get(fiber.HeaderOrigin)
	if site == "" && origin == "" {
		return false
	}
	h := http.Header{}
	h.Set("Sec-Fetch-Site", site)
	h.Set("Origin", origin)
	return a.csrf.Check(&http.Request{Method: c.Method(), Host: string(c.Context().Request.Header.Host()), Header: h, URL: &url.URL{Path: c.Path()}}) == nil
}

// Signed is a page of the area for who has signed in and has a role.
func (a *Area) Signed(role grant.Role, do func(v *Visit) error) fiber.Handler {
	return a.open(func(v *Visit) error {
		who, err := a.Auth.Who(v.UserContext(), secretOf(v.Ctx))
		if isNobody(err) {
			next := ""
			if v.Method() == fiber.MethodGet {
				next = v.Path()
			}
			return v.Go("/admin/sign-in", "", views.Pair{Name: "next", Value: next})
		}
		if err != nil {
			return err
		}
		if !who.Role.May(role) {
			return &answer.Problem{Code: http.StatusForbidden}
		}
		v.Who = who
		return do(v)
	})
}

// At is the address of a path of the area, with what the visitor prefers.
func (v *Visit) At(path string, more ...views.Pair) string {
	return page.Address(v.area.Page.Base.At(path), append(v.area.Page.Head(v.Look, path, "").Look, more...)...)
}

// Go sends the browser on with GET; done names what was done, for the page there.
func (v *Visit) Go(path, done string, more ...views.Pair) error {
	return v.Redirect(v.At(path, append(more, views.Pair{Name: "done", Value: done})...), http.StatusSeeOther)
}

// Field is what the form has, never the address.
func (v *Visit) Field(name string) string { return string(v.Context().PostArgs().Peek(name)) }

// tabs are the pages that lead on, for whom.
var tabs = []struct {
	path, key string
	role      grant.Role
}{
	{"/admin/account", "admin.nav.account", grant.Viewer},
	{"/admin/operators", "admin.nav.operators", grant.Admin},
	{"/admin/tokens", "admin.nav.tokens", grant.Admin},
	{"/admin/log", "admin.nav.audit", grant.Admin},
}

// Shell is what stands around a page of a title; here is its path, by which it is read in another language.
func (v *Visit) Shell(title, here string) shown.Shell {
	head := v.area.Page.Head(v.Look, here, title+" · "+v.area.Page.Title)
	head.Zone.Empty, head.Canonical = true, ""
	s := shown.Shell{Head: head, Who: v.Who.Name, SignOut: v.At("/admin/sign-out")}
	for _, t := range tabs {
		if v.Who.Role.May(t.role) {
			s.Tabs = append(s.Tabs, shown.Tab{Text: v.Look.Lang.T(t.key), Href: v.At(t.path), Current: here == t.path || strings.HasPrefix(here, t.path+"/")})
		}
	}
	if done := v.Query("done"); v.Method() == fiber.MethodGet && done != "" {
		s.Done = v.Look.Lang.T("admin.done." + done) // Empty for what there is no text for.
	}
	return s
}

// Show answers with a page.
func (v *Visit) Show(code int, c templ.Component) error {
	html, err := answer.Render(c)
	if err != nil {
		return err
	}
	v.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return v.Status(code).Send(html)
}

// time writes an instant; none is never.
func (v *Visit) time(t time.Time) string {
	if t.IsZero() {
		return v.Look.Lang.T("admin.never")
	}
	t = t.In(v.Look.Zone)
	return v.Look.Lang.ShortDate(t) + t.Format(" 2006 15:04")
}
