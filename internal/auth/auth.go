package auth

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"os"
	"statuspage/db/control"
	"statuspage/db/sqlitefile"
	"statuspage/internal/grant"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// reopenWait is how often a store that can't be opened is tried again.
	reopenWait = 2 * time.Second
	openWait   = 5 * time.Second
	sweepEvery = time.Hour
)

// Options are what Auth needs.
type Options struct {
	Store  string // URL of the control store.
	Off    bool   // Nobody signs in; tokens of the configuration count all the same.
	Shared bool   // Other processes show the page as well.
	Log    *slog.Logger
	Now    func() time.Time // Nil for the clock.
}

// Auth knows who may write. Its methods may be called from any goroutine. Errors wrap status.ErrUnavailable for a store that can't be
// asked, and status.ErrNotFound for what is not there.
type Auth struct {
	options Options
	kitchen *kitchen
	seed    maphash.Seed
	byName  *tries
	byPlace *tries
	fixed   atomic.Pointer[[]FixedToken]
	good    goodTokens

	mu     sync.Mutex // Held while the store is opened.
	store  *control.Store
	failed error // Why the last try to open it went wrong.
	tried  time.Time
	swept  time.Time
	closed bool

	anybody atomic.Int64 // Until when it is known that somebody may come, in Unix nanoseconds.
}

// New returns it without opening the store, which is done when it is first asked: the page does not wait for it.
func New(o Options) *Auth {
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Auth{options: o, kitchen: newKitchen(), seed: maphash.MakeSeed(), byName: newTries(), byPlace: newTries()}
	a.fixed.Store(&[]FixedToken{})
	return a
}

// Close closes the store; nothing opens it again.
func (a *Auth) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.store == nil {
		return nil
	}
	return a.store.Close()
}

// errNoStore tells of a file that nobody has made yet.
var errNoStore = fmt.Errorf("there is no control store yet: %w", status.ErrNotFound)

// open returns the store. A file that is missing is made by who invites the first, and not by who asks whether there is one.
func (a *Auth) open(ctx context.Context) (*control.Store, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.options.Now()
	switch {
	case a.closed:
		return nil, fmt.Errorf("the control store is closed: %w", status.ErrUnavailable)
	case a.store != nil:
		a.sweep(ctx, now)
		return a.store, nil
	case a.failed != nil && now.Sub(a.tried) < reopenWait && !now.Before(a.tried):
		return nil, a.failed
	}
	if path, err := sqlitefile.Path(a.options.Store); err == nil && strings.HasPrefix(a.options.Store, "sqlite:") {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, errNoStore
		}
	}
	ctx, cancel := context.WithTimeout(ctx, openWait)
	defer cancel()
	a.tried = now
	a.store, a.failed = control.Open(ctx, a.options.Store)
	if a.failed != nil {
		if !errors.Is(a.failed, status.ErrUnavailable) {
			a.failed = fmt.Errorf("%w: %w", status.ErrUnavailable, a.failed) // A mistake of ours is not one of who asks.
		}
		return nil, a.failed
	}
	if a.options.Shared && !a.store.Shared() {
		a.options.Log.Warn("operators of this process are unknown to others, since the control store is a file; set control: postgres://…")
	}
	a.sweep(ctx, now)
	return a.store, nil
}

// sweep removes what has expired, now and then.
func (a *Auth) sweep(ctx context.Context, now time.Time) {
	if since := now.Sub(a.swept); since >= 0 && since < sweepEvery {
		return
	}
	a.swept = now
	if err := a.store.Sweep(ctx, now, now.Add(-sessionIdle)); err != nil {
		a.options.Log.Error("the control store is not tidied up", "error", err)
	}
}

// Open tells whether the operators' area is there at all: somebody has an account, or was invited. It asks the store at most once a
// second. A store that can't be asked is an error.
func (a *Auth) Open(ctx context.Context) (bool, error) {
	if a == nil || a.options.Off {
		return false, nil
	}
	now := a.options.Now()
	if until := a.anybody.Load(); until > now.UnixNano() && until <= now.Add(time.Second).UnixNano() {
		return true, nil
	}
	s, err := a.open(ctx)
	if errors.Is(err, errNoStore) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	is, err := s.Any(ctx, now)
	if is {
		a.anybody.Store(now.Add(time.Second).UnixNano())
	}
	return is, err
}

// From is where somebody acts from.
type From struct {
	Key     uint64 // By which failures of the address are counted; 0 for not at all.
	Address string
	Browser string
}

// Operator is somebody who has signed in.
type Operator struct {
	ID, Name string
	Role     grant.Role
	Session  string // Id of the session.
}

func (a *Auth) entry(actor string, from From, action, subject, detail string) control.Entry {
	return control.Entry{At: a.options.Now(), Actor: actor, Action: action, Subject: subject, Detail: detail, Address: from.Address}
}
