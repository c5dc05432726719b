package control_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"statuspage/db/control"
	"statuspage/e2e/harness"
	"statuspage/internal/grant"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

var (
	now  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	idle = now.Add(-time.Hour)
)

// engine makes empty stores of one kind, and says where each is.
type engine func(t *testing.T) (url string)

func sqliteEngine(t *testing.T) string {
	return "sqlite:///" + filepath.Join(t.TempDir(), "control.db")
}

// TestSQLiteKeepsTheContract is the contract on a file.
func TestSQLiteKeepsTheContract(t *testing.T) {
	t.Parallel()
	contract(t, sqliteEngine)
}

// TestPostgresKeepsTheContract is the same on a real PostgreSQL.
func TestPostgresKeepsTheContract(t *testing.T) {
	server := harness.LaunchPostgres(t)
	admin, err := sql.Open("pgx", server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var made atomic.Int64
	var one sync.Mutex // PostgreSQL copies its template for one at a time.
	t.Run("contract", func(t *testing.T) {
		contract(t, func(t *testing.T) string {
			one.Lock()
			defer one.Unlock()
			name := fmt.Sprintf("t%d", made.Add(1))
			if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
				t.Fatal(err)
			}
			return server.URL(name)
		})
	})
	t.Run("away", func(t *testing.T) {
		s := open(t, server.URL("postgres"))
		server.Kill()
		if _, err := s.Operators(t.Context()); !errors.Is(err, status.ErrUnavailable) {
			t.Errorf("without a server: %v", err)
		}
		_, err := control.Open(t.Context(), strings.Replace(server.URL("postgres"), "statuspage@", "statuspage:s3cret@", 1))
		if !errors.Is(err, status.ErrUnavailable) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("opened without a server: %v", err)
		}
		harness.Must(t, server.Start(context.Background()))
		if _, err := s.Operators(t.Context()); err != nil {
			t.Errorf("the server is back: %v", err)
		}
	})
}

