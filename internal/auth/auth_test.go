package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"statuspage/db/control"
	"statuspage/internal/grant"
	"statuspage/internal/status"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	good = "correct horse battery staple"
	ours = "192.0.2.7"
)

// house is an Auth with an admin in it.
type house struct {
	*Auth
	t   *testing.T
	url string
	ana Operator
}

// newHouse is called within a bubble of virtual time.
func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, url: "sqlite:///" + filepath.Join(t.TempDir(), "control.db")}
	h.Auth = New(Options{Store: h.url, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = h.Close() })
	h.ana = h.joins("Ana", h.invites(grant.Admin))
	return h
}

// invites is the command line beside the server.
func (h *house) invites(role grant.Role) (secret string) {
	h.t.Helper()
	d, err := OpenDesk(context.Background(), h.url, time.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	defer d.Close()
	if secret, err = d.Invite(context.Background(), role); err != nil {
		h.t.Fatal(err)
	}
	return secret
}

func (h *house) joins(name, invite string) Operator {
	h.t.Helper()
	secret, err := h.Join(context.Background(), invite, name, good, from(1))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.who(secret)
}

func (h *house) who(secret string) Operator {
	h.t.Helper()
	o, err := h.Who(context.Background(), secret)
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

func from(key uint64) From { return From{Key: key, Address: ours, Browser: "Firefox"} }

func locked(err error) time.Duration {
	l, _ := errors.AsType[*LockedError](err)
	if l == nil {
		return 0
	}
	return l.Wait
}

// TestNobodyIsThereBeforeTheFirstInvite: asking makes no store; an invite opens the area at once, and an account keeps it open.
func TestNobodyIsThereBeforeTheFirstInvite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, url: "sqlite:///" + filepath.Join(t.TempDir(), "control.db")}
		h.Auth = New(Options{Store: h.url, Log: slog.New(slog.DiscardHandler)})
		defer h.Close()
		ctx := context.Background()
		if is, err := h.Open(ctx); is || err != nil {
			t.Errorf("open without a store: %v %v", is, err)
		}
		if _, err := h.SignIn(ctx, "ana", good, from(1)); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("sign-in without a store: %v", err)
		}
		invite := h.invites(grant.Admin)
		if is, err := h.Open(ctx); !is || err != nil {
			t.Errorf("closed beside an invite: %v %v", is, err)
		}
		time.Sleep(inviteLong)
		if is, err := h.Open(ctx); is || err != nil {
			t.Errorf("open after the invite: %v %v", is, err)
		}
		if _, err := h.Join(ctx, invite, "ana", good, from(1)); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("an invite of yesterday: %v", err)
		}
		h.joins("ana", h.invites(grant.Admin))
		if is, err := h.Open(ctx); !is || err != nil {
			t.Errorf("closed with an admin: %v %v", is, err)
		}
		if is, err := New(Options{Store: h.url, Off: true}).Open(ctx); is || err != nil {
			t.Errorf("open though off: %v %v", is, err)
		}
		if is, err := (*Auth)(nil).Open(ctx); is || err != nil {
			t.Errorf("nil is open: %v %v", is, err)
		}
	})
}

// TestSignInIsByNameAndPassword, whatever the keyboard makes of them.
func TestSignInIsByNameAndPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ctx := context.Background()
		for _, name := range []string{"ana", " ANA ", "Ａｎａ"} {
			secret, err := h.SignIn(ctx, name, good, from(1))
			if err != nil {
				t.Errorf("%q: %v", name, err)
				continue
			}
			if o := h.who(secret); o.Name != "ana" || o.Role != grant.Admin {
				t.Errorf("%q is %+v", name, o)
			}
		}
		for name, password := range map[string]string{"ana": good + " ", "bob": good, "": good, "an\x00a": good, "a": strings.Repeat("x", 1<<16)} {
			if _, err := h.SignIn(ctx, name, password, from(0)); !errors.Is(err, ErrWrong) {
				t.Errorf("%q: %v", name, err)
			}
		}
		for _, secret := range []string{"", "x", strings.Repeat("x", 1<<16)} {
			if _, err := h.Who(ctx, secret); !errors.Is(err, status.ErrNotFound) {
				t.Errorf("secret %.10q: %v", secret, err)
			}
		}
	})
}

