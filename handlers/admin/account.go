package admin

import (
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/grant"
	shown "statuspage/views/admin"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const accountPath = "/admin/account"

func (a *Area) accountRoutes(r fiber.Router) {
	r.Post("/admin/sign-out", a.Signed(grant.Viewer, func(v *Visit) error {
		if err := a.Auth.SignOut(v.UserContext(), v.Who, v.From); err != nil && !isNobody(err) {
			return err
		}
		v.forget()
		return v.Go("/admin/sign-in", "signed_out")
	}))
	r.Get(accountPath, a.Signed(grant.Viewer, func(v *Visit) error { return v.showAccount(nil) }))
	r.Post("/admin/account/password", a.Signed(grant.Viewer, func(v *Visit) error {
		if err := a.Auth.SetPassword(v.UserContext(), v.Who, v.Field("old"), v.Field("password"), v.From); err != nil {
			return v.showAccount(err)
		}
		return v.Go(accountPath, "password")
	}))
	r.Post("/admin/account/sessions/others/end", a.Signed(grant.Viewer, func(v *Visit) error {
		if err := a.Auth.EndOtherSessions(v.UserContext(), v.Who, v.From); err != nil {
			return err
		}
		return v.Go(accountPath, "ended")
	}))
	r.Post("/admin/account/sessions/:id/end", a.Signed(grant.Viewer, func(v *Visit) error {
		if err := a.Auth.EndSession(v.UserContext(), v.Who, answer.Param(v.Ctx, "id"), v.From); err != nil && !isNobody(err) { // It has ended.
			return err
		}
		return v.Go(accountPath, "ended")
	}))
}

// showAccount is one's own page, with what was wrong with another password.
func (v *Visit) showAccount(err error) error {
	l := v.Look.Lang
	sessions, errSessions := v.area.Auth.Sessions(v.UserContext(), v.Who)
	if errSessions != nil {
		return errSessions
	}
	passkeys, errPasskeys := v.passkeys()
	if errPasskeys != nil {
		return errPasskeys
	}
	p := shown.Account{
		Passkeys:  passkeys,
		EndOthers: v.At("/admin/account/sessions/others/end"),
		Password: shown.Form{
			Action: v.At("/admin/account/password"), Title: l.T("admin.password.change"), Text: l.T("admin.password.text"), Button: l.T("admin.password.change"),
			Fields: []shown.Field{
				{Name: "old", Label: l.T("admin.password.old"), Type: "password", Auto: "current-password"},
				{Name: "password", Label: l.T("admin.password.new"), Type: "password", Auto: "new-password", Hint: l.T("admin.password.hint")},
			},
		},
	}
	for _, one := range sessions {
		p.Sessions = append(p.Sessions, shown.Session{
			Browser: browser(one.Browser), Address: one.Address, Since: v.time(one.Created), Used: v.time(one.Seen),
			End: v.At("/admin/account/sessions/" + one.ID + "/end"), This: one.ID == v.Who.Session,
		})
	}
	s, code := v.Shell(l.T("admin.nav.account"), accountPath), http.StatusOK
	if err != nil {
		code, s.Wrong = v.wrong(err)
		if v.inField(p.Password.Fields, err) {
			code = http.StatusUnprocessableEntity
		}
	}
	if code == 0 {
		return err
	}
	return v.Show(code, shown.AccountPage(s, p))
}

// browsers and systems are told by the first word that is found; later ones claim to be earlier ones.
var (
	browsers = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systems  = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}}
)

// browser is what people call what a browser calls itself.
func browser(agent string) string {
	find := func(in [][2]string) string {
		for _, one := range in {
			if strings.Contains(agent, one[0]) {
				return one[1]
			}
		}
		return ""
	}
	name, system := find(browsers), find(systems)
	switch {
	case name == "":
		return strings.ToValidUTF8(agent[:min(len(agent), 40)], "")
	case system == "":
		return name
	}
	return name + ", " + system
}
