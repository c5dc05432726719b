package handlers

import (
	"context"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// receive stands before the routes: it turns away who asks too often, and what is no reading.
func (s *server) receive(ctx *fasthttp.RequestCtx) {
	if wait, ok := s.limits.Allow(ctx); !ok && !gate.Unlimited(ctx.URI().PathOriginal()) {
		s.refuse(ctx, answer.TooMany(wait))
		return
	}
	if h := &ctx.Request.Header; !reads(h) && !s.agents.Posts(h) && !s.admin.Posts(h) && !s.manage.Writes(h) {
		s.readOnly(ctx)
		return
	}
	s.serve(ctx)
}

// receiveOwn is receive on the listener of the operators' area.
func (s *server) receiveOwn(ctx *fasthttp.RequestCtx) {
	if wait, ok := s.limits.Allow(ctx); !ok {
		s.refuse(ctx, answer.TooMany(wait))
		return
	}
	if h := &ctx.Request.Header; !reads(h) && !h.IsPost() {
		s.readOnly(ctx)
		return
	}
	s.own(ctx)
}

func reads(h *fasthttp.RequestHeader) bool { return h.IsGet() || h.IsHead() || h.IsOptions() }

// readOnly answers who wants to write where nobody writes.
func (s *server) readOnly(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set(fiber.HeaderAllow, "GET, HEAD")
	s.refuse(ctx, &answer.Problem{Code: http.StatusMethodNotAllowed})
}

// work makes an answer that is not at hand, unless too much has been made for the address of late. What it
// asks the store has a deadline.
func (s *server) work(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	if gate.Unlimited(c.Context().URI().PathOriginal()) {
		return c.Next()
	}
	done, wait, ok := s.limits.Begin(c.Context())
	if !ok {
		return answer.TooMany(wait)
	}
	defer done()
	return c.Next()
}

// refuse answers a request that gets no further.
func (s *server) refuse(ctx *fasthttp.RequestCtx, p *answer.Problem) {
	c := s.app.AcquireCtx(ctx)
	defer s.app.ReleaseCtx(c)
	_ = s.fail(c, p) // It returns what Send does, which is nothing.
}

// quiet is the log of the HTTP library, which tells what clients did wrong.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
