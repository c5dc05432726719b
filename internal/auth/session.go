package auth

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"statuspage/db/control"
	"statuspage/internal/grant"
	"statuspage/internal/status"
	"strings"
	"time"
)

const (
	sessionIdle  = 14 * 24 * time.Hour // Who signs in on the phone should be in when it rings.
	sessionLong  = 30 * 24 * time.Hour
	seenEvery    = 5 * time.Minute // Not a write for each view.
	inviteLong   = 24 * time.Hour
	maxBrowser   = 200
	secretLength = 64 // More is no secret of ours.
)

// ErrWrong is the answer to a name and a password that don't belong together, whichever of them is wrong.
var ErrWrong = errors.New("name or password is wrong")

// SignIn opens a session. It returns the secret for the cookie.
func (a *Auth) SignIn(ctx context.Context, name, password string, from From) (secret string, err error) {
	s, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	account, errName := AccountName(name)
	now := a.options.Now()
	key := a.nameKey(account)
	if wait := a.begin(key, from, now); wait > 0 {
		return "", &LockedError{wait}
	}
	o, err := s.OperatorNamed(ctx, account)
	if errors.Is(err, status.ErrNotFound) {
		err = nil // Nobody has no password, which takes as long to find out.
	}
	var right bool
	if err == nil {
		right, err = a.kitchen.verify(ctx, o.Password, password[:min(len(password), maxPassword+1)])
	}
	switch {
	case err != nil: // Ours, and no try of theirs.
		a.byName.undo(key)
		a.byPlace.undo(from.Key)
		return "", err
	case !right || errName != nil:
		if wait := a.byName.locked(key, now); wait > 0 {
			a.options.Log.Warn("sign-in is locked for a while after failures", "account", account, "wait", wait, "address", from.Address)
		}
		return "", ErrWrong
	}
	a.byName.succeeded(key)
	a.byPlace.undo(from.Key) // Who has an account does not guess others for nothing.
	secret, of := a.newSession(o.ID, from)
	return secret, s.AddSession(ctx, of, a.entry(o.ID, from, "sign_in", "", ""))
}

// begin counts a try with a password, by account and address, or says how long to wait. What is locked for the one does not count for the other.
func (a *Auth) begin(key uint64, from From, now time.Time) (wait time.Duration) {
	if wait := max(a.byName.locked(key, now), a.byPlace.locked(from.Key, now)); wait > 0 {
		return wait
	}
	if wait := a.byPlace.begin(from.Key, now); wait > 0 {
		return wait
	}
	return a.byName.begin(key, now)
}

func (a *Auth) nameKey(account string) uint64 { return max(1, maphash.String(a.seed, account)) }

func (a *Auth) newSession(operator string, from From) (secret string, of control.Session) {
	now := a.options.Now()
	secret = newSecret("")
	return secret, control.Session{
		ID: newID(), Hash: hashOf(secret), Operator: operator, Created: now, Seen: now, Expires: now.Add(sessionLong),
		Address: from.Address, Browser: strings.ToValidUTF8(from.Browser[:min(len(from.Browser), maxBrowser)], ""),
	}
}

// Who is the operator of a session's secret; status.ErrNotFound for nobody.
func (a *Auth) Who(ctx context.Context, secret string) (o Operator, err error) {
	if secret == "" || len(secret) > secretLength {
		return o, status.ErrNotFound
	}
	s, err := a.open(ctx)
	if err != nil {
		return o, err
	}
	now := a.options.Now()
	of, is, err := s.Session(ctx, hashOf(secret), now, now.Add(-sessionIdle))
	if err != nil {
		return o, err
	}
	if now.Sub(of.Seen) >= seenEvery {
		if err := s.SeeSession(ctx, of.ID, now); err != nil {
			return o, err
		}
	}
	return Operator{ID: is.ID, Name: is.Name, Role: grant.Role(is.Role), Session: of.ID}, nil
}

