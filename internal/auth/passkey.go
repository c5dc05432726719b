package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"statuspage/db/control"
	"statuspage/internal/status"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// challengeLong is how long a person may look for their key.
const challengeLong = 5 * time.Minute

// Party is who a passkey is for: a host, which it is bound to for ever, and where its pages are.
type Party struct{ Host, Origin, Name string }

// person is an operator as the library asks for them.
type person struct {
	id, name string
	has      []webauthn.Credential
}

func (p *person) WebAuthnID() []byte                         { return []byte(p.id) }
func (p *person) WebAuthnName() string                       { return p.name }
func (p *person) WebAuthnDisplayName() string                { return p.name }
func (p *person) WebAuthnCredentials() []webauthn.Credential { return p.has }

func (p Party) library() (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{RPID: p.Host, RPDisplayName: p.Name, RPOrigins: []string{p.Origin}})
}

// asked is what a device was asked, and for whom: nobody, at sign-in.
type asked struct {
	Operator string
	Session  webauthn.SessionData
}

// Question is what a browser hands to a device; Ticket comes back with the answer.
type Question struct {
	Ticket    string `json:"ticket"`
	PublicKey any    `json:"publicKey"`
}

// passkeysOf reads an operator's.
func passkeysOf(ctx context.Context, s *control.Store, o control.Operator) (*person, error) {
	p := &person{id: o.ID, name: o.Name}
	all, err := s.Passkeys(ctx, o.ID)
	for _, one := range all {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(one.Data), &c); err != nil {
			return nil, fmt.Errorf("passkey %s: %w", one.ID, err)
		}
		p.has = append(p.has, c)
	}
	return p, err
}

// ask keeps what a device is asked.
func (a *Auth) ask(ctx context.Context, s *control.Store, operator string, of *webauthn.SessionData, publicKey any) (q Question, err error) {
	data, err := json.Marshal(asked{operator, *of})
	if err != nil {
		return q, err
	}
	now := a.options.Now()
	q = Question{Ticket: newSecret(""), PublicKey: publicKey}
	return q, s.AddChallenge(ctx, hashOf(q.Ticket), string(data), now, now.Add(challengeLong))
}

// answered takes what a device was asked for an operator.
func (a *Auth) answered(ctx context.Context, s *control.Store, operator, ticket string) (of webauthn.SessionData, err error) {
	var was asked
	data, err := s.TakeChallenge(ctx, hashOf(ticket), a.options.Now())
	if err == nil {
		err = json.Unmarshal([]byte(data), &was)
	}
	if err == nil && was.Operator != operator {
		err = status.ErrNotFound
	}
	return was.Session, err
}

// AskForPasskey begins to make a passkey for an operator.
func (a *Auth) AskForPasskey(ctx context.Context, o Operator, p Party) (q Question, err error) {
	s, err := a.open(ctx)
	if err != nil {
		return q, err
	}
	library, err := p.library()
	if err != nil {
		return q, err
	}
	who, err := passkeysOf(ctx, s, control.Operator{ID: o.ID, Name: o.Name})
	if err != nil {
		return q, err
	}
	options, of, err := library.BeginRegistration(who,
		// The device knows the account, so that nobody has to say their name.
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}),
		webauthn.WithExclusions(webauthn.Credentials(who.has).CredentialDescriptors()),
	)
	if err != nil {
		return q, err
	}
	return a.ask(ctx, s, o.ID, of, options.Response)
}

// AddPasskey keeps what a device has made.
func (a *Auth) AddPasskey(ctx context.Context, o Operator, p Party, ticket string, response []byte, name string, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	of, err := a.answered(ctx, s, o.ID, ticket)
	if err != nil {
		return err
	}
	library, err := p.library()
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return ErrWrong
	}
	made, err := library.CreateCredential(&person{id: o.ID, name: o.Name}, of, parsed)
	if err != nil {
		return ErrWrong
	}
	data, err := json.Marshal(made)
	if err != nil {
		return err
	}
	k := control.Passkey{ID: newID(), Credential: credentialID(made), Operator: o.ID, Name: name, Data: string(data), Created: a.options.Now()}
	if err = s.AddPasskey(ctx, k, a.entry(o.ID, from, "passkey", k.ID, "")); errors.Is(err, control.ErrTaken) {
		return ErrWrong
	}
	return err
}

func credentialID(c *webauthn.Credential) string { return base64.RawURLEncoding.EncodeToString(c.ID) }

// AskPasskey begins to sign somebody in, whoever it is.
func (a *Auth) AskPasskey(ctx context.Context, p Party, from From) (q Question, err error) {
	s, err := a.open(ctx)
	if err != nil {
		return q, err
	}
	if wait := a.byPlace.locked(from.Key, a.options.Now()); wait > 0 {
		return q, &LockedError{wait}
	}
	library, err := p.library()
	if err != nil {
		return q, err
	}
	options, of, err := library.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return q, err
	}
	return a.ask(ctx, s, "", of, options.Response)
}

// SignInByPasskey opens a session by what a device has answered. What is wrong with it counts against the address, as a wrong password does;
// an account can't be locked by it, since nothing can be guessed.
func (a *Auth) SignInByPasskey(ctx context.Context, p Party, ticket string, response []byte, from From) (secret string, err error) {
	s, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	now := a.options.Now()
	if wait := a.byPlace.locked(from.Key, now); wait > 0 {
		return "", &LockedError{wait}
	}
	secret, err = a.byPasskey(ctx, s, p, ticket, response, from)
	if errors.Is(err, status.ErrNotFound) || errors.Is(err, ErrWrong) {
		a.byPlace.fail(from.Key, now)
		err = ErrWrong
	}
	return secret, err
}

func (a *Auth) byPasskey(ctx context.Context, s *control.Store, p Party, ticket string, response []byte, from From) (secret string, err error) {
	of, err := a.answered(ctx, s, "", ticket)
	if err != nil {
		return "", err
	}
	library, err := p.library()
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return "", ErrWrong
	}
	var errStore error // The library hides it.
	find := func(_, handle []byte) (webauthn.User, error) {
		o, err := s.Operator(ctx, string(handle))
		if err != nil {
			errStore = err
			return nil, err
		}
		who, err := passkeysOf(ctx, s, o)
		if err != nil {
			errStore = err
			return nil, err
		}
		return who, nil
	}
	user, used, err := library.ValidatePasskeyLogin(find, of, parsed)
	switch {
	case errStore != nil:
		return "", errStore
	case err != nil:
		return "", ErrWrong
	}
	if used.Authenticator.CloneWarning {
		a.options.Log.Warn("a passkey counts backwards: it may have been copied; remove it", "operator", user.WebAuthnName(), "address", from.Address)
		return "", ErrWrong
	}
	data, err := json.Marshal(used)
	if err != nil {
		return "", err
	}
	operator := string(user.WebAuthnID())
	secret, session := a.newSession(operator, from)
	return secret, s.SignInByPasskey(ctx, credentialID(used), string(data), session, a.entry(operator, from, "sign_in", "", ""))
}

// Passkeys are an operator's own.
func (a *Auth) Passkeys(ctx context.Context, o Operator) ([]control.Passkey, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return s.Passkeys(ctx, o.ID)
}

// EndPasskey ends one of an operator's own.
func (a *Auth) EndPasskey(ctx context.Context, o Operator, id string, from From) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	return s.RemovePasskey(ctx, o.ID, id, a.entry(o.ID, from, "passkey.end", id, ""))
}