// TestWrongFieldsAreNamed: each refused field by name, and the invite counts on.
func TestWrongFieldsAreNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		invite := h.invites(grant.Author)
		for _, c := range []struct{ name, password, field, key string }{
			{"", good, "name", "admin.error.name.empty"},
			{strings.Repeat("x", 65), good, "name", "admin.error.name.long"},
			{"a\nb", good, "name", "admin.error.name.form"},
			{"ANA", good, "name", "admin.error.name.taken"},
			{"bob", "short", "password", "admin.error.password.short"},
			{"bob", strings.Repeat("abcdefgh", 33), "password", "admin.error.password.long"},
			{"bob", "aaaaaaaaaaaab", "password", "admin.error.password.weak"},
			{"robert", "RobertRobert1", "password", "admin.error.password.weak"},
		} {
			_, err := h.Join(context.Background(), invite, c.name, c.password, from(1))
			if f, is := errors.AsType[*FieldError](err); !is || f.Field != c.field || f.Key != c.key || !errors.Is(err, status.ErrInvalid) {
				t.Errorf("%q %q: %v, want %s", c.name, c.password, err, c.key)
			}
		}
		if o := h.joins("bob", invite); o.Role != grant.Author {
			t.Errorf("bob is %+v", o)
		}
		if _, err := h.Join(context.Background(), invite, "eve", good, from(1)); !errors.Is(err, status.ErrNotFound) {
			t.Errorf("the invite counts twice: %v", err)
		}
	})
}

// TestSessionsEnd by their age, by lying idle, by the operator and by another password.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ctx := context.Background()
		in := func() string {
			secret, err := h.SignIn(ctx, "ana", good, from(1))
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		is := func(secret string) bool { _, err := h.Who(ctx, secret); return err == nil }
		idle, used := in(), in()
		for range 29 {
			time.Sleep(24 * time.Hour)
			if !is(used) {
				t.Fatal("a session in use ends")
			}
		}
		if is(idle) {
			t.Error("a session that nobody has used for a month counts")
		}
		time.Sleep(24 * time.Hour)
		if is(used) {
			t.Error("a session counts after its end")
		}
		one, two, three := in(), in(), in()
		if all, err := h.Sessions(ctx, h.who(one)); err != nil || len(all) != 3 || all[0].Browser != "Firefox" || all[0].Address != ours {
			t.Errorf("sessions %+v %v", all, err)
		}
		if err := h.EndSession(ctx, h.who(one), h.who(two).Session, from(1)); err != nil || is(two) || !is(three) {
			t.Errorf("one ended: %v", err)
		}
		if err := h.SetPassword(ctx, h.who(one), "wrong", good, from(1)); err == nil || !is(three) {
			t.Error("the password is changed by who does not know it")
		}
		if err := h.SetPassword(ctx, h.who(one), good, "short", from(1)); err == nil {
			t.Error("a short password is taken")
		}
		if err := h.SetPassword(ctx, h.who(one), good, "another horse battery", from(1)); err != nil || !is(one) || is(three) {
			t.Errorf("after another password: %v", err)
		}
		if _, err := h.SignIn(ctx, "ana", good, from(1)); !errors.Is(err, ErrWrong) {
			t.Errorf("the old password: %v", err)
		}
		if err := h.SignOut(ctx, h.who(one), from(1)); err != nil || is(one) {
			t.Errorf("signed out: %v", err)
		}
	})
}

// TestFailuresAreSlowedByAccount wherever they come from, and by address whomever they try; waiting helps, and others get in.
func TestFailuresAreSlowedByAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ctx := context.Background()
		h.joins("bob", h.invites(grant.Author))
		guess := func(name string, key uint64) error {
			_, err := h.SignIn(ctx, name, "wrong wrong wrong", from(key))
			return err
		}
		for i := range uint64(freeTries) {
			if err := guess("ana", 100+i); !errors.Is(err, ErrWrong) {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		if _, err := h.SignIn(ctx, "ana", good, from(200)); locked(err) != firstWait {
			t.Errorf("the right password after %d failures: %v, want it locked for %v", freeTries, err, firstWait)
		}
		if _, err := h.SignIn(ctx, "bob", good, from(200)); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		for wait := firstWait; wait < longest; wait *= 2 {
			time.Sleep(wait)
			if err := guess("ana", 300); !errors.Is(err, ErrWrong) && locked(err) == 0 {
				t.Fatal(err)
			}
		}
		_, err := h.SignIn(ctx, "ana", good, from(201))
		if wait := locked(err); wait <= firstWait || wait > longest {
			t.Errorf("after many failures: %v", err)
		}
		time.Sleep(longest)
		if _, err := h.SignIn(ctx, "ana", good, from(202)); err != nil {
			t.Errorf("after waiting: %v", err)
		}
		if err := guess("ana", 203); !errors.Is(err, ErrWrong) {
			t.Errorf("failures before a success count: %v", err)
		}
	})
}

func TestFailuresAreSlowedByAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ctx := context.Background()
		for i := range freeTries {
			if _, err := h.SignIn(ctx, fmt.Sprint("nobody", i), "wrong wrong wrong", from(7)); !errors.Is(err, ErrWrong) {
				t.Fatal(err)
			}
		}
		if _, err := h.SignIn(ctx, "ana", good, from(7)); locked(err) != firstWait {
			t.Errorf("from the address of the failures: %v", err)
		}
		if _, err := h.Join(ctx, "spi_guess", "eve", good, from(7)); locked(err) != firstWait {
			t.Errorf("an invite from there: %v", err)
		}
		if _, err := h.Bearer(ctx, "Bearer spt_guess", grant.ReadIncidents, from(7)); locked(err) != firstWait {
			t.Errorf("a token from there: %v", err)
		}
		if _, err := h.SignIn(ctx, "ana", good, from(8)); err != nil {
			t.Errorf("from elsewhere: %v", err)
		}
		time.Sleep(firstWait)
		if _, err := h.SignIn(ctx, "ana", good, from(7)); err != nil {
			t.Errorf("after waiting: %v", err)
		}
		for i := range 3 * freeTries { // Those that are not counted: this machine.
			if _, err := h.SignIn(ctx, fmt.Sprint("somebody", i), "wrong wrong wrong", from(0)); !errors.Is(err, ErrWrong) {
				t.Fatal(err)
			}
		}
	})
}

// TestFailuresOfOursAreNoTries: a store that is away locks nobody.
func TestFailuresOfOursAreNoTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		for range 3 * freeTries {
			if _, err := h.SignIn(gone, "ana", good, from(9)); err == nil || errors.Is(err, ErrWrong) || locked(err) > 0 {
				t.Fatalf("without a store: %v", err)
			}
		}
		if _, err := h.SignIn(context.Background(), "ana", good, from(9)); err != nil {
			t.Errorf("with it: %v", err)
		}
	})
}

// TestGuessersCannotCrowdOutALock: whoever tries a hundred thousand other names frees none that is locked.
func TestGuessersCannotCrowdOutALock(t *testing.T) {
	t.Parallel()
	tr, now := newTries(), time.Now()
	for range freeTries {
		tr.begin(1, now)
	}
	for key := range uint64(100_000) {
		tr.begin(key+2, now.Add(time.Second))
	}
	if wait := tr.begin(1, now.Add(time.Second)); wait != time.Second {
		t.Errorf("the locked one waits %v, want 1s", wait)
	}
	if wait := tr.begin(1, now.Add(forgotten)); wait != 0 {
		t.Errorf("an hour later it waits %v", wait)
	}
}

// TestTriesAtOnceAreNotAllLetThrough: a hundred at the same time are as many as five.
func TestTriesAtOnceAreNotAllLetThrough(t *testing.T) {
	t.Parallel()
	tr, now, through := newTries(), time.Now(), 0
	for range 100 {
		if tr.begin(1, now) == 0 {
			through++
		}
	}
	if through != freeTries {
		t.Errorf("%d of a hundred come through, want %d", through, freeTries)
	}
	for range 100 {
		tr.undo(1)
	}
	if tr.begin(1, now) != 0 {
		t.Error("what was taken back counts")
	}
}

