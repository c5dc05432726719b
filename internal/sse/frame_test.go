package sse

import (
	"strings"
	"testing"
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
