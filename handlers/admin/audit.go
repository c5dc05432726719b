package admin

import (
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/auth"
	"statuspage/internal/grant"
	"statuspage/views"
	shown "statuspage/views/admin"
	"strconv"
	"strings"
	"time"
)

const (
	auditPath = "/admin/log"
	auditPage = 50
	maxCursor = 64
)

// audit is who did what, the newest first.
func (a *Area) audit(v *Visit) error {
	before, ok := parseCursor(v.Query("before"))
	if !ok {
		return answer.Unprocessable("before must be as a page of the log says it.")
	}
	did, err := a.Auth.Audit(v.UserContext(), before, auditPage+1)
	if err != nil {
		return err
	}
	who, _, err := a.names(v.UserContext())
	if err != nil {
		return err
	}
	tokens, err := a.Auth.Tokens(v.UserContext())
	if err != nil {
		return err
	}
	for _, t := range tokens {
		who[t.ID] = t.Name
	}
	p := shown.Audit{Zone: v.Look.Zone.String()}
	if len(did) > auditPage {
		did = did[:auditPage]
		p.Older = v.At(auditPath, views.Pair{Name: "before", Value: cursor(did[auditPage-1])})
	}
	for _, e := range did {
		line := shown.Entry{When: v.time(e.At), Who: who.of(e.Actor, v), What: v.act(e.Action), Subject: who[e.Subject], Detail: e.Detail, Address: e.Address}
		if slices.Contains(grant.Roles, grant.Role(e.Detail)) {
			line.Detail = v.role(e.Detail)
		}
		p.All = append(p.All, line)
	}
	return v.Show(http.StatusOK, shown.AuditPage(v.Shell(v.Look.Lang.T("admin.nav.audit"), auditPath), p))
}

// act is what was done, in words where there are some.
func (v *Visit) act(action string) string {
	if text := v.Look.Lang.T("admin.act." + action); text != "" {
		return text
	}
	return action
}

// cursor names a line of the log in an address.
func cursor(e auth.Entry) string { return strconv.FormatInt(e.At.UnixMicro(), 10) + "." + e.ID }

func parseCursor(text string) (e auth.Entry, ok bool) {
	if text == "" {
		return e, true
	}
	at, id, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" || len(text) > maxCursor {
		return e, false
	}
	return auth.Entry{At: time.UnixMicro(n), ID: id}, true
}
