package sse

import (
	"bytes"
	"strconv"
	"time"
)

// Event writes one server-sent event. Line breaks in data become data lines of their own, so
// nothing in it can pass for a field; id and name come from the product and have none.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func Event(id, name string, data []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(data) + len(id) + len(name) + 32)
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	if name != "" {
		b.WriteString("event: " + name + "\n")
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

// beat is the heartbeat: a named event, which htmx does not swap, with our clock in
// milliseconds, by which the page tells ages right on a machine whose clock is wrong.
func beat(now time.Time) []byte {
	return Event("", "beat", strconv.AppendInt(nil, now.UnixMilli(), 10))
}

// retry tells the browser how long to wait before it reconnects. It is the beginning of an event:
// readers of their own making, such as htmx's, hear nothing of one that has this field alone.
func retry(wait time.Duration) []byte {
	return append(strconv.AppendInt([]byte("retry: "), wait.Milliseconds(), 10), '\n')
}