func TestTokensAreForTheirScopes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ctx := context.Background()
		secret, err := h.AddToken(ctx, h.ana, "ci", []grant.Scope{grant.WriteIncidents}, time.Now().Add(time.Hour), from(1))
		if err != nil || !strings.HasPrefix(secret, TokenPrefix) || len(secret) < 40 {
			t.Fatal(secret, err)
		}
		h.SetTokens([]FixedToken{
			{Name: "gitops", Hash: sha256.Sum256([]byte("from-the-configuration")), Scopes: []grant.Scope{grant.ReadIncidents, grant.WriteIncidents}},
			{Name: "old", Hash: sha256.Sum256([]byte("from-before")), Scopes: []grant.Scope{grant.ReadIncidents}, Expires: time.Now()},
		})
		for header, want := range map[string]string{
			"Bearer " + secret: "ci", "OAuth " + secret: "ci", "bearer  " + secret + " ": "ci", "OAuth from-the-configuration": "config:gitops",
			"Basic " + secret: "", secret: "", "Bearer": "", "": "", "Bearer " + secret + "x": "", "Bearer from-before": "", "Bearer " + strings.Repeat("x", 1<<16): "",
		} {
			p, err := h.Bearer(ctx, header, grant.WriteIncidents, from(0))
			if want == "" && !errors.Is(err, ErrNoToken) || want != "" && (err != nil || p.Name != want && p.ID != want) {
				t.Errorf("%.40q is %+v, %v; want %q", header, p, err, want)
			}
		}
		if _, err := h.Bearer(ctx, "Bearer "+secret, grant.ReadIncidents, from(0)); !errors.Is(err, ErrScope) {
			t.Errorf("for another scope: %v", err)
		}
		all, err := h.Tokens(ctx)
		if err != nil || len(all) != 1 || all[0].Used.IsZero() {
			t.Errorf("tokens %+v %v", all, err)
		}
		if _, err := h.AddToken(ctx, h.ana, "ci", []grant.Scope{grant.WriteIncidents}, time.Time{}, from(1)); !errors.Is(err, status.ErrInvalid) {
			t.Errorf("the same name again: %v", err)
		}
		time.Sleep(time.Hour)
		if _, err := h.Bearer(ctx, "Bearer "+secret, grant.WriteIncidents, from(0)); !errors.Is(err, ErrNoToken) {
			t.Errorf("after its end: %v", err)
		}
		ever, err := h.AddToken(ctx, h.ana, "ever", []grant.Scope{grant.WriteIncidents}, time.Time{}, from(1))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 * freeTries {
			_, _ = h.Bearer(ctx, "Bearer spt_guess", grant.WriteIncidents, from(5))
		}
		if _, err := h.Bearer(ctx, "Bearer "+ever, grant.WriteIncidents, from(5)); locked(err) == 0 {
			t.Errorf("from an address of failures: %v", err)
		}
		if _, err := h.Bearer(ctx, "Bearer "+ever, grant.WriteIncidents, from(6)); err != nil {
			t.Error(err)
		}
		if _, err := h.Bearer(ctx, "Bearer "+ever, grant.WriteIncidents, from(5)); err != nil {
			t.Errorf("one that was right of late: %v", err)
		}
		all, _ = h.Tokens(ctx)
		for _, k := range all {
			if err := h.RemoveToken(ctx, h.ana, k.ID, from(1)); err != nil {
				t.Error(err)
			}
		}
		if _, err := h.Bearer(ctx, "Bearer "+ever, grant.WriteIncidents, from(6)); !errors.Is(err, ErrNoToken) {
			t.Errorf("removed: %v", err)
		}
	})
}

// TestEveryActIsInTheAudit by who did it to whom, and no secret with it.
func TestEveryActIsInTheAudit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ctx := context.Background()
		invite, err := h.Invite(ctx, h.ana, grant.Author, from(1))
		if err != nil {
			t.Fatal(err)
		}
		bob := h.joins("bob", invite)
		second, err1 := h.Invite(ctx, h.ana, grant.Viewer, from(1))
		invites, err2 := h.Invites(ctx)
		token, err3 := h.AddToken(ctx, h.ana, "ci", []grant.Scope{grant.ReadIncidents}, time.Time{}, from(1))
		tokens, err4 := h.Tokens(ctx)
		if err := errors.Join(err1, err2, err3, err4, h.TakeBack(ctx, h.ana, invites[0].ID, from(1)), h.RemoveToken(ctx, h.ana, tokens[0].ID, from(1)),
			h.SetRole(ctx, h.ana, bob.ID, grant.Viewer, from(1)), h.EndOtherSessions(ctx, h.ana, from(1)), h.Remove(ctx, h.ana, bob.ID, from(1)),
			h.Note(ctx, h.ana.ID, "incident.open", "abc", "", from(1))); err != nil {
			t.Fatal(err)
		}
		if err := h.Remove(ctx, h.ana, h.ana.ID, from(1)); !errors.Is(err, ErrLastAdmin) {
			t.Errorf("the last admin leaves: %v", err)
		}
		did, err := h.Audit(ctx, control.Entry{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range did {
			got = append(got, e.Action)
			if text := fmt.Sprint(e); strings.Contains(text, invite) || strings.Contains(text, token) || strings.Contains(text, second) || strings.Contains(text, "bob") {
				t.Errorf("a secret or a name: %+v", e)
			}
		}
		const want = "incident.open remove session.end_others role token.end invite.end token invite join invite join invite"
		if text := strings.Join(got, " "); text != want {
			t.Errorf("noted %s\nwant  %s", text, want)
		}
	})
}

