package live

import (
	"fmt"
	"statuspage/internal/board"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"strconv"
	"testing"
	"time"
)

// BenchmarkChange is what a service's signal costs from the board to the frame that all viewers of an
// variant share, with ever more services, of which each has measured a full hour and twenty share a heading.
func BenchmarkChange(b *testing.B) {
	for _, services := range []int{100, 1000, 10_000} {
		b.Run(strconv.Itoa(services), func(b *testing.B) {
			bd, l := newHour(b, services)
			e := plain(l)
			seen, second := 0, int64(0)
			for b.Loop() {
				seen++
				service := seen * 7919 % services
				if service == 0 {
					second++ // No service twice at one instant.
				}
				g := upSignal(bd.Services()[service].ID)
				g.Received, g.Duration = g.Received.Add(time.Duration(second)), time.Duration(seen%200)*time.Millisecond
				bd.Apply([]status.Signal{g})
				e.visited.Store(time.Now().UnixNano())
				l.render(map[int]bool{service: true}, false)
			}
		})
	}
}

// newHour is a board of services that have each measured a full hour, and what follows it.
func newHour(b *testing.B, n int) (*board.Board, *Live) {
	b.Helper()
	services, signals := make([]status.Service, n), make([]status.Signal, 0, n*60)
	for i := range services {
		id := fmt.Sprintf("svc%05d", i)
		services[i] = status.Service{
			ID: id, Name: id, Group: fmt.Sprintf("Group %d", i/20), URL: "https://" + id, Interval: time.Minute, Timeout: 5 * time.Second,
		}
		for minute := range 60 {
			g := upSignal(id)
			g.Received = g.Received.Add(time.Duration(minute-60) * time.Minute)
			signals = append(signals, g)
		}
	}
	bd, err := board.New(services, time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	bd.Apply(signals)
	broker := sse.NewBroker(1, 1, time.Now)
	b.Cleanup(broker.Close)
	l := follow(b, bd, broker)
	l.Halt() // The benchmark draws by itself.
	return bd, l
}
