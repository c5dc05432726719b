// Package handlers is the HTTP side of the product: it listens, mounts what answers, and changes over to another
// configuration. Bytes are made when something changes and shared by all readers; no request queries a
// store for the present or waits for a probe.
package handlers

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"statuspage/handlers/admin"
	"statuspage/handlers/agents"
	"statuspage/handlers/answer"
	"statuspage/handlers/api"
	"statuspage/handlers/assets"
	"statuspage/handlers/badge"
	"statuspage/handlers/compat"
	"statuspage/handlers/gate"
	"statuspage/handlers/manage"
	"statuspage/handlers/ops"
	"statuspage/handlers/public"
	"statuspage/handlers/visitor"
	"statuspage/internal/auth"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/incident"
	"statuspage/internal/live"
	"statuspage/internal/page"
	"statuspage/internal/past"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v2/utils"
	"github.com/valyala/fasthttp"
)

// Limits of what a client may ask for.
const (
	maxBody      = 16 << 10 // Bytes; more than a form of ours has.
	shutdownWait = 5 * time.Second
	// answerTimeout bounds all that an answer reads of the store, however many reads that are; streams read nothing.
	answerTimeout = 8 * time.Second
)

// Options are what a server needs; only Note, Ready, Metrics and Now may be missing.
type Options struct {
	Board      *board.Board
	Log        *slog.Logger
	Page       page.Settings
	History    past.History // Nil: only what the board keeps.
	CORS       []string     // Origins whose pages may read the API from a browser; none for any.
	MaxViewers int          // Streams at once.
	Limits     gate.Limits
	Note       func() views.Note // What the page has to say of the product's own state.
	Ready      func() ops.Readiness
	Metrics    func(io.Writer) (contentType string, err error)
	Now        func() time.Time
	Agents     *agents.Agents    // Nil for none.
	Auth       *auth.Auth        // Who may write; nil for nobody.
	OwnAdmin   bool              // /admin is where ServeAdmin listens, and nowhere else.
	Words      *incident.Lookout // What people say; nil for nothing.
	Manage     manage.Sources    // Where tools write; the zero value for nowhere.
	Bare       bool              // Only /healthz, /readyz and /metrics: the process shows no page.
	OwnOps     bool              // /metrics is where ServeOps listens, and nowhere else.
}

