package admin

import (
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/grant"
	shown "statuspage/views/admin"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const tokensPath = "/admin/tokens"

// lasts are how many days a token may count; 0 for ever.
var lasts = []int{30, 90, 365, 0}

const usualLast = 90

func (a *Area) tokenRoutes(r fiber.Router) {
	r.Get(tokensPath, a.Signed(grant.Admin, func(v *Visit) error { return v.showTokens(http.StatusOK, "", nil) }))
	r.Post(tokensPath, a.Signed(grant.Admin, a.addToken))
	r.Post("/admin/tokens/:id/end", a.Signed(grant.Admin, func(v *Visit) error {
		if err := a.Auth.RemoveToken(v.UserContext(), v.Who, answer.Param(v.Ctx, "id"), v.From); err != nil && !isNobody(err) { // It has ended.
			return err
		}
		return v.Go(tokensPath, "ended")
	}))
}

func (a *Area) addToken(v *Visit) error {
	scopes, err := grant.ParseScopes(v.scopes())
	if err != nil {
		return v.showTokens(http.StatusUnprocessableEntity, "", nil)
	}
	var expires time.Time
	if days := v.lasts(); days > 0 {
		expires = a.Now().AddDate(0, 0, days)
	}
	secret, err := a.Auth.AddToken(v.UserContext(), v.Who, v.Field("name"), scopes, expires, v.From)
	if err != nil {
		return v.showTokens(http.StatusUnprocessableEntity, "", err)
	}
	return v.showTokens(http.StatusOK, secret, nil)
}

// scopes are those that the form has.
func (v *Visit) scopes() (names []string) {
	for _, s := range v.Context().PostArgs().PeekMulti("scope") {
		names = append(names, string(s))
	}
	return names
}

// lasts is for how many days the form wants it, the usual when that is none to choose.
func (v *Visit) lasts() int {
	if n, err := strconv.Atoi(v.Field("lasts")); err == nil && slices.Contains(lasts, n) {
		return n
	}
	return usualLast
}

// showTokens is the page of all tokens, with a new one's secret, or what was wrong with what was typed.
func (v *Visit) showTokens(code int, secret string, wrong error) error {
	l := v.Look.Lang
	who, _, err := v.area.names(v.UserContext())
	if err != nil {
		return err
	}
	tokens, err := v.area.Auth.Tokens(v.UserContext())
	if err != nil {
		return err
	}
	name := []shown.Field{{Name: "name", Label: l.T("admin.name"), Type: "text", Auto: "off"}}
	if wrong != nil && !v.inField(name, wrong) {
		return wrong
	}
	p := shown.Tokens{Action: v.At(tokensPath), Secret: secret}
	chosen, last := v.scopes(), v.lasts()
	if code != http.StatusOK { // What was typed is kept.
		name[0].Value = v.Field("name")
		if wrong == nil {
			p.WrongScopes = l.T("admin.error.scopes")
		}
	} else {
		chosen, last = nil, usualLast
	}
	p.Name = name[0]
	for _, s := range grant.Scopes {
		p.Scopes = append(p.Scopes, shown.Choice{Value: string(s), Text: string(s), Chosen: slices.Contains(chosen, string(s))})
	}
	for _, days := range lasts {
		c := shown.Choice{Value: strconv.Itoa(days), Text: l.T("unit.day", days), Chosen: days == last}
		if days == 0 {
			c.Text = l.T("admin.token.ever")
		}
		p.Lasts = append(p.Lasts, c)
	}
	now := v.area.Now()
	for _, t := range tokens {
		p.All = append(p.All, shown.Token{
			Name: t.Name, Scopes: strings.Join(strings.Fields(t.Scopes), ", "), By: who.of(t.Maker, v), Used: v.time(t.Used), Until: v.time(t.Expires),
			End: v.At(tokensPath + "/" + t.ID + "/end"), Ended: !t.Expires.IsZero() && !now.Before(t.Expires),
		})
	}
	return v.Show(code, shown.TokensPage(v.Shell(l.T("admin.nav.tokens"), tokensPath), p))
}
