package board

import (
	"math/rand/v2"
	"statuspage/internal/status"
	"testing"
	"time"
)

// TestHoursGrow compares the ring with a map, for hours that come in any order.
func TestHoursGrow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 2))
	for name, next := range map[string]func(i int) int{
		"forward":   func(i int) int { return i },
		"backward":  func(i int) int { return -i },
		"past":      func(i int) int { return []int{0, i - maxHours}[min(i, 1)] },
		"scattered": func(int) int { return random.IntN(2*maxHours) - maxHours },
		"far apart": func(i int) int { return i * 300 },
	} {
		var h hours
		want, newest := map[int]int{}, next(0)
		for i := range 3 * maxHours {
			hour := next(i)
			newest = max(newest, hour)
			h.count(now.Add(time.Duration(hour)*time.Hour+time.Duration(random.IntN(3600))*time.Second), status.Up)
			if hour > newest-maxHours {
				want[hour]++
			}
			if i%499 > 0 {
				continue
			}
			for hour := range want {
				if hour <= newest-maxHours {
					delete(want, hour)
				}
			}
			for hour := newest - maxHours - 2; hour <= newest+2; hour++ {
				if got := h.between(now.Add(time.Duration(hour)*time.Hour), now.Add(time.Duration(hour+1)*time.Hour)).Up; got != want[hour] {
					t.Fatalf("%s, step %d: hour %d has %d, want %d", name, i, hour, got, want[hour])
				}
			}
		}
		if len(h.ring) > maxHours {
			t.Errorf("%s: %d hours kept, want %d at most", name, len(h.ring), maxHours)
		}
	}
	var h hours
	h.count(now, status.Up)
	if len(h.ring) != firstHours {
		t.Errorf("a service without a past keeps %d hours, want %d", len(h.ring), firstHours)
	}
}