// TestHashesOfPasswordsAreRead only when they are as ours, and none asks for more memory than there is.
func TestHashesOfPasswordsAreRead(t *testing.T) {
	t.Parallel()
	k := newKitchen()
	phc, err := k.hash(t.Context(), good)
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(phc, err)
	}
	again, _ := k.hash(t.Context(), good)
	if again == phc {
		t.Error("two hashes of one password are alike")
	}
	for text, want := range map[string]bool{
		phc: true, again: true, "": false, strings.Replace(phc, "argon2id", "argon2i", 1): false, strings.Replace(phc, "19456", "19457", 1): false,
		strings.Replace(phc, "m=19456", "m=4194304", 1): false, strings.Replace(phc, "t=2", "t=0", 1): false, strings.Replace(phc, "p=1", "p=0", 1): false,
		phc[:len(phc)-1]: false, phc + "$": false, strings.Replace(phc, "m=19456", "m=019456", 1): false,
	} {
		if is, err := k.verify(t.Context(), text, good); is != want || err != nil {
			t.Errorf("%s: %v %v", text, is, err)
		}
	}
	composed, decomposed := "pa\u00dfw\u00f6rter sind lang", "pa\u00dfwo\u0308rter sind lang"
	phc, _ = k.hash(t.Context(), composed)
	if is, _ := k.verify(t.Context(), phc, decomposed); !is {
		t.Error("another keyboard's accent is another password")
	}
}

// TestNobodyTakesAsLongAsSomebody: how long a sign-in takes does not tell whether there is an account.
func TestNobodyTakesAsLongAsSomebody(t *testing.T) {
	t.Parallel()
	k := newKitchen()
	phc, _ := k.hash(t.Context(), good)
	fastest := func(phc string) time.Duration {
		best := time.Hour
		for range 5 {
			began := time.Now()
			_, _ = k.verify(t.Context(), phc, "wrong")
			best = min(best, time.Since(began))
		}
		return best
	}
	if nobody, somebody := fastest(""), fastest(phc); nobody < somebody/3 || somebody < nobody/3 {
		t.Errorf("nobody takes %v, somebody %v", nobody, somebody)
	}
}

// TestHashesAreMadeOneAtATime: who comes when too many wait is told so at once.
func TestHashesAreMadeOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, let := newKitchen(), make(chan struct{})
		for range maxWaiting {
			go func() { _ = k.in(context.Background(), func() { <-let }) }()
		}
		synctest.Wait()
		if err := k.in(context.Background(), func() { t.Error("one too many is let in") }); !errors.Is(err, status.ErrUnavailable) {
			t.Errorf("one too many: %v", err)
		}
		close(let)
	})
}

// TestStoreThatIsDamagedIsToldAsAway, and tried again now and then.
func TestStoreThatIsDamagedIsToldAsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := New(Options{Store: "postgres://nobody@127.0.0.1:1/x?sslmode=disable", Log: slog.New(slog.DiscardHandler)})
		defer a.Close()
		for range 3 {
			if _, err := a.Open(t.Context()); !errors.Is(err, status.ErrUnavailable) {
				t.Errorf("a store that is away: %v", err)
			}
		}
		if _, err := a.Bearer(t.Context(), "Bearer spt_x", grant.ReadIncidents, from(1)); !errors.Is(err, status.ErrUnavailable) {
			t.Errorf("a token without a store: %v", err)
		}
	})
}

// FuzzPHC: no text makes the parser panic, or is taken with bounds that are not ours.
func FuzzPHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=1,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		if h, ok := parsePHC(text); ok && (h.memory > maxArgonMemory || h.time > maxArgonTime || h.time == 0 || h.threads == 0 || len(h.key) == 0) {
			t.Errorf("%q is taken: %+v", text, h)
		}
	})
}
