package admin

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"statuspage/handlers/answer"
	"statuspage/internal/auth"
	"statuspage/views"
	shown "statuspage/views/admin"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
)

const nextParam = "next"

// within is the form of an address of the area that sign-in may lead to.
var within = regexp.MustCompile(`^/admin(?:/[A-Za-z0-9._~-]+)*$`)

// next is where sign-in leads to.
func (v *Visit) next() string {
	if next := v.Query(nextParam); within.MatchString(next) {
		return next
	}
	return Root
}

func (a *Area) signIn(v *Visit) error {
	if _, err := a.Auth.Who(v.UserContext(), secretOf(v.Ctx)); err == nil {
		return v.Go(v.next(), "")
	}
	return v.showSignIn(http.StatusOK, "")
}

func (v *Visit) showSignIn(code int, wrong string) error {
	l := v.Look.Lang
	s := v.Shell(l.T("admin.signin"), "/admin/sign-in")
	s.Wrong = wrong
	name := v.Field("name")
	return v.Show(code, shown.Door(s, shown.Form{
		Passkey: v.door(),
		Action:  v.At("/admin/sign-in", views.Pair{Name: nextParam, Value: v.Query(nextParam)}), Title: l.T("admin.signin"), Button: l.T("admin.signin"),
		Fields: []shown.Field{
			{Name: "name", Label: l.T("admin.name"), Type: "text", Auto: "username", Value: name, Focus: name == ""},
			{Name: "password", Label: l.T("admin.password"), Type: "password", Auto: "current-password", Focus: name != ""},
		},
	}))
}

func (a *Area) signInNow(v *Visit) error {
	secret, err := a.Auth.SignIn(v.UserContext(), v.Field("name"), v.Field("password"), v.From)
	if code, wrong := v.wrong(err); code != 0 {
		return v.showSignIn(code, wrong)
	}
	if err != nil {
		return err
	}
	v.keep(secret)
	return v.Go(v.next(), "")
}

// wrong is what a form says of an error that is not ours, and with which status; 0 for another.
func (v *Visit) wrong(err error) (code int, text string) {
	if locked, is := errors.AsType[*auth.LockedError](err); is {
		wait := max(time.Second, locked.Wait.Round(time.Second))
		v.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(wait/time.Second)))
		return http.StatusTooManyRequests, v.Look.Lang.T("admin.error.locked", v.Look.Lang.Duration(wait))
	}
	switch {
	case errors.Is(err, auth.ErrWrong):
		return http.StatusUnprocessableEntity, v.Look.Lang.T("admin.error.wrong")
	case errors.Is(err, auth.ErrLastAdmin):
		return http.StatusConflict, v.Look.Lang.T("admin.error.last")
	}
	return 0, ""
}

// inField puts what is wrong with a field beside it, and tells whether there is such a field.
func (v *Visit) inField(fields []shown.Field, err error) bool {
	f, is := errors.AsType[*auth.FieldError](err)
	for i := range fields {
		fields[i].Focus = is && fields[i].Name == f.Field
		if fields[i].Focus {
			fields[i].Wrong = v.Look.Lang.T(f.Key)
		}
	}
	return is
}

func (a *Area) join(v *Visit) error {
	role, err := a.Auth.Invitation(v.UserContext(), answer.Param(v.Ctx, "secret"), v.From)
	return v.showJoin(string(role), err)
}

// showJoin is the form of an invite, with what was wrong with it.
func (v *Visit) showJoin(role string, err error) error {
	l := v.Look.Lang
	here := "/admin/invite/" + url.PathEscape(answer.Param(v.Ctx, "secret"))
	s := v.Shell(l.T("admin.join"), here)
	code, wrong := v.wrong(err)
	switch {
	case isNobody(err):
		return v.Show(http.StatusNotFound, shown.Door(s, shown.Form{Title: l.T("error.title.404"), Text: l.T("admin.join.gone")}))
	case code != 0:
		s.Wrong = wrong
		return v.Show(code, shown.Door(s, shown.Form{Title: l.T("admin.join")}))
	}
	f := shown.Form{
		Action: v.At(here), Title: l.T("admin.join"), Text: l.T("admin.join.text", l.T("admin.role."+role)), Button: l.T("admin.join.do"),
		Fields: []shown.Field{
			{Name: "name", Label: l.T("admin.name"), Type: "text", Auto: "username", Value: v.Field("name"), Focus: true},
			{Name: "password", Label: l.T("admin.password"), Type: "password", Auto: "new-password", Hint: l.T("admin.password.hint")},
		},
	}
	if err == nil {
		return v.Show(http.StatusOK, shown.Door(s, f))
	}
	if !v.inField(f.Fields, err) {
		return err
	}
	return v.Show(http.StatusUnprocessableEntity, shown.Door(s, f))
}

func (a *Area) joinNow(v *Visit) error {
	secret, err := a.Auth.Join(v.UserContext(), answer.Param(v.Ctx, "secret"), v.Field("name"), v.Field("password"), v.From)
	if err == nil {
		v.keep(secret)
		return v.Go(Root, "")
	}
	role, errRole := a.Auth.Invitation(v.UserContext(), answer.Param(v.Ctx, "secret"), v.From)
	if errRole != nil {
		err = errRole
	}
	return v.showJoin(string(role), err)
}
