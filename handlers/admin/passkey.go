package admin

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"statuspage/handlers/answer"
	"statuspage/internal/auth"
	"statuspage/internal/grant"
	"statuspage/views"
	shown "statuspage/views/admin"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	askPath    = "/admin/passkey/ask"
	answerPath = "/admin/passkey/answer"
	askNewPath = "/admin/account/passkeys/ask"
	newPath    = "/admin/account/passkeys"
)

func (a *Area) passkeyRoutes(r fiber.Router) {
	r.Post(askPath, a.open(withParty(func(v *Visit, p auth.Party) error {
		q, err := a.Auth.AskPasskey(v.UserContext(), p, v.From)
		return v.told(q, err)
	})))
	r.Post(answerPath, a.open(withParty(a.signInByPasskey)))
	r.Post(askNewPath, a.Signed(grant.Viewer, withParty(func(v *Visit, p auth.Party) error {
		q, err := a.Auth.AskForPasskey(v.UserContext(), v.Who, p)
		return v.told(q, err)
	})))
	r.Post(newPath, a.Signed(grant.Viewer, withParty(a.addPasskey)))
	r.Post("/admin/account/passkeys/:id/end", a.Signed(grant.Viewer, func(v *Visit) error {
		if err := a.Auth.EndPasskey(v.UserContext(), v.Who, answer.Param(v.Ctx, "id"), v.From); err != nil && !isNobody(err) { // It has ended.
			return err
		}
		return v.Go(accountPath, "ended")
	}))
}

// party is for whom passkeys are: the host of the configured address, over https, or this machine. An address without a name
// can have none.
func (v *Visit) party() (p auth.Party, ok bool) {
	const local = "localhost"
	host := string(v.Context().Request.Header.Host())
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	p.Name = v.area.Page.Title
	if v.area.Page.BaseURL == "" {
		p.Host, p.Origin = local, "http://"+host
		return p, name == local
	}
	u, err := url.Parse(v.area.Page.BaseURL)
	if err != nil || net.ParseIP(u.Hostname()) != nil || u.Scheme != "https" && u.Hostname() != local {
		return p, false
	}
	p.Host, p.Origin = u.Hostname(), u.Scheme+"://"+u.Host
	if v.area.Elsewhere { // Another port of the same host.
		scheme := "http://"
		if v.secure() {
			scheme = "https://"
		}
		p.Origin = scheme + host
		return p, name == p.Host && (scheme == "https://" || name == local)
	}
	return p, true
}

// withParty answers where there can be passkeys.
func withParty(do func(v *Visit, p auth.Party) error) func(v *Visit) error {
	return func(v *Visit) error {
		p, ok := v.party()
		if !ok {
			return answer.NotFound("error.404")
		}
		return do(v, p)
	}
}

// told answers a script.
func (v *Visit) told(what any, err error) error {
	locked, is := errors.AsType[*auth.LockedError](err)
	switch {
	case is:
		return &answer.Problem{Code: http.StatusTooManyRequests, Retry: int(max(time.Second, locked.Wait) / time.Second)}
	case errors.Is(err, auth.ErrWrong), isNobody(err):
		return answer.Unprocessable("The passkey is not right.")
	case err != nil:
		return err
	}
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	v.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return v.Send(body)
}

// answered is what a script sends of a device.
type answered struct {
	Ticket   string          `json:"ticket"`
	Response json.RawMessage `json:"response"`
}

// going is where a script goes on.
type going struct {
	To string `json:"to"`
}

func (v *Visit) answered() (got answered, err error) {
	if err := json.Unmarshal(v.Body(), &got); err != nil {
		return got, &answer.Problem{Code: http.StatusBadRequest, Detail: "The body is not as it must be."}
	}
	return got, nil
}

func (a *Area) signInByPasskey(v *Visit, p auth.Party) error {
	got, err := v.answered()
	if err != nil {
		return err
	}
	secret, err := a.Auth.SignInByPasskey(v.UserContext(), p, got.Ticket, got.Response, v.From)
	if err == nil {
		v.keep(secret)
	}
	return v.told(going{v.At(v.next())}, err)
}

func (a *Area) addPasskey(v *Visit, p auth.Party) error {
	got, err := v.answered()
	if err != nil {
		return err
	}
	err = a.Auth.AddPasskey(v.UserContext(), v.Who, p, got.Ticket, got.Response, browser(v.From.Browser), v.From)
	return v.told(going{v.At(accountPath, views.Pair{Name: "done", Value: "passkey"})}, err)
}

// door is the button that signs in by passkey; nil where there can be none.
func (v *Visit) door() *shown.Passkey {
	if _, ok := v.party(); !ok {
		return nil
	}
	return &shown.Passkey{
		Ask: v.At(askPath), Answer: v.At(answerPath, views.Pair{Name: nextParam, Value: v.Query(nextParam)}),
		Button: v.Look.Lang.T("admin.passkey"), Wrong: v.Look.Lang.T("admin.passkey.failed"),
	}
}

// passkeys are one's own on one's page; nil where there can be none.
func (v *Visit) passkeys() (*shown.Passkeys, error) {
	if _, ok := v.party(); !ok {
		return nil, nil //nolint:nilnil // None is what there can be.
	}
	all, err := v.area.Auth.Passkeys(v.UserContext(), v.Who)
	if err != nil {
		return nil, err
	}
	l := v.Look.Lang
	p := &shown.Passkeys{New: shown.Passkey{New: true, Ask: v.At(askNewPath), Answer: v.At(newPath), Button: l.T("admin.passkey.add"), Wrong: l.T("admin.passkey.failed")}}
	for i, one := range all {
		p.All = append(p.All, shown.PasskeyRow{
			Name: one.Name, Number: strconv.Itoa(len(all) - i), Since: v.time(one.Created), Used: v.time(one.Used), End: v.At(newPath + "/" + one.ID + "/end"),
		})
	}
	return p, nil
}
