// Package handlers answers HTTP: pages, partials, streams, JSON, badges, documentation.
// Bytes are made when something changes and shared by all readers; no request queries a
// store or waits for a probe.
package handlers

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/internal/agent"
	"statuspage/internal/board"
	"statuspage/internal/past"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/static"
	"statuspage/views"
	"statuspage/views/feed"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v2/utils"
	"github.com/valyala/fasthttp"
)

// Limits of what a client may ask for.
const (
	maxBody      = 16 << 10 // Bytes; nothing here takes a body.
	shutdownWait = 5 * time.Second
	// answerTimeout bounds all that an answer reads of the store, however many reads that are; streams read nothing.
	answerTimeout  = 8 * time.Second
	refreshSeconds = 30 // How often a page without JavaScript asks again, or one that no stream reaches.
	beatSeconds    = int(sse.Heartbeat / time.Second)
)

// Readiness is what /readyz tells.
type Readiness struct {
	Ready   bool   `json:"ready"`
	Board   string `json:"board"` // "filled", or "loading" until history has been read.
	Store   string `json:"store"` // "up" or "away".
	Engine  string `json:"engine"`
	Outbox  int    `json:"outbox"`  // Signals on disk that the store does not have yet.
	Unsaved int    `json:"unsaved"` // Signals in memory that are on no disk yet.
	Config  string `json:"config"`  // "current", or "refused" while the file holds something else than what runs.
	Role    string `json:"role,omitempty"`
	Queue   string `json:"queue,omitempty"` // "up" or "away"; empty for one process.
}

// Options are what a Server needs; only Note, Ready, Metrics and Now may be missing.
type Options struct {
	Board      *board.Board
	Log        *slog.Logger
	Site       Site
	History    past.History // Nil: only what the board keeps.
	CORS       []string     // Origins whose pages may read the API from a browser; none for any.
	MaxViewers int          // Streams at once.
	Limits     gate.Limits
	Note       func() views.Note // What the page has to say of the product's own state.
	Ready      func() Readiness
	Metrics    func(io.Writer) (contentType string, err error)
	Now        func() time.Time
	Desk       *Desk // Where agents come; nil for nowhere.
	Bare       bool  // Only /healthz, /readyz and /metrics: the process shows no page.
	OwnOps     bool  // /metrics is where ServeOps listens, and nowhere else.
}

// Server answers by one configuration.
type Server struct {
	board    *board.Board
	live     *live
	site     Site
	log      *slog.Logger
	now      func() time.Time
	ready    func() Readiness
	metrics  *exposition // Nil without any.
	ownOps   bool        // The operator has a listener of his own.
	hall     *sse.Hall
	awaySaid atomic.Int64 // Unix nanoseconds of the last line about a store that can't be read.
	records  answer.Cache // Of /signals, by version of the board.
	badges   answer.Cache // By version of the page: a state may also change by time alone.
	pages    answer.Cache // The same, of pages other than the plain ones.
	spans    answer.Cache // Of the past, by minute.
	cards    answer.Cache
	fixed    answer.Cache // What changes with the configuration alone, which makes another Server.
	sums     sums
	figures  figures
	gatusAt  map[string]int // Services by Gatus's name for them, the first of several.
	past     *past.Reader
	zones    zones
	brand    map[string]*brandFile
	outgoing map[string]*brandFile // Of the configuration before: pages of it are still being loaded.
	files    sync.Map              // Of package static, by address.
	openapi  *answer.Entity
	https    bool // The page's address is one.
	cors     cors
	limits   *gate.Limiter
	desk     *Desk

	app     *fiber.App
	serve   fasthttp.RequestHandler // The routes.
	ops     fasthttp.RequestHandler // Those of the operator's listener.
	running sync.WaitGroup
	cancel  context.CancelFunc
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
	if o.Ready == nil {
		o.Ready = func() Readiness { return Readiness{Ready: true, Board: "filled", Store: "up", Config: "current"} }
	}
	o.Limits = o.Limits.Filled()
	return nil
}