func open(t *testing.T, url string) *control.Store {
	t.Helper()
	s, err := control.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func contract(t *testing.T, fresh engine) {
	for name, test := range map[string]func(t *testing.T, url string){
		"invites count once":               invitesCountOnce,
		"names are taken once":             namesAreTakenOnce,
		"sessions end":                     sessionsEnd,
		"tokens expire":                    tokensExpire,
		"one admin stays":                  oneAdminStays,
		"who leaves is erased":             whoLeavesIsErased,
		"what is noted was done":           whatIsNotedWasDone,
		"audit is paged":                   auditIsPaged,
		"what is old is swept":             oldIsSwept,
		"passkeys are of one":              passkeysAreOfOne,
		"challenges are taken once":        challengesAreTakenOnce,
		"text is text":                     textIsText,
		"a store opens again":              opensAgain,
		"a later version is refused":       laterIsRefused,
		"several make the tables together": severalStart,
		"alerts are decided once":          alertsAreDecidedOnce,
		"deliveries end once":              deliveriesEndOnce,
		"one leads":                        oneLeads,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

func entry(action string) control.Entry {
	return control.Entry{At: now, Actor: "ana", Action: action, Address: "192.0.2.7"}
}

// join makes an operator of an invite of its own.
func join(t *testing.T, s *control.Store, id, role string) {
	t.Helper()
	if err := errors.Join(
		s.AddInvite(t.Context(), control.Invite{ID: "i" + id, Hash: "h" + id, Role: role, Created: now, Expires: now.Add(time.Hour)}, entry("invite")),
		s.Join(t.Context(), "h"+id, control.Operator{ID: id, Name: id, Role: role, Password: "p", Created: now}, session(id, "s"+id), entry("join")),
	); err != nil {
		t.Fatal(err)
	}
}

func session(operator, id string) control.Session {
	return control.Session{ID: id, Hash: "hash-" + id, Operator: operator, Created: now, Seen: now, Expires: now.Add(24 * time.Hour), Address: "192.0.2.7", Browser: "Firefox"}
}

// invitesCountOnce: of many who come with one invite at once one gets in, and none with one that is too old or of another role.
func invitesCountOnce(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	add := func(id string, expires time.Time) {
		if err := s.AddInvite(ctx, control.Invite{ID: id, Hash: id, Role: "author", Maker: "ana", Created: now, Expires: expires}, entry("invite")); err != nil {
			t.Fatal(err)
		}
	}
	if any, err := s.Any(ctx, now); any || err != nil {
		t.Errorf("an empty store has somebody: %v %v", any, err)
	}
	add("good", now.Add(time.Hour))
	add("old", now)
	if any, err := s.Any(ctx, now); !any || err != nil {
		t.Errorf("a store with an invite has nobody: %v %v", any, err)
	}
	if all, err := s.Invites(ctx, now); err != nil || len(all) != 1 || all[0].ID != "good" || all[0].Maker != "ana" || !all[0].Expires.Equal(now.Add(time.Hour)) {
		t.Errorf("invites that count: %+v %v", all, err)
	}
	take := func(hash, id, role string) error {
		return s.Join(ctx, hash, control.Operator{ID: id, Name: id, Role: role, Created: now}, session(id, "s"+id), entry("join"))
	}
	for _, wrong := range []error{take("old", "o", "author"), take("none", "n", "author"), take("good", "a", "admin")} {
		if !errors.Is(wrong, status.ErrNotFound) {
			t.Errorf("an invite that does not count: %v", wrong)
		}
	}
	if _, err := s.Invite(ctx, "old", now); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("an old invite is found: %v", err)
	}
	if i, err := s.Invite(ctx, "good", now); err != nil || i.Role != "author" {
		t.Errorf("the invite: %+v %v", i, err)
	}
	var all sync.WaitGroup
	var in atomic.Int64
	for i := range 8 {
		all.Go(func() {
			switch err := take("good", fmt.Sprint("op", i), "author"); {
			case err == nil:
				in.Add(1)
			case !errors.Is(err, status.ErrNotFound):
				t.Errorf("one of many: %v", err)
			}
		})
	}
	all.Wait()
	if people, err := s.Operators(ctx); in.Load() != 1 || len(people) != 1 || err != nil {
		t.Errorf("%d got in by one invite, %+v, %v", in.Load(), people, err)
	}
	add("taken back", now.Add(time.Hour))
	if err := s.RemoveInvite(ctx, "taken back", entry("uninvite")); err != nil {
		t.Error(err)
	}
	if err := s.RemoveInvite(ctx, "taken back", entry("uninvite")); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("taken back twice: %v", err)
	}
}

// namesAreTakenOnce: a name that is there is told as such, and the invite counts on.
func namesAreTakenOnce(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	join(t, s, "ana", string(grant.Admin))
	if err := s.AddInvite(ctx, control.Invite{ID: "i", Hash: "h", Role: "viewer", Expires: now.Add(time.Hour)}, entry("invite")); err != nil {
		t.Fatal(err)
	}
	if err := s.Join(ctx, "h", control.Operator{ID: "other", Name: "ana", Role: "viewer"}, session("other", "s"), entry("join")); !errors.Is(err, control.ErrTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := s.Invite(ctx, "h", now); err != nil {
		t.Errorf("the invite is used up: %v", err)
	}
	if err := s.AddToken(ctx, control.Token{ID: "1", Name: "ci", Hash: "a"}, entry("token")); err != nil {
		t.Error(err)
	}
	if err := s.AddToken(ctx, control.Token{ID: "2", Name: "ci", Hash: "b"}, entry("token")); !errors.Is(err, control.ErrTaken) {
		t.Errorf("a token's name that is taken: %v", err)
	}
	if o, err := s.OperatorNamed(ctx, "ana"); err != nil || o.Role != string(grant.Admin) || o.Password != "p" || !o.Created.Equal(now) {
		t.Errorf("ana is %+v, %v", o, err)
	}
	if _, err := s.OperatorNamed(ctx, "bob"); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("nobody of this name: %v", err)
	}
}

func sessionsEnd(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	join(t, s, "ana", string(grant.Admin))
	join(t, s, "bob", "author")
	for _, id := range []string{"one", "two", "three"} {
		if err := s.AddSession(ctx, session("ana", id), entry("sign_in")); err != nil {
			t.Fatal(err)
		}
	}
	is := func(id string, at, idle time.Time) bool {
		of, o, err := s.Session(ctx, "hash-"+id, at, idle)
		if err != nil && !errors.Is(err, status.ErrNotFound) {
			t.Error(err)
		}
		if err == nil && (of.ID != id || o.Name != of.Operator || of.Browser != "Firefox" || !of.Expires.Equal(now.Add(24*time.Hour))) {
			t.Errorf("session %s is %+v of %+v", id, of, o)
		}
		return err == nil
	}
	if !is("one", now, idle) || is("one", now.Add(24*time.Hour), idle) || is("one", now, now) || is("none", now, idle) {
		t.Error("sessions count too long, or too short")
	}
	if err := s.SeeSession(ctx, "one", now.Add(time.Minute)); err != nil || !is("one", now, now) {
		t.Errorf("a session that was used: %v", err)
	}
	if err := s.EndSession(ctx, "bob", "one", entry("end")); !errors.Is(err, status.ErrNotFound) || !is("one", now, idle) {
		t.Errorf("somebody else ends it: %v", err)
	}
	if err := s.EndSession(ctx, "ana", "one", entry("end")); err != nil || is("one", now, idle) {
		t.Errorf("ended: %v", err)
	}
	if all, err := s.Sessions(ctx, "ana", now, idle); err != nil || len(all) != 3 {
		t.Errorf("ana has %+v, %v", all, err)
	}
	if err := s.SetPassword(ctx, "ana", "new", "two", entry("password")); err != nil || !is("two", now, idle) || is("three", now, idle) || !is("sbob", now, idle) {
		t.Errorf("after another password: %v", err)
	}
	if err := s.EndSessions(ctx, "ana", "", entry("end")); err != nil || is("two", now, idle) || !is("sbob", now, idle) {
		t.Errorf("after all ended: %v", err)
	}
	if err := s.SetPassword(ctx, "nobody", "new", "", entry("password")); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("a password of nobody: %v", err)
	}
}

