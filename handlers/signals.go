package handlers

import (
	"encoding/json"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/internal/board"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	defaultLimit = 60
	maxLimit     = board.MaxSamples
	// receivedFormat is RFC 3339 in UTC with the microseconds that the store keeps.
	receivedFormat = "2006-01-02T15:04:05.000000Z"
)

// record is a signal on the wire: the tutorial's four fields and ours.
type record struct {
	URL        string         `json:"url"`
	HTTPStatus int            `json:"http_status"`
	Available  bool           `json:"available"`
	Received   string         `json:"received"`
	Service    string         `json:"service"`
	Outcome    status.Outcome `json:"outcome"`
	DurationMs float64        `json:"duration_ms"`
	Reason     status.Reason  `json:"reason"`
	Region     string         `json:"region,omitempty"`
}

type recordGroup struct {
	URL     string   `json:"url"`
	Records []record `json:"records"`
}

func newRecord(s status.Service, m status.Sample, region string) record {
	return record{
		URL:        s.Label(),
		HTTPStatus: int(m.HTTPStatus),
		Available:  m.Outcome.Available(),
		Received:   m.Time().Format(receivedFormat),
		Service:    s.ID,
		Outcome:    m.Outcome,
		DurationMs: float64(m.DurationUs) / 1000,
		Reason:     m.Reason,
		Region:     region,
	}
}

// signalsJSON answers GET /signals: the newest records of every URL, oldest first.
func (s *Server) signalsJSON(c *fiber.Ctx) error {
	version := s.board.Version()
	limit := defaultLimit
	if c.Context().QueryArgs().Has("limit") {
		n, err := strconv.Atoi(c.Query("limit"))
		if err != nil || n < 1 || n > maxLimit {
			return answer.Unprocessable("limit must be a whole number from 1 to " + strconv.Itoa(maxLimit) + ".")
		}
		limit = n
	}
	only := -1
	if c.Context().QueryArgs().Has("service") {
		i, ok := s.board.Find(c.Query("service"))
		if !ok {
			return answer.Unprocessable("service must be the id of a service on this page.")
		}
		only = i
	}
	region := c.Query("region")
	if c.Context().QueryArgs().Has("region") && !s.board.HasRegion(region) {
		return answer.Unprocessable("region must be one that a service on this page is watched from.")
	}
	key := answer.Key("signals", strconv.Itoa(limit), strconv.Itoa(only), region)
	e, err := s.records.Get(version, key, func() ([]byte, error) {
		return json.Marshal(s.groups(limit, only, region))
	})
	if err != nil {
		return err
	}
	s.records.KeepAt(version, c.Context().Request.RequestURI(), e)
	return sendRecords(c, e)
}

func sendRecords(c *fiber.Ctx, e *answer.Entity) error {
	answer.NoCache(c)
	return answer.Send(c, fiber.MIMEApplicationJSON, e)
}

// groups collects the records by label; services that share a URL share a group. Each record is
// one measurement of one region, as it was made; with a region only the services that it
// watches are there.
func (s *Server) groups(limit, only int, region string) []recordGroup {
	groups, at := []recordGroup{}, map[string]int{}
	for i, svc := range s.board.Services() {
		if only >= 0 && only != i || region != "" && svc.Region(region) == "" {
			continue
		}
		records := make([]record, 0, limit)
		for _, m := range s.board.Reports(i, limit, region) {
			records = append(records, newRecord(svc, m.Sample, m.Region))
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
func newestOf(a, b []record, limit int) []record {
	out := make([]record, 0, len(a)+len(b))
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

// signalStream answers GET /signals/stream: each record as it comes. A reader that names
// the last one it has seen gets what came since, up to maxReplay; after a restart of the process some of it
// twice, told apart by service, region and received.
func (s *Server) signalStream(c *fiber.Ctx) error {
	seen := seenID(c)
	return s.stream(c, gate.Watched{}, func(g sse.Guest) (*sse.Events, sse.Joining) { return s.live.watchSignals(seen, g) })
}

// maxReplay is how many signals a reader is sent again, the newest of those it lacks: some 2 MB.
const maxReplay = 10_000

// replayMargin is by how much a signal may come later than one that was planned after it.
const replayMargin = 2 * time.Minute

func (l *live) watchSignals(seen string, g sse.Guest) (*sse.Events, sse.Joining) {
	l.mu.Lock()
	if next := l.next; next != nil {
		l.mu.Unlock()
		return next.watchSignals(seen, g)
	}
	defer l.mu.Unlock()
	var first []byte
	for _, m := range l.signalsSince(seen) {
		first = append(first, l.signalFrame(m)...)
	}
	return sse.NewEvents(first), l.signals.Join(g)
}

// signalsSince is what came after the signal of an id; mu must be held.
func (l *live) signalsSince(seen string) (missed []board.Signal) {
	if epoch, rest, ok := strings.Cut(seen, "-"); ok {
		seq, micros, _ := strings.Cut(rest, "-")
		n, errSeq := strconv.ParseUint(seq, 10, 64)
		us, errMicros := strconv.ParseInt(micros, 10, 64)
		switch {
		case errSeq != nil || errMicros != nil: // Not one of ours: begin with the next signal.
		case epoch == l.epoch:
			missed = l.board.Between(n, l.seen, maxReplay)
		default:
			missed = l.board.Since(time.UnixMicro(us).Add(-replayMargin), l.seen, maxReplay)
		}
	}
	return missed
}

func (l *live) signalFrame(m board.Signal) []byte {
	svc := l.board.Services()[m.Service]
	data, err := json.Marshal(newRecord(svc, m.Sample, m.Region(svc)))
	if err != nil { // A struct of plain values always encodes.
		l.log.Error("encode signal", "error", err)
	}
	return sse.Event(l.epoch+"-"+strconv.FormatUint(m.Sample.Seq, 10)+"-"+strconv.FormatInt(m.Sample.Received, 10), "signal", data)
}

// publishSignals hands fresh signals to the readers of /signals/stream.
func (l *live) publishSignals(version uint64, signals []board.Signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = max(l.seen, version)
	if l.signals.Len() == 0 {
		return
	}
	var events []byte
	for _, m := range signals {
		events = append(events, l.signalFrame(m)...)
	}
	if len(events) > 0 {
		l.signals.Publish(events)
	}
}

func (l *live) seenVersion() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}
