package api

import (
	"encoding/json"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/internal/board"
	"statuspage/internal/live"
	"statuspage/internal/sse"
	"strconv"

	"github.com/gofiber/fiber/v2"
)

const (
	defaultLimit = 60
	maxLimit     = board.MaxSamples
)

type recordGroup struct {
	URL     string        `json:"url"`
	Records []live.Record `json:"records"`
}

// Signals answers with measurements as they were made.
type Signals struct {
	board   *board.Board
	records *live.Records
	streams *gate.Streams
	kept    answer.Cache // By version of the board.
}

// NewSignals returns the signals of a board, and those that come.
func NewSignals(b *board.Board, records *live.Records, streams *gate.Streams) *Signals {
	return &Signals{board: b, records: records, streams: streams}
}

// AtHand adds what answers from memory, before anything is made.
func (s *Signals) AtHand(r fiber.Router) { r.Get("/signals", s.answerKept) }

// Routes adds the addresses of signals.
func (s *Signals) Routes(r fiber.Router) {
	r.Get("/signals", s.list)
	r.Add(http.MethodGet, "/signals/stream", s.stream) // Add, not Get: a HEAD on a stream has no end.
}

func (s *Signals) answerKept(c *fiber.Ctx) error {
	e := s.kept.At(s.board.Version(), c.Context().Request.RequestURI())
	if e == nil {
		return c.Next()
	}
	return sendRecords(c, e)
}

// list answers GET /signals: the newest records of every URL, oldest first.
func (s *Signals) list(c *fiber.Ctx) error {
	version := s.board.Version()
	limit := defaultLimit
	if c.Context().QueryArgs().Has("limit") {
		n, err := strconv.Atoi(c.Query("limit"))
		if err != nil || n < 1 || n > maxLimit {
			return answer.Unprocessable("limit must be a whole number from 1 to " + strconv.Itoa(maxLimit) + ".")
		}
		limit = n
	}
	services, only := s.board.Services(), ""
	if c.Context().QueryArgs().Has("service") {
		svc, ok := s.board.Find(c.Query("service"))
		if !ok {
			return answer.Unprocessable("service must be the id of a service on this page.")
		}
		services, only = []*board.Service{svc}, svc.ID
	}
	region := c.Query("region")
	if c.Context().QueryArgs().Has("region") && !s.board.HasRegion(region) {
		return answer.Unprocessable("region must be one that a service on this page is watched from.")
	}
	key := answer.Key("signals", strconv.Itoa(limit), only, region)
	e, err := s.kept.Get(version, key, func() ([]byte, error) {
		return json.Marshal(groupsOf(services, limit, region))
	})
	if err != nil {
		return err
	}
	s.kept.KeepAt(version, c.Context().Request.RequestURI(), e)
	return sendRecords(c, e)
}

func sendRecords(c *fiber.Ctx, e *answer.Entity) error {
	answer.NoCache(c)
	return answer.Send(c, fiber.MIMEApplicationJSON, e)
}

// groupsOf collects the records by label; services that share a URL share a group. Each record is
// one measurement of one region, as it was made; with a region only the services that it
// watches are there.
func groupsOf(services []*board.Service, limit int, region string) []recordGroup {
	groups, at := []recordGroup{}, map[string]int{}
	for _, svc := range services {
		if region != "" && svc.Region(region) == "" {
			continue
		}
		records := make([]live.Record, 0, limit)
		for _, m := range svc.Reports(limit, region) {
			records = append(records, live.NewRecord(svc.Service, m.Sample, m.Region))
		}
		g, known := at[svc.Label()]
		if !known {
			at[svc.Label()] = len(groups)
			groups = append(groups, recordGroup{URL: svc.Label(), Records: records})
			continue
		}
		groups[g].Records = newestOf(groups[g].Records, records, limit)
	}
	return groups
}

// newestOf merges two runs that are sorted by time, and keeps the newest.
func newestOf(a, b []live.Record, limit int) []live.Record {
	out := make([]live.Record, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].Received <= b[0].Received { // One fixed format: text order is time order.
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	out = append(append(out, a...), b...)
	return out[max(0, len(out)-limit):]
}

// stream answers GET /signals/stream: each record as it comes. A reader that names
// the last one it has seen gets what came since, up to maxReplay; after a restart of the process some of it
// twice, told apart by service, region and received.
func (s *Signals) stream(c *fiber.Ctx) error {
	seen := gate.SeenID(c)
	return s.streams.Open(c, gate.Watched{}, func(g sse.Guest) (*sse.Events, sse.Joining) { return s.records.Watch(seen, g) })
}
