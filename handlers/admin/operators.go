package admin

import (
	"context"
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/auth"
	"statuspage/internal/grant"
	shown "statuspage/views/admin"

	"github.com/gofiber/fiber/v2"
)

const operatorsPath = "/admin/operators"

func (a *Area) operatorRoutes(r fiber.Router) {
	r.Get(operatorsPath, a.Signed(grant.Admin, func(v *Visit) error { return v.showOperators("") }))
	r.Post("/admin/invites", a.Signed(grant.Admin, a.invite))
	r.Post("/admin/invites/:id/end", a.Signed(grant.Admin, func(v *Visit) error {
		if err := a.Auth.TakeBack(v.UserContext(), v.Who, answer.Param(v.Ctx, "id"), v.From); err != nil && !isNobody(err) { // It has ended.
			return err
		}
		return v.Go(operatorsPath, "ended")
	}))
	r.Get("/admin/operators/:id", a.Signed(grant.Admin, func(v *Visit) error { return v.showOperator(nil) }))
	r.Post("/admin/operators/:id/role", a.Signed(grant.Admin, func(v *Visit) error {
		role, err := grant.ParseRole(v.Field("role"))
		if err != nil {
			return answer.Unprocessable("role is " + err.Error() + ".")
		}
		if err := a.Auth.SetRole(v.UserContext(), v.Who, answer.Param(v.Ctx, "id"), role, v.From); err != nil {
			return v.showOperator(err)
		}
		return v.goOn("role", answer.Param(v.Ctx, "id") == v.Who.ID && role != grant.Admin)
	}))
	r.Post("/admin/operators/:id/remove", a.Signed(grant.Admin, func(v *Visit) error {
		if err := a.Auth.Remove(v.UserContext(), v.Who, answer.Param(v.Ctx, "id"), v.From); err != nil {
			return v.showOperator(err)
		}
		return v.goOn("removed", answer.Param(v.Ctx, "id") == v.Who.ID)
	}))
}

// goOn goes back to the operators, unless who did it may see them no more.
func (v *Visit) goOn(done string, gone bool) error {
	if gone {
		return v.Go(Root, "")
	}
	return v.Go(operatorsPath, done)
}

func (a *Area) invite(v *Visit) error {
	role, err := grant.ParseRole(v.Field("role"))
	if err != nil {
		return answer.Unprocessable("role is " + err.Error() + ".")
	}
	secret, err := a.Auth.Invite(v.UserContext(), v.Who, role, v.From)
	if err != nil {
		return err
	}
	return v.showOperators(v.absolute("/admin/invite/" + secret))
}

// absolute is an address of the area for somebody else: where the page is, or where this one is read.
func (v *Visit) absolute(path string) string {
	if !v.area.Elsewhere {
		return v.area.Visitor.Base(v.Ctx) + path
	}
	scheme := "http://"
	if v.secure() {
		scheme = "https://"
	}
	return scheme + string(v.Context().Request.Header.Host()) + v.area.Page.Base.At(path)
}

// names are those of operators, by their ids.
type names map[string]string

func (a *Area) names(ctx context.Context) (names, []auth.Account, error) {
	all, err := a.Auth.Operators(ctx)
	n := names{}
	for _, o := range all {
		n[o.ID] = o.Name
	}
	return n, all, err
}

// of is who made something: an operator, the command line, or somebody who has left.
func (n names) of(id string, v *Visit) string {
	switch {
	case id == "":
		return v.Look.Lang.T("admin.commandline")
	case n[id] == "":
		return v.Look.Lang.T("admin.left")
	}
	return n[id]
}

// role is the name of a role, in the visitor's language.
func (v *Visit) role(r string) string { return v.Look.Lang.T("admin.role." + r) }

// roles are all to choose from.
func (v *Visit) roles(chosen grant.Role) (all []shown.Choice) {
	for _, r := range grant.Roles {
		all = append(all, shown.Choice{Value: string(r), Text: v.role(string(r)), About: v.role(string(r) + ".about"), Chosen: r == chosen})
	}
	return all
}

func (v *Visit) showOperators(link string) error {
	who, all, err := v.area.names(v.UserContext())
	if err != nil {
		return err
	}
	invites, err := v.area.Auth.Invites(v.UserContext())
	if err != nil {
		return err
	}
	p := shown.Operators{Action: v.At("/admin/invites"), Roles: v.roles(grant.Author), Link: link}
	for _, o := range all {
		p.All = append(p.All, shown.Operator{Name: o.Name, Role: v.role(o.Role), Since: v.time(o.Created), Edit: v.At(operatorsPath + "/" + o.ID), You: o.ID == v.Who.ID})
	}
	for _, i := range invites {
		p.Invites = append(p.Invites, shown.Invite{Role: v.role(i.Role), By: who.of(i.Maker, v), Until: v.time(i.Expires), End: v.At("/admin/invites/" + i.ID + "/end")})
	}
	return v.Show(http.StatusOK, shown.OperatorsPage(v.Shell(v.Look.Lang.T("admin.nav.operators"), operatorsPath), p))
}

// showOperator is one operator's page, with what was wrong with what was asked for.
func (v *Visit) showOperator(err error) error {
	_, all, errNames := v.area.names(v.UserContext())
	if errNames != nil {
		return errNames
	}
	at := slices.IndexFunc(all, func(o auth.Account) bool { return o.ID == answer.Param(v.Ctx, "id") })
	if at < 0 {
		return answer.NotFound("error.404")
	}
	o := all[at]
	here := operatorsPath + "/" + o.ID
	s, code := v.Shell(o.Name, here), http.StatusOK
	if err != nil {
		if code, s.Wrong = v.wrong(err); code == 0 {
			return err
		}
	}
	return v.Show(code, shown.EditPage(s, shown.Edit{
		Name: o.Name, Role: v.At(here + "/role"), Roles: v.roles(grant.Role(o.Role)), Remove: v.At(here + "/remove"),
		RemoveText: v.Look.Lang.T("admin.remove", o.Name), Back: v.At(operatorsPath),
	}))
}
