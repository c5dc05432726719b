package handlers

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"statuspage/internal/hub"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	streamHeartbeat    = 15 * time.Second // Below the 30–60 s idle cut-off of common proxies.
	streamWriteTimeout = 5 * time.Second  // A viewer that does not read for so long is gone.
	streamLifetime     = time.Hour        // Then the browser reconnects; spreads viewers over servers.
	streamRetry        = 2 * time.Second  // What browsers are told to wait, plus as much again by chance.
)

// sseFrame writes one server-sent event. Line breaks in data become data lines of their
// own, so nothing in it can pass for a field; id and event come from us and have none.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func sseFrame(id, event string, data []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(data) + len(id) + 32)
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	if event != "" {
		b.WriteString("event: " + event + "\n")
	}
	data = bytes.ReplaceAll(data, []byte("\r"), nil)
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		b.WriteString("data: ")
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// stream sends first and then what comes from sub, until the viewer leaves, lags, has been
// here for an hour, or the server stops.
func (s *Server) stream(c *fiber.Ctx, first []byte, sub *hub.Subscription[[]byte]) error {
	conn := c.Context().Conn()
	now := s.now
	c.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderConnection, "close") // The deadlines below would outlive the stream.
	c.Set("X-Accel-Buffering", "no")
	viewers := &s.viewers
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { // Runs after return: nothing of c in here.
		defer viewers.Add(-1)
		defer sub.Close()
		heartbeat := time.NewTicker(streamHeartbeat)
		defer heartbeat.Stop()
		expired := time.After(streamLifetime + rand.N(streamLifetime/4))
		// The first bytes also send the headers; the delay by chance spreads reconnects.
		retry := streamRetry + rand.N(streamRetry)
		frame := append(beat(now()), first...)
		frame = append([]byte("retry: "+strconv.FormatInt(retry.Milliseconds(), 10)+"\n"), frame...)
		for ok := true; ok; {
			_ = conn.SetWriteDeadline(time.Now().Add(streamWriteTimeout))
			_, _ = w.Write(frame) // Flush reports what Write met.
			if w.Flush() != nil {
				return // The only sign that the viewer left.
			}
			select {
			case frame, ok = <-sub.C: // Closed when this viewer lags, or the server stops.
			case <-heartbeat.C:
				frame = beat(now())
			case <-expired:
				return
			}
		}
	})
	return nil
}

// beat is the heartbeat: a named event, which htmx does not swap, with our clock in
// milliseconds, by which the page tells ages right on a machine whose clock is wrong.
func beat(now time.Time) []byte {
	return sseFrame("", "beat", strconv.AppendInt(nil, now.UnixMilli(), 10))
}

// admit counts a viewer in, or refuses it when the house is full.
func (s *Server) admit() error {
	if s.viewers.Add(1) > int64(s.maxViewers) {
		s.viewers.Add(-1)
		s.refused.Add(1)
		return errFull
	}
	return nil
}

// events streams what changes on the page, or on one service's page with ?service=, in the
// look that the parameters name.
func (s *Server) events(c *fiber.Ctx) error {
	since := seenID(c)
	k, err := s.look(c)
	if err != nil {
		return err
	}
	service, ofService := 0, c.Query("service") != ""
	if ofService {
		var ok bool
		if service, ok = s.board.Find(c.Query("service")); !ok {
			return notFound("There is no such service.")
		}
	}
	if err := s.admit(); err != nil {
		return err
	}
	if ofService {
		first, sub := s.live.watchService(service, k, since)
		return s.stream(c, first, sub)
	}
	e, shared := s.live.edition(k)
	if !shared { // The page did not ask for a stream either.
		s.viewers.Add(-1)
		return errFull
	}
	first, sub := s.live.watch(e, since)
	return s.stream(c, first, sub)
}

// seenID is what the browser has seen: on a reconnect Last-Event-ID, else what the page says.
func seenID(c *fiber.Ctx) string {
	if id := c.Get("Last-Event-ID"); id != "" {
		return strings.Clone(id)
	}
	return strings.Clone(c.Query("since"))
}
