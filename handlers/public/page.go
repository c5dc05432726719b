package public

import (
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/internal/board"
	"statuspage/internal/live"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const maxQuery = 100 // Letters of a search.

// maxDetails bounds the pages of services, each for visitors of the same preferences, that are kept live at a time.
const maxDetails = 512

// Overview is the page itself, with its stream and what it says of how it measures.
type Overview struct {
	Sources

	pages answer.Cache // Other than the plain ones, by version.
	fixed answer.Cache // What changes with the configuration alone.
}

// NewOverview returns the page.
func NewOverview(s Sources) *Overview { return &Overview{Sources: s} }

// AtHand adds what answers from memory, before anything is made.
func (o *Overview) AtHand(r fiber.Router) { r.Get("/", o.plain) }

// Routes adds the address of the page, and that of its stream.
func (o *Overview) Routes(r fiber.Router) {
	r.Get("/", o.page)
	r.Get("/how", o.how)
	r.Add(http.MethodGet, "/events", o.events) // Add, not Get: a HEAD on a stream has no end.
}

// plain answers a visitor without wishes, if somebody has the page already.
func (o *Overview) plain(c *fiber.Ctx) error {
	if c.Context().QueryArgs().Len() > 0 {
		return c.Next()
	}
	ready := o.Live.AtHand(o.Page.Usual(lang.Match(c.Get(fiber.HeaderAcceptLanguage))))
	if ready == nil {
		return c.Next()
	}
	return answer.SendPage(c, &ready.Entity)
}

// page answers GET /.
func (o *Overview) page(c *fiber.Ctx) error {
	k, err := o.Visitor.Preferences(c)
	if err != nil {
		return err
	}
	v, shared := o.Live.Variant(k)
	p := live.Composition{Stream: shared, Kiosk: c.Query("view") == live.KioskView, Query: strings.TrimSpace(c.Query("q")), State: c.Query("state")}
	switch {
	case len(p.Query) > maxQuery:
		return answer.Unprocessable("q must be at most " + strconv.Itoa(maxQuery) + " letters.")
	case p.State != "" && !isState(p.State):
		return answer.Unprocessable("state must be up, degraded, down or unknown.")
	case p.Plain() && shared:
		return answer.SendPage(c, &o.Live.Current(v).Entity)
	}
	key := answer.Key("page", k.Query(), p.State, strconv.FormatBool(p.Kiosk), strconv.FormatBool(p.Stream), p.Query)
	made, err := o.pages.Get(o.Live.Version(), key, func() ([]byte, error) {
		html, _ := o.Live.Compose(v, p)
		return html, nil
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, made)
}

func isState(wire string) bool {
	for o := status.Unknown; o <= status.Down; o++ {
		if o.String() == wire {
			return true
		}
	}
	return false
}

// events streams what changes on the page, on one service's page with ?service=, on that of an outage with ?outage=, or of an incident
// with ?incident=, as the preferences in the parameters want it.
func (o *Overview) events(c *fiber.Ctx) error {
	since := gate.SeenID(c)
	k, err := o.Visitor.Preferences(c)
	if err != nil {
		return err
	}
	if id := c.Query("service"); id != "" {
		svc, ok := o.Board.Find(id)
		if !ok {
			return answer.NotFound("error.service")
		}
		w := gate.Watched{Shares: o.Limits.Details, What: answer.Key(svc.ID, k.Query()), Total: maxDetails, Share: maxDetails / gate.AddressShare}
		return o.Streams.Open(c, w, func(g sse.Guest) (*sse.Events, sse.Joining) {
			return o.Live.WatchService(svc, k, since, g)
		})
	}
	if id := c.Query("outage"); id != "" {
		out, ok := o.Board.Outage(id, o.Now())
		if !ok {
			return answer.NotFound("error.outage")
		}
		w := gate.Watched{Shares: o.Limits.Details, What: answer.Key("outage", id, k.Query()), Total: maxDetails, Share: maxDetails / gate.AddressShare}
		return o.Streams.Open(c, w, func(g sse.Guest) (*sse.Events, sse.Joining) {
			return o.Live.WatchOutage(out, k, since, g)
		})
	}
	if id := c.Query("incident"); id != "" {
		if _, is := o.Live.Incident(id); !is {
			return answer.NotFound("error.incident")
		}
		w := gate.Watched{Shares: o.Limits.Details, What: answer.Key("incident", id, k.Query()), Total: maxTold, Share: maxTold / gate.AddressShare}
		return o.Streams.Open(c, w, func(g sse.Guest) (*sse.Events, sse.Joining) {
			return o.Live.WatchIncident(id, k, since, g)
		})
	}
	v, shared := o.Live.Variant(k)
	if !shared { // The page did not ask for a stream either.
		return gate.ErrFull
	}
	w := gate.Watched{}
	if !o.Page.IsUsual(k) {
		rare := o.Live.MaxRare()
		w = gate.Watched{Shares: o.Limits.Looks, What: k.Query(), Total: rare, Share: max(1, rare/gate.AddressShare)}
	}
	return o.Streams.Open(c, w, func(g sse.Guest) (*sse.Events, sse.Joining) { return o.Live.Watch(v, since, g) })
}

// how answers GET /how.
func (o *Overview) how(c *fiber.Ctx) error {
	k, err := o.Visitor.Preferences(c)
	if err != nil {
		return err
	}
	e, err := o.fixed.Get(0, answer.Key("how", k.Query()), func() ([]byte, error) {
		head := o.Page.Head(k, "/how", k.Lang.T("how")+" · "+o.Page.Title)
		return answer.Render(views.HowPage(head, slices.ContainsFunc(o.Board.Services(), func(s *board.Service) bool { return len(s.Regions) > 0 })))
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}