// newServer builds the routes and follows the board from then on, until retire. It goes on
// where the server before stands, whose live part has ended; nil at first.
func newServer(o Options, hall *sse.Hall, before *Server) *Server {
	s := &Server{
		board: o.Board, hall: hall, site: o.Site, log: o.Log, now: o.Now,
		ready: o.Ready, metrics: newExposition(o.Metrics), ownOps: o.OwnOps,
		brand: o.Site.brandFiles(), desk: o.Desk,
	}
	if before == nil {
		s.live, s.past, s.limits = newLive(o, hall, nil), past.NewReader(o.History, o.Now), gate.NewLimiter(o.Limits, o.Log)
	} else {
		s.live, s.outgoing = newLive(o, hall, before.live), before.brand
		s.past, s.limits = before.past, before.limits // What was read, and what visitors have asked for, counts on.
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.running.Go(func() { s.live.run(ctx) })
	s.gatusAt = gatusKeys(o.Board.Services())
	s.openapi, s.https, s.cors = answer.New(described(o.Site.base())), strings.HasPrefix(o.Site.BaseURL, "https://"), newCORS(o.CORS)
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
	if o.Bare {
		s.bare()
	} else {
		s.routes()
	}
	s.serve = s.app.Handler()
	s.ops = s.operators(s.app.Config())
	return s
}

func (s *Server) routes() {
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
	s.atHand()
	s.app.Use(s.work)
	s.app.Get("/", s.page)
	s.app.Get("/services/:id", s.service)
	for format := range feed.Formats {
		s.app.Get(feedPath+format, s.feed)
		s.app.Get("/services/:id"+feedPath+format, s.feed)
	}
	s.app.Get("/services/:id/:at", s.span)
	s.app.Get("/status", s.status)
	s.app.Get("/summary.json", s.summary)
	s.app.Get("/card.png", s.card)
	s.app.Get("/robots.txt", s.robots)
	s.app.Get("/sitemap.xml", s.sitemap)
	s.app.Get("/history", s.history)
	s.app.Get("/outages/:id", s.outage)
	s.app.Get("/how", s.how)
	s.app.Get(brandPrefix+"*", s.brandAsset)
	// Add, not Get: a HEAD on a stream has no end.
	s.app.Add(http.MethodGet, "/events", s.events)
	s.app.Add(http.MethodGet, "/signals/stream", s.signalStream)
	s.app.Get("/signals", s.signalsJSON)
	s.app.Get("/badge/*", s.badge)
	s.app.Get("/badges", s.badgesPage)
	s.app.Get("/embed", s.embed)
	s.app.Get("/embed.js", s.embedScript)
	s.app.Get("/api/v1/endpoints/statuses", s.gatusStatuses)
	s.app.Get("/api/v1/endpoints/:key/*", s.gatus)
	s.app.Get("/api/v1/config", s.gatusConfig)
	s.app.Get("/health", s.gatusAlive)
	s.app.Get("/api/badge/:id/:kind/:duration?", s.kuma)
	s.app.Get("/api/status-page/:slug/badge", s.kumaPage)
	s.app.Get("/openapi.json", s.description)
	s.app.Get("/redoc", s.docs)
	s.app.Get("/docs", s.docs)
	s.app.Get(agent.ChecksPath, s.agentChecks)
	s.app.Post(agent.SignalsPath, s.agentSignals)
	s.app.Get("/healthz", s.healthz)
	s.app.Get("/readyz", s.readyz)
	if !s.ownOps {
		s.app.Get("/metrics", s.prometheus)
	}
	s.app.Get(static.Prefix+"*", s.static)
	s.app.Get("/favicon.ico", func(c *fiber.Ctx) error {
		return c.Redirect(s.live.dress.Base.At(static.Path("icon.svg")), http.StatusFound)
	})
	if base := s.live.dress.Base; base != "" { // Last: the page may stand below a path of the name of one of ours.
		s.app.Get(string(base), func(c *fiber.Ctx) error { return c.Redirect(base.At("/"), http.StatusPermanentRedirect) })
	}
}

// forOtherSites tells whether an address is made to be used from other sites.
func forOtherSites(path string) bool {
	if path == "/" {
		return false
	}
	return beginsWith(path, otherSites) || feedFormat(path) != ""
}

var otherSites = []string{"/badge/", "/api/", "/signals", "/openapi", "/embed", "/status", "/summary.json", "/card.png"}

// secure sets the headers that every answer carries, by one of two ways to protect it.
func (s *Server) secure(c *fiber.Ctx, protect func(c *fiber.Ctx, open bool)) {
	path := utils.UnsafeString(c.Context().Path())
	protect(c, forOtherSites(path))
	s.cors.allow(c, path)
	s.strict(c)
}

// strict sets the header for visitors who come over TLS: the page has an https address, or a
// trusted proxy says so of the request. Browsers ignore it without TLS.
func (s *Server) strict(c *fiber.Ctx) {
	if s.https || s.limits.OverTLS(c.Context()) {
		answer.OnlyOverTLS(c)
	}
}

// staticCaching lets browsers keep what has its hash in its name.
const staticCaching = "public, max-age=31536000, immutable"

func (s *Server) static(c *fiber.Ctx) error {
	f := s.file(static.Prefix + answer.Param(c, "*"))
	if f == nil {
		return answer.NotFound("error.404")
	}
	c.Set(fiber.HeaderCacheControl, staticCaching)
	c.Set(fiber.HeaderContentSecurityPolicy, answer.FilePolicy)
	return answer.Send(c, f.kind, &f.Entity)
}

// file finds what package static has at an address, nil for nothing.
func (s *Server) file(address string) *file {
	if known, ok := s.files.Load(address); ok {
		return known.(*file) //nolint:forcetypeassert // Nothing else is stored.
	}
	f, ok := static.Lookup(address)
	if !ok {
		return nil
	}
	fresh := &file{answer.Entity{Body: f.Body(), Tag: f.Hash, Once: true, Packed: f.Brotli}, f.ContentType}
	made, _ := s.files.LoadOrStore(strings.Clone(address), fresh)
	return made.(*file) //nolint:forcetypeassert // Nothing else is stored.
}

// file is one that is embedded in the binary.
type file struct {
	answer.Entity
	kind string
}

// halt ends the live part; what was made can be asked for still.
func (s *Server) halt() {
	s.cancel()
	s.running.Wait()
}
