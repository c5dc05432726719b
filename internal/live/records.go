package live

import (
	"encoding/json"
	"log/slog"
	"math"
	"statuspage/internal/board"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// signalBacklog is how many events a reader of /signals/stream may lag behind before it is dropped.
	signalBacklog = 64
	// maxReplay is how many signals a reader is sent again, the newest of those it lacks: some 2 MB.
	maxReplay = 10_000
	// replayMargin is by how much a signal may come later than one that was planned after it.
	replayMargin = 2 * time.Minute
	// receivedFormat is RFC 3339 in UTC with the microseconds that the store keeps.
	receivedFormat = "2006-01-02T15:04:05.000000Z"
)

// Record is a signal on the wire: the tutorial's four fields and ours.
type Record struct {
	URL        string         `json:"url"`
	HTTPStatus int            `json:"http_status"`
	Available  bool           `json:"available"`
	Received   string         `json:"received"` // RFC 3339 in UTC, always with six digits of a second, so that text order is time order.
	Service    string         `json:"service"`
	Outcome    status.Outcome `json:"outcome"`
	DurationMs float64        `json:"duration_ms"`
	Reason     status.Reason  `json:"reason"`
	Region     string         `json:"region,omitempty"`
}

// NewRecord is the record of a measurement.
func NewRecord(s status.Service, m status.Sample, region string) Record {
	return Record{
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

// Records hands signals to readers as they come, through all configurations of a process.
type Records struct {
	stream *sse.Stream
	epoch  string // Names this process in ids of events.
	log    *slog.Logger

	mu    sync.Mutex // What is published, and who is subscribed, move together.
	board *board.Board
	seen  uint64 // Version of the board up to which signals are published.
}

func newRecords(b *board.Board, broker *sse.Broker, epoch string, log *slog.Logger) *Records {
	return &Records{stream: broker.Stream(signalBacklog), epoch: epoch, log: log, board: b, seen: b.Version()}
}

// follow goes on with another board, which came of the one before by With.
func (r *Records) follow(b *board.Board) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.board = b
}

// Watch lets a reader in, and returns what came after the signal of the id that it has seen, up to maxReplay signals;
// after a restart of the process some of it twice, told apart by service, region and received.
func (r *Records) Watch(seen string, g sse.Guest) (*sse.Events, sse.Joining) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return sse.NewEvents(r.events(r.since(seen))), r.stream.Join(g)
}

// since is what came after the signal of an id; mu must be held.
func (r *Records) since(seen string) (missed []board.Signal) {
	if epoch, rest, ok := strings.Cut(seen, "-"); ok {
		seq, micros, _ := strings.Cut(rest, "-")
		n, errSeq := strconv.ParseUint(seq, 10, 64)
		us, errMicros := strconv.ParseInt(micros, 10, 64)
		switch {
		case errSeq != nil || errMicros != nil: // Not one of ours: begin with the next signal.
		case epoch == r.epoch:
			missed = r.board.Between(n, r.seen, maxReplay)
		default:
			missed = r.board.Since(time.UnixMicro(us).Add(-replayMargin), r.seen, maxReplay)
		}
	}
	return missed
}

func (r *Records) events(signals []board.Signal) (events []byte) {
	for _, m := range signals {
		data, err := json.Marshal(NewRecord(m.Service.Service, m.Sample, m.Region))
		if err != nil { // A struct of plain values always encodes.
			r.log.Error("encode signal", "error", err)
		}
		id := r.epoch + "-" + strconv.FormatUint(m.Sample.Seq, 10) + "-" + strconv.FormatInt(m.Sample.Received, 10)
		events = append(events, sse.Event(id, "signal", data)...)
	}
	return events
}

// catchUp publishes what a board has brought up to a version, of which nobody has told.
func (r *Records) catchUp(version uint64) {
	r.mu.Lock()
	missed := r.board.Between(r.seen, version, math.MaxInt)
	r.mu.Unlock()
	r.publish(version, missed)
}

// publish hands fresh signals to the readers.
func (r *Records) publish(version uint64, signals []board.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = max(r.seen, version)
	if r.stream.Len() == 0 {
		return
	}
	if events := r.events(signals); len(events) > 0 {
		r.stream.Publish(events)
	}
}
