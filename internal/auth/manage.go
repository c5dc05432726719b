package auth

import (
	"context"
	"errors"
	"path/filepath"
	"statuspage/db/control"
	"statuspage/db/sqlitefile"
	"statuspage/internal/grant"
	"time"
)

// ErrLastAdmin refuses what would leave nobody who may invite others.
var ErrLastAdmin = control.ErrLastAdmin

// Operators are all, by their names.
func (a *Auth) Operators(ctx context.Context) ([]control.Operator, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return s.Operators(ctx)
}

// Invites are those that count.
func (a *Auth) Invites(ctx context.Context) ([]control.Invite, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return s.Invites(ctx, a.options.Now())
}

// Tokens are those of the store, by their names.
func (a *Auth) Tokens(ctx context.Context) ([]control.Token, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return s.Tokens(ctx)
}

// Audit is what was done before an entry, the newest first; the zero entry stands for now.
func (a *Auth) Audit(ctx context.Context, before control.Entry, limit int) ([]control.Entry, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return s.Audit(ctx, before, limit)
}

// Note keeps in the audit log what an operator or a token, by its id, did elsewhere.
func (a *Auth) Note(ctx context.Context, actor, action, subject, detail string, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return s.Note(ctx, a.entry(actor, from, action, subject, detail))
}

// Invite makes an invite, and returns its secret, which is not kept.
func (a *Auth) Invite(ctx context.Context, by Operator, role grant.Role, from From) (secret string, err error) {
	s, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	return invite(ctx, s, role, a.entry(by.ID, from, "", "", ""))
}

func invite(ctx context.Context, s *control.Store, role grant.Role, by control.Entry) (secret string, err error) {
	secret = newSecret(invitePrefix)
	i := control.Invite{ID: newID(), Hash: hashOf(secret), Role: string(role), Maker: by.Actor, Created: by.At, Expires: by.At.Add(inviteLong)}
	by.Action, by.Subject, by.Detail = "invite", i.ID, string(role)
	return secret, s.AddInvite(ctx, i, by)
}

// TakeBack ends an invite.
func (a *Auth) TakeBack(ctx context.Context, by Operator, id string, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return s.RemoveInvite(ctx, id, a.entry(by.ID, from, "invite.end", id, ""))
}

// SetRole gives an operator another role.
func (a *Auth) SetRole(ctx context.Context, by Operator, id string, role grant.Role, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return s.SetRole(ctx, id, string(role), a.entry(by.ID, from, "role", id, string(role)))
}

// Remove erases an operator, with sessions, tokens and invites.
func (a *Auth) Remove(ctx context.Context, by Operator, id string, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	a.good.forget() // Theirs, whichever these are.
	return s.RemoveOperator(ctx, id, a.entry(by.ID, from, "remove", id, ""))
}

// AddToken makes a token, and returns its secret, which is not kept. One without an end has the zero time.
func (a *Auth) AddToken(ctx context.Context, by Operator, name string, scopes []grant.Scope, expires time.Time, from From) (secret string, err error) {
	s, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	return addToken(ctx, s, name, scopes, expires, a.entry(by.ID, from, "", "", ""))
}

func addToken(ctx context.Context, s *control.Store, name string, scopes []grant.Scope, expires time.Time, by control.Entry) (secret string, err error) {
	if name, err = tokenName(name); err != nil {
		return "", err
	}
	secret = newSecret(TokenPrefix)
	t := control.Token{ID: newID(), Name: name, Hash: hashOf(secret), Scopes: grant.Join(scopes), Maker: by.Actor, Created: by.At, Expires: expires}
	by.Action, by.Subject, by.Detail = "token", t.ID, t.Scopes
	err = s.AddToken(ctx, t, by)
	if errors.Is(err, control.ErrTaken) {
		err = &FieldError{"name", "admin.error.name.taken"}
	}
	return secret, err
}

// RemoveToken ends a token.
func (a *Auth) RemoveToken(ctx context.Context, by Operator, id string, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	a.good.forget()
	return s.RemoveToken(ctx, id, a.entry(by.ID, from, "token.end", id, ""))
}

// Desk is the control store as who runs the machine has it: the command line, beside a server or without one.
type Desk struct {
	Where string // The store, for people: a path from the root, or its kind.

	store *control.Store
	now   func() time.Time
}

// OpenDesk opens the store of a URL, and makes it where it is missing.
func OpenDesk(ctx context.Context, store string, now func() time.Time) (*Desk, error) {
	s, err := control.Open(ctx, store)
	if err != nil {
		return nil, err
	}
	where := "PostgreSQL"
	if path, err := sqlitefile.Path(store); err == nil && !s.Shared() {
		if where, err = filepath.Abs(path); err != nil {
			where = path
		}
	}
	return &Desk{where, s, now}, nil
}

// Close closes the store.
func (d *Desk) Close() error { return d.store.Close() }

// Invite makes an invite, and returns its secret.
func (d *Desk) Invite(ctx context.Context, role grant.Role) (secret string, err error) {
	return invite(ctx, d.store, role, control.Entry{At: d.now()})
}

// AddToken makes a token, and returns its secret.
func (d *Desk) AddToken(ctx context.Context, name string, scopes []grant.Scope, expires time.Time) (secret string, err error) {
	return addToken(ctx, d.store, name, scopes, expires, control.Entry{At: d.now()})
}

// Account is an operator as the store keeps them.
type Account = control.Operator

// Entry is a line of the audit log.
type Entry = control.Entry