func tokensExpire(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	for _, k := range []control.Token{
		{ID: "1", Name: "ever", Hash: "a", Scopes: "incidents:read incidents:write", Maker: "ana", Created: now},
		{ID: "2", Name: "soon", Hash: "b", Scopes: "incidents:read", Created: now, Expires: now.Add(time.Hour)},
	} {
		if err := s.AddToken(ctx, k, entry("token")); err != nil {
			t.Fatal(err)
		}
	}
	if k, err := s.Token(ctx, "a", now.AddDate(99, 0, 0)); err != nil || k.Name != "ever" || k.Scopes != "incidents:read incidents:write" || !k.Expires.IsZero() || !k.Used.IsZero() {
		t.Errorf("a token without an end: %+v %v", k, err)
	}
	if _, err := s.Token(ctx, "b", now.Add(time.Hour-time.Microsecond)); err != nil {
		t.Errorf("a token before its end: %v", err)
	}
	for hash, at := range map[string]time.Time{"b": now.Add(time.Hour), "c": now} {
		if _, err := s.Token(ctx, hash, at); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("token %s: %v", hash, err)
		}
	}
	if err := s.UseToken(ctx, "1", now.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if err := s.RemoveToken(ctx, "2", entry("untoken")); err != nil {
		t.Error(err)
	}
	if err := s.RemoveToken(ctx, "2", entry("untoken")); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if all, err := s.Tokens(ctx); err != nil || len(all) != 1 || !all[0].Used.Equal(now.Add(time.Minute)) {
		t.Errorf("tokens: %+v %v", all, err)
	}
}