// check says what is missing, and fills in what may be.
func (o *Options) check() error {
	if o.Board == nil || o.Log == nil || o.MaxViewers < 1 {
		return fmt.Errorf("handlers: board, log and a number of viewers are needed: %w", status.ErrInvalid)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Note == nil {
		o.Note = func() views.Note { return views.NoNote }
	}
	if o.Words == nil {
		o.Words = incident.NewLookout(incident.NewBook(0))
	}
	o.Limits = o.Limits.Filled()
	return nil
}

// server answers by one configuration: it puts the features together, and stands around them with what holds for all.
type server struct {
	log      *slog.Logger
	page     *page.Page
	live     *live.Live
	limits   *gate.Limiter
	past     *past.Reader
	agents   *agents.Agents
	manage   *manage.Manage
	assets   *assets.Assets
	admin    *admin.Area
	cors     cors
	https    bool         // The page's address is one.
	awaySaid atomic.Int64 // Unix nanoseconds of the last line about a store that can't be read.

	features []feature // All that answer, in the order of their routes.

	app   *fiber.App
	serve fasthttp.RequestHandler // The routes.
	ops   fasthttp.RequestHandler // Those of the operator's listener.
	own   fasthttp.RequestHandler // Those of the operators' area on a listener of its own.
}

// feature answers at addresses of its own.
type feature interface{ Routes(r fiber.Router) }

// atHand is a feature that can answer from memory.
type atHand interface{ AtHand(r fiber.Router) }

// newServer builds the routes and follows the board from then on, until halt. It goes on
// where the server before stands, whose live part has ended; nil at first.
func newServer(o Options, broker *sse.Broker, before *server) (*server, error) {
	s := &server{
		log: o.Log, page: page.New(o.Page, board.Plain(o.Board.Services()), o.Board.Location()), agents: o.Agents,
		cors: newCORS(o.CORS), https: strings.HasPrefix(o.Page.BaseURL, "https://"),
	}
	var liveBefore *live.Live
	var assetsBefore *assets.Assets
	if before == nil {
		s.past, s.limits = past.NewReader(o.History, o.Now), gate.NewLimiter(o.Limits, o.Log)
	} else {
		liveBefore, assetsBefore = before.live, before.assets
		s.past, s.limits = before.past, before.limits // What was read, and what visitors have asked for, counts on.
	}
	var err error
	if s.live, err = live.New(live.Options{Board: o.Board, Page: s.page, Note: o.Note, Now: o.Now, Log: o.Log, Broker: broker, Words: o.Words}, liveBefore); err != nil {
		return nil, err
	}
	reader := visitor.New(s.page, s.limits)
	s.assets = assets.New(s.page, o.Board, reader, assetsBefore)
	s.admin = admin.New(admin.Options{Auth: o.Auth, Page: s.page, Visitor: reader, Limits: s.limits, Now: o.Now, Elsewhere: o.OwnAdmin})
	s.app = fiber.New(fiber.Config{
		AppName:               "statuspage",
		DisableStartupMessage: true,
		Immutable:             true,                                // Without it kept strings show the next visitor's data.
		Concurrency:           o.Limits.Connections + gate.Leaving, // The door holds the limit; this one would answer without Retry-After.
		ReadTimeout:           o.Limits.Read,
		WriteTimeout:          o.Limits.Write,
		IdleTimeout:           o.Limits.Idle,
		ReadBufferSize:        gate.MaxHeader,
		BodyLimit:             maxBody,
		StreamRequestBody:     false,
		ErrorHandler:          s.fail,
	})
	forOps := ops.New(o.Ready, o.Metrics)
	if o.Bare {
		s.protect(s.app)
		forOps.Routes(s.app)
	} else {
		s.features = s.all(o, broker, reader, forOps)
		s.mount()
	}
	if !o.OwnOps {
		forOps.MetricsRoutes(s.app)
	}
	if base := s.page.Base; base != "" && !o.Bare { // Last: the page may stand below a path of the name of one of ours.
		s.app.Get(string(base), func(c *fiber.Ctx) error { return c.Redirect(base.At("/"), http.StatusPermanentRedirect) })
	}
	s.serve = s.app.Handler()
	operators := fiber.New(s.app.Config())
	s.protect(operators)
	forOps.Routes(operators)
	forOps.MetricsRoutes(operators)
	s.ops = operators.Handler()
	own := fiber.New(s.app.Config())
	s.protect(own)
	own.Use(s.work)
	s.assets.Routes(own)
	s.admin.OwnRoutes(own)
	s.own = own.Handler()
	return s, nil
}

// all are the features that answer visitors, developers and other products, each with what it needs.
func (s *server) all(o Options, broker *sse.Broker, reader *visitor.Reader, forOps *ops.Ops) []feature {
	sums := figures.New(o.Board, s.page, s.past, o.Words)
	streams := gate.NewStreams(broker, s.limits)
	pages := public.Sources{
		Page: s.page, Board: o.Board, Live: s.live, Past: s.past, Figures: sums, Visitor: reader, Streams: streams, Limits: s.limits, Now: o.Now,
	}
	s.manage = manage.New(o.Manage, s.page, sums, reader.Base, o.Now)
	return []feature{
		public.NewOverview(pages),
		public.NewServicePage(pages),
		api.NewFeeds(s.page, o.Board, s.live, reader, o.Now),     // Before the days of a service, whose addresses have the same form.
		api.NewCalendars(s.page, o.Board, s.live, reader, o.Now), // As feeds.
		public.NewHistory(pages),
		public.NewIncidents(pages),
		public.NewElsewhere(pages),
		api.NewStatus(o.Board, sums, o.Now),
		api.NewSignals(o.Board, s.live.Records(), streams),
		api.NewDocs(s.page),
		badge.New(s.page, o.Board, s.live, sums, reader, o.Now),
		compat.NewGatus(o.Board, sums, o.Now),
		compat.NewKuma(s.page, o.Board, sums, o.Now),
		compat.NewStatuspage(o.Board, sums, reader, o.Now),
		s.manage,
		compat.NewInstatus(s.page, o.Board, sums, reader, o.Now),
		s.assets,
		s.admin,
		o.Agents,
		forOps,
	}
}

// mount puts what is asked most before what makes answers, and before what bounds it: an answer that is at hand
// costs nobody anything, so nobody is kept from it.
func (s *server) mount() {
	s.app.Use(recover.New(), func(c *fiber.Ctx) error {
		s.limits.Warn(c.Context())
		s.secure(c, answer.Protect)
		if err := checkHost(c); err != nil {
			return err
		}
		if s.preflight(c) {
			return nil
		}
		return c.Next()
	})
	for _, f := range s.features {
		if f, ok := f.(atHand); ok {
			f.AtHand(s.app)
		}
	}
	s.app.Use(s.work)
	for _, f := range s.features {
		f.Routes(s.app)
	}
}

// protect is what stands before the answers of a process that shows no page, and of the operator's listener.
func (s *server) protect(app *fiber.App) {
	app.Use(recover.New(), func(c *fiber.Ctx) error {
		s.secure(c, answer.Protect)
		if err := checkHost(c); err != nil {
			return err
		}
		return c.Next()
	})
}

// secure sets the headers that every answer carries, by one of two ways to protect it.
func (s *server) secure(c *fiber.Ctx, protect func(c *fiber.Ctx, open bool)) {
	path := utils.UnsafeString(c.Context().Path())
	protect(c, forOtherSites(path))
	s.cors.allow(c, path)
	s.strict(c)
}

// strict sets the header for visitors who come over TLS: the page has an https address, or a
// trusted proxy says so of the request. Browsers ignore it without TLS.
func (s *server) strict(c *fiber.Ctx) {
	if s.https || s.limits.OverTLS(c.Context()) {
		answer.OnlyOverTLS(c)
	}
}
