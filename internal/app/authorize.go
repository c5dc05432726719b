package app

import (
	"context"
	"errors"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/handlers/manage"
	"statuspage/internal/auth"
	"statuspage/internal/grant"
	"time"

	"github.com/gofiber/fiber/v2"
)

// knowWait bounds how long it takes to know somebody by a header.
const knowWait = time.Second

// managing is where tools write, on a process that lets programs in.
func (a *app) managing() manage.Sources {
	if a.auth == nil {
		return manage.Sources{}
	}
	return manage.Sources{Desk: a.words.desk, Whole: a.words.reader.Whole, Authorize: a.authorize, Known: a.known}
}

// authorize tells who asks with a token, as an opaque name.
func (a *app) authorize(c *fiber.Ctx, scope string) (actor string, err error) {
	p, err := a.auth.Bearer(c.UserContext(), c.Get(fiber.HeaderAuthorization), grant.Scope(scope), auth.From{Address: c.IP()})
	var locked *auth.LockedError
	switch {
	case err == nil:
		return "api:" + p.ID, nil
	case errors.Is(err, auth.ErrNoToken):
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return "", &answer.Problem{Code: http.StatusUnauthorized, Detail: "Send a token that counts: Authorization: Bearer …, or OAuth …"}
	case errors.Is(err, auth.ErrScope):
		return "", &answer.Problem{Code: http.StatusForbidden, Detail: "The token is not for this: it needs the scope " + scope + "."}
	case errors.As(err, &locked):
		return "", answer.TooMany(locked.Wait)
	}
	return "", err
}

// known tells whether a header has the form of one that may write, before its body is read.
func (a *app) known(authorization []byte) bool {
	ctx, cancel := context.WithTimeout(context.Background(), knowWait)
	defer cancel()
	_, err := a.auth.Bearer(ctx, string(authorization), grant.WriteIncidents, auth.From{})
	return err == nil
}