// oneAdminStays: of two admins who take each other's rights at the same time one keeps theirs, again and again.
func oneAdminStays(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	join(t, s, "ana", string(grant.Admin))
	if err := s.SetRole(ctx, "ana", "viewer", entry("role")); !errors.Is(err, control.ErrLastAdmin) {
		t.Errorf("the last admin becomes a viewer: %v", err)
	}
	if err := s.RemoveOperator(ctx, "ana", entry("remove")); !errors.Is(err, control.ErrLastAdmin) {
		t.Errorf("the last admin is removed: %v", err)
	}
	join(t, s, "bob", string(grant.Admin))
	for range 10 {
		var both sync.WaitGroup
		var refused atomic.Int64
		for _, id := range []string{"ana", "bob"} {
			both.Go(func() {
				if err := s.SetRole(ctx, id, "author", entry("role")); errors.Is(err, control.ErrLastAdmin) {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if refused.Load() != 1 {
			t.Fatalf("%d of two were refused, want one", refused.Load())
		}
		if err := errors.Join(s.SetRole(ctx, "ana", string(grant.Admin), entry("role")), s.SetRole(ctx, "bob", string(grant.Admin), entry("role"))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetRole(ctx, "nobody", "viewer", entry("role")); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("nobody's role: %v", err)
	}
}

// whoLeavesIsErased: name, sessions, tokens, invites and addresses are gone; what was done stays, by an id.
func whoLeavesIsErased(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	join(t, s, "ana", string(grant.Admin))
	join(t, s, "bob", "author")
	act := func(action string) control.Entry {
		return control.Entry{At: now, Actor: "bob", Action: action, Address: "192.0.2.99"}
	}
	if err := errors.Join(
		s.AddToken(ctx, control.Token{ID: "t", Name: "bobs", Hash: "t", Maker: "bob"}, act("token")),
		s.AddToken(ctx, control.Token{ID: "u", Name: "anas", Hash: "u", Maker: "ana"}, act("token")),
		s.AddInvite(ctx, control.Invite{ID: "i", Hash: "i", Role: "viewer", Maker: "bob", Expires: now.Add(time.Hour)}, act("invite")),
		s.RemoveOperator(ctx, "bob", entry("remove")),
	); err != nil {
		t.Fatal(err)
	}
	people, err1 := s.Operators(ctx)
	tokens, err2 := s.Tokens(ctx)
	invites, err3 := s.Invites(ctx, now)
	if err := errors.Join(err1, err2, err3); err != nil || len(people) != 1 || len(tokens) != 1 || tokens[0].Name != "anas" || len(invites) != 0 {
		t.Errorf("left: %v %v %v %v", people, tokens, invites, err)
	}
	if _, _, err := s.Session(ctx, "hash-sbob", now, idle); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("a session is left: %v", err)
	}
	did, err := s.Audit(ctx, control.Entry{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range did {
		if e.Actor == "bob" {
			n++
		}
		if e.Address == "192.0.2.99" {
			t.Errorf("an address is left: %+v", e)
		}
	}
	if n != 3 {
		t.Errorf("%d of bob's three acts stay", n)
	}
}

// whatIsNotedWasDone: a refused act leaves no line, a done one leaves one.
func whatIsNotedWasDone(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	join(t, s, "ana", string(grant.Admin))
	_ = s.SetRole(ctx, "ana", "viewer", entry("refused"))
	_ = s.RemoveToken(ctx, "none", entry("refused"))
	if err := s.Note(ctx, control.Entry{At: now, Action: "elsewhere", Subject: "x", Detail: "y"}); err != nil {
		t.Fatal(err)
	}
	did, err := s.Audit(ctx, control.Entry{}, 100)
	if err != nil || len(did) != 3 {
		t.Fatalf("noted: %+v, %v", did, err)
	}
	if e := did[0]; e.Action != "elsewhere" || e.Subject != "x" || e.Detail != "y" || !e.At.Equal(now) {
		t.Errorf("the newest is %+v", e)
	}
}

func auditIsPaged(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	for i := range 25 { // Five at each instant.
		if err := s.Note(ctx, control.Entry{At: now.Add(time.Duration(i/5) * time.Second), Action: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
	var from control.Entry
	var seen []string
	for {
		page, err := s.Audit(ctx, from, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			seen = append(seen, e.Action)
		}
		from = page[len(page)-1]
	}
	want := make([]string, 25)
	for i := range want {
		want[i] = strconv.Itoa(24 - i)
	}
	if got := strings.Join(seen, " "); got != strings.Join(want, " ") {
		t.Errorf("pages have %s", got)
	}
}

func oldIsSwept(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	join(t, s, "ana", string(grant.Admin))
	old := session("ana", "old")
	old.Expires = now
	unused := session("ana", "unused")
	unused.Seen = idle
	if err := errors.Join(
		s.AddSession(ctx, old, entry("a")), s.AddSession(ctx, unused, entry("a")),
		s.AddToken(ctx, control.Token{ID: "1", Name: "ever", Hash: "1"}, entry("a")),
		s.AddToken(ctx, control.Token{ID: "2", Name: "just", Hash: "2", Expires: now.Add(-time.Hour)}, entry("a")),
		s.AddToken(ctx, control.Token{ID: "3", Name: "long ago", Hash: "3", Expires: now.AddDate(0, -2, 0)}, entry("a")),
		s.AddInvite(ctx, control.Invite{ID: "i", Hash: "i", Role: "viewer", Expires: now}, entry("a")),
		s.Note(ctx, control.Entry{At: now.AddDate(-2, 0, 0), Action: "ancient"}),
		s.Sweep(ctx, now, idle),
	); err != nil {
		t.Fatal(err)
	}
	tokens, err := s.Tokens(ctx)
	if err != nil || len(tokens) != 2 {
		t.Errorf("tokens left: %+v %v", tokens, err)
	}
	sessions, err := s.Sessions(ctx, "ana", now.AddDate(-9, 0, 0), now.AddDate(-9, 0, 0))
	if err != nil || len(sessions) != 1 {
		t.Errorf("sessions left: %+v %v", sessions, err)
	}
	invites, err := s.Invites(ctx, now.AddDate(-9, 0, 0))
	if err != nil || len(invites) != 0 {
		t.Errorf("invites left: %+v %v", invites, err)
	}
	did, err := s.Audit(ctx, control.Entry{}, 100)
	if err != nil || len(did) == 0 || did[len(did)-1].Action == "ancient" {
		t.Errorf("audit left: %+v %v", did, err)
	}
}

// passkeysAreOfOne: each is of one operator, who ends it, and whose it ends with.
func passkeysAreOfOne(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	join(t, s, "ana", string(grant.Admin))
	join(t, s, "bob", "author")
	add := func(id, of string) error {
		return s.AddPasskey(ctx, control.Passkey{ID: id, Credential: "c" + id, Operator: of, Name: "Phone", Data: "{}", Created: now}, entry("passkey"))
	}
	if err := errors.Join(add("1", "bob"), add("2", "bob"), add("3", "ana")); err != nil {
		t.Fatal(err)
	}
	if err := s.AddPasskey(ctx, control.Passkey{ID: "4", Credential: "c1", Operator: "ana"}, entry("passkey")); !errors.Is(err, control.ErrTaken) {
		t.Errorf("one device for two: %v", err)
	}
	if err := s.SignInByPasskey(ctx, "c1", "{1}", session("bob", "by passkey"), entry("sign_in")); err != nil {
		t.Error(err)
	}
	if err := s.SignInByPasskey(ctx, "c1", "{2}", session("ana", "stolen"), entry("sign_in")); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if all, err := s.Passkeys(ctx, "bob"); err != nil || len(all) != 2 || all[0].Data != "{1}" || !all[0].Used.Equal(now) || all[0].Name != "Phone" {
		t.Errorf("bob has %+v, %v", all, err)
	}
	if err := s.RemovePasskey(ctx, "ana", "1", entry("passkey.end")); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("somebody else ends it: %v", err)
	}
	if err := s.RemovePasskey(ctx, "bob", "1", entry("passkey.end")); err != nil {
		t.Error(err)
	}
	if err := s.RemoveOperator(ctx, "bob", entry("remove")); err != nil {
		t.Error(err)
	}
	if all, err := s.Passkeys(ctx, "bob"); err != nil || len(all) != 0 {
		t.Errorf("left of bob: %+v %v", all, err)
	}
	if o, err := s.Operator(ctx, "ana"); err != nil || o.Name != "ana" {
		t.Errorf("ana is %+v %v", o, err)
	}
}

// challengesAreTakenOnce, by one of many, and not after their end.
func challengesAreTakenOnce(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	if err := errors.Join(s.AddChallenge(ctx, "a", "data", now, now.Add(time.Minute)), s.AddChallenge(ctx, "b", "old", now.Add(-time.Hour), now)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeChallenge(ctx, "b", now); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
	var all sync.WaitGroup
	var got atomic.Int64
	for range 8 {
		all.Go(func() {
			data, err := s.TakeChallenge(ctx, "a", now)
			if err == nil && data == "data" {
				got.Add(1)
			} else if !errors.Is(err, status.ErrNotFound) {
				t.Errorf("%q %v", data, err)
			}
		})
	}
	all.Wait()
	if got.Load() != 1 {
		t.Errorf("taken %d times", got.Load())
	}
}

// textIsText: what people write comes back as it was, and is never part of a statement.
func textIsText(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	for i, name := range []string{`'; DROP TABLE operators; --`, `$1`, `?`, "日本語 🎌", `<script>`, `%_\`, ""} {
		if err := s.AddToken(ctx, control.Token{ID: strconv.Itoa(i), Name: name, Hash: strconv.Itoa(i), Scopes: name, Maker: name}, entry(name)); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if k, err := s.Token(ctx, strconv.Itoa(i), now); err != nil || k.Name != name || k.Scopes != name || k.Maker != name {
			t.Errorf("%q came back as %+v, %v", name, k, err)
		}
	}
}

func opensAgain(t *testing.T, url string) {
	s := open(t, url)
	join(t, s, "ana", string(grant.Admin))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, url)
	if people, err := again.Operators(t.Context()); err != nil || len(people) != 1 {
		t.Errorf("opened again: %+v %v", people, err)
	}
	if got, want := again.Shared(), strings.HasPrefix(url, "postgres"); got != want {
		t.Errorf("shared is %v, want %v", got, want)
	}
}

func laterIsRefused(t *testing.T, url string) {
	s := open(t, url)
	if err := s.PretendVersion(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Open(t.Context(), url); !errors.Is(err, status.ErrInvalid) || !strings.Contains(err.Error(), "later version") {
		t.Errorf("a store of a later version: %v", err)
	}
}

func severalStart(t *testing.T, url string) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s, err := control.Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Operators(t.Context()); err != nil {
				t.Error(err)
			}
			_ = s.Close()
		})
	}
	all.Wait()
}

// TestWrongURLsAreRefused without telling what they hold.
func TestWrongURLsAreRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "mysql://u:s3cret@h/x", "sqlite://host/x.db", "sqlite:///", "postgres://u:s3cret@h:port/x"} {
		if _, err := control.Open(t.Context(), url); !errors.Is(err, status.ErrInvalid) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
