package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"statuspage/db/control"
	"statuspage/internal/grant"
	"statuspage/internal/status"
	"strings"
	"sync"
	"time"
)

const (
	maxToken  = 256
	usedEvery = 5 * time.Minute
	goodFor   = time.Hour
	maxGood   = 256
)

// The answers to who has no token that counts, and to whose token is for something else.
var (
	ErrNoToken = errors.New("no token that counts")
	ErrScope   = errors.New("the token is not for this")
)

// FixedToken is one of the configuration.
type FixedToken struct {
	Name    string
	Hash    [sha256.Size]byte // SHA-256 of it.
	Scopes  []grant.Scope
	Expires time.Time // Zero: never.
}

// Program is what has come with a token.
type Program struct {
	ID     string // For the audit log and for what it writes: the token's id, or config: and its name.
	Name   string
	Scopes []grant.Scope
}

// SetTokens says which tokens the configuration has.
func (a *Auth) SetTokens(all []FixedToken) { a.fixed.Store(&all) }

// Bearer finds the program of an Authorization header, which has to have a scope. The schemes Bearer and OAuth are alike.
func (a *Auth) Bearer(ctx context.Context, authorization string, want grant.Scope, from From) (p Program, err error) {
	scheme, secret, _ := strings.Cut(authorization, " ")
	secret = strings.TrimSpace(secret)
	if !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "OAuth") || secret == "" || len(secret) > maxToken {
		return p, ErrNoToken
	}
	if p, err = a.program(ctx, secret, from); err != nil {
		return p, err
	}
	if !slices.Contains(p.Scopes, want) {
		return p, ErrScope
	}
	return p, nil
}

// program finds who a secret is of. An address that has sent many wrong ones waits, but for a secret that was right of late: others
// may share the address.
func (a *Auth) program(ctx context.Context, secret string, from From) (p Program, err error) {
	now := a.options.Now()
	sum := sha256.Sum256([]byte(secret))
	if t, is := a.fixedOf(sum, now); is {
		return t, nil
	}
	if wait := a.byPlace.locked(from.Key, now); wait > 0 && !a.good.has(sum, now) {
		return p, &LockedError{wait}
	}
	s, err := a.open(ctx)
	var t control.Token
	if err == nil && strings.HasPrefix(secret, TokenPrefix) {
		t, err = s.Token(ctx, hex.EncodeToString(sum[:]), now)
	}
	switch {
	case errors.Is(err, status.ErrNotFound), err == nil && t.ID == "": // Not there, or no store to be in.
		a.byPlace.fail(from.Key, now)
		return p, ErrNoToken
	case err != nil:
		return p, err
	}
	a.good.add(sum, now)
	a.used(ctx, s, t, now)
	return Program{ID: t.ID, Name: t.Name, Scopes: grant.Split(t.Scopes)}, nil
}

// used notes when a token was used. That it can't be noted keeps nobody from work.
func (a *Auth) used(ctx context.Context, s *control.Store, t control.Token, now time.Time) {
	if now.Sub(t.Used) < usedEvery {
		return
	}
	if err := s.UseToken(ctx, t.ID, now); err != nil {
		a.options.Log.Warn("the use of a token is not noted", "token", t.Name, "error", err)
	}
}

// fixedOf finds a token of the configuration. How long that takes depends neither on the token nor on whose it is.
func (a *Auth) fixedOf(sum [sha256.Size]byte, now time.Time) (p Program, is bool) {
	all, at := *a.fixed.Load(), -1
	for i := range all {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], all[i].Hash[:]), i, at)
	}
	if at < 0 || !all[at].Expires.IsZero() && !now.Before(all[at].Expires) {
		return p, false
	}
	return Program{ID: "config:" + all[at].Name, Name: all[at].Name, Scopes: all[at].Scopes}, true
}

// goodTokens remembers by their hashes which secrets were right of late.
type goodTokens struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func (g *goodTokens) has(sum [sha256.Size]byte, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return now.Before(g.until[sum])
}

func (g *goodTokens) add(sum [sha256.Size]byte, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.until) >= maxGood || g.until == nil {
		g.until = map[[sha256.Size]byte]time.Time{}
	}
	g.until[sum] = now.Add(goodFor)
}

func (g *goodTokens) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = nil
}