// Sessions are those of an operator, the newest first.
func (a *Auth) Sessions(ctx context.Context, o Operator) ([]control.Session, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	now := a.options.Now()
	return s.Sessions(ctx, o.ID, now, now.Add(-sessionIdle))
}

// SignOut ends the session at hand.
func (a *Auth) SignOut(ctx context.Context, o Operator, from From) error {
	return a.EndSession(ctx, o, o.Session, from)
}

// EndSession ends one of an operator's own.
func (a *Auth) EndSession(ctx context.Context, o Operator, id string, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	action := "session.end"
	if id == o.Session {
		action = "sign_out"
	}
	return s.EndSession(ctx, o.ID, id, a.entry(o.ID, from, action, "", ""))
}

// EndOtherSessions ends all of an operator's own but the one at hand.
func (a *Auth) EndOtherSessions(ctx context.Context, o Operator, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return s.EndSessions(ctx, o.ID, o.Session, a.entry(o.ID, from, "session.end_others", "", ""))
}

// SetPassword changes an operator's own, who shows the old one. All other sessions end.
func (a *Auth) SetPassword(ctx context.Context, o Operator, old, next string, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	now := a.options.Now()
	if wait := a.byName.begin(a.nameKey(o.Name), now); wait > 0 { // A stolen session is no way to guess.
		return &LockedError{wait}
	}
	is, err := s.OperatorNamed(ctx, o.Name)
	var right bool
	if err == nil {
		right, err = a.kitchen.verify(ctx, is.Password, old[:min(len(old), maxPassword+1)])
	}
	switch {
	case err != nil:
		a.byName.undo(a.nameKey(o.Name))
		return err
	case !right:
		return &FieldError{"old", "admin.error.wrong.password"}
	}
	a.byName.succeeded(a.nameKey(o.Name))
	if err := newPassword(next, o.Name); err != nil {
		return err
	}
	phc, err := a.kitchen.hash(ctx, next)
	if err != nil {
		return err
	}
	return s.SetPassword(ctx, o.ID, phc, o.Session, a.entry(o.ID, from, "password", "", ""))
}

// Invitation finds an invite by its secret: for which role it is.
func (a *Auth) Invitation(ctx context.Context, secret string, from From) (grant.Role, error) {
	i, _, err := a.invitation(ctx, secret, from)
	return grant.Role(i.Role), err
}

func (a *Auth) invitation(ctx context.Context, secret string, from From) (i control.Invite, s *control.Store, err error) {
	if s, err = a.open(ctx); err != nil {
		return i, nil, err
	}
	if len(secret) > secretLength || !strings.HasPrefix(secret, invitePrefix) {
		return i, nil, status.ErrNotFound
	}
	now := a.options.Now()
	if wait := a.byPlace.locked(from.Key, now); wait > 0 {
		return i, nil, &LockedError{wait}
	}
	i, err = s.Invite(ctx, hashOf(secret), now)
	if errors.Is(err, status.ErrNotFound) {
		a.byPlace.fail(from.Key, now)
	}
	return i, s, err
}

// Join makes an account of an invite, which is used up by it, and signs in.
func (a *Auth) Join(ctx context.Context, invite, name, password string, from From) (secret string, err error) {
	i, s, err := a.invitation(ctx, invite, from)
	if err != nil {
		return "", err
	}
	account, err := AccountName(name)
	if err == nil {
		err = newPassword(password, account)
	}
	if err != nil {
		return "", err
	}
	phc, err := a.kitchen.hash(ctx, password)
	if err != nil {
		return "", err
	}
	id := newID()
	secret, of := a.newSession(id, from)
	o := control.Operator{ID: id, Name: account, Role: i.Role, Password: phc, Created: of.Created}
	err = s.Join(ctx, hashOf(invite), o, of, a.entry(id, from, "join", "", i.Role))
	if errors.Is(err, control.ErrTaken) {
		return "", &FieldError{"name", "admin.error.name.taken"}
	}
	if err != nil {
		return "", fmt.Errorf("join: %w", err)
	}
	return secret, nil
}
