package live

import (
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

// FuzzLastEventID holds that an id which is none of ours means a viewer that has seen nothing, and
// that none brings more than there is.
func FuzzLastEventID(f *testing.F) {
	l, b, stop := newTestLive(f, "web")
	f.Cleanup(stop)
	for i := range 10 {
		b.Apply([]status.Signal{{Service: "web", Received: time.Now().Add(time.Duration(i-10) * time.Minute), Outcome: status.Up, Available: true, HTTPStatus: 200}})
	}
	for _, id := range []string{"", "x", l.names.id(1), l.names.id(1) + "-1700000000000000", l.names.id(1<<63) + "--1", "-", "--", l.names.epoch + "-18446744073709551616", "other-1-9223372036854775807", "other-1--9223372036854775808", "other." + l.names.layout + "-1-AAAA", "other." + l.names.layout + "-1-!"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if seen, _ := l.names.parse(id); seen.version != 0 && !strings.HasPrefix(id, l.names.epoch+".") || len(seen.digest) > digestSums*sumSize {
			t.Fatalf("%q is taken for %+v", id, seen)
		}
		l.records.mu.Lock()
		defer l.records.mu.Unlock()
		if missed := l.records.since(id); len(missed) > 10 {
			t.Fatalf("%q brings %d signals of 10", id, len(missed))
		}
	})
}
