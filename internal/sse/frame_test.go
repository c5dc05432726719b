package sse

import (
	"strings"
	"testing"
	"time"
)

func FuzzEvent(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "data: x\n\nid: 9", "\r\r\n", "event: beat\r\rid: 1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame := string(Event("id-1", "signal", data))
		body, ended := strings.CutSuffix(frame, "\n\n")
		if !ended || strings.Contains(body, "\n\n") || strings.Contains(frame, "\r") {
			t.Fatalf("not one event: %q", frame)
		}
		for i, line := range strings.Split(body, "\n") {
			if want := []string{"id: id-1", "event: signal"}; i < 2 && line != want[i] || i >= 2 && !strings.HasPrefix(line, "data: ") {
				t.Fatalf("line %d is %q", i, line)
			}
		}
	})
}

// TestTheWaitingTimeIsPartOfAnEvent: htmx's reader hears nothing of a field that stands by itself.
func TestTheWaitingTimeIsPartOfAnEvent(t *testing.T) {
	t.Parallel()
	h := NewBroker(1, 1, time.Now)
	defer h.Close()
	first, rest, _ := strings.Cut(string(h.greeting().in(Plain)), "\n\n")
	if !strings.HasPrefix(first, "retry: ") || !strings.Contains(first, "\nevent: beat\ndata: ") || rest != "" {
		t.Errorf("a stream begins with %q, %q", first, rest)
	}
}
