package hub

import (
	"sync"
	"testing"
)

func drain(s *Subscription[int]) int {
	n := 0
	for range s.C {
		n++
	}
	return n
}

func TestSlowSubscriberIsDropped(t *testing.T) {
	t.Parallel()
	var h Hub[int]
	slow, quick := h.Subscribe(1), h.Subscribe(3)
	for i := range 3 {
		h.Publish(i)
	}
	if got := drain(slow); got != 1 {
		t.Errorf("slow subscriber got %d values before it was dropped, want 1", got)
	}
	if got := len(quick.C); got != 3 {
		t.Errorf("quick subscriber has %d values waiting, want 3", got)
	}
	if h.Len() != 1 || h.Dropped() != 1 {
		t.Errorf("Len, Dropped = %d, %d; want 1, 1", h.Len(), h.Dropped())
	}
	slow.Close()
	quick.Close()
	quick.Close()
	if h.Len() != 0 {
		t.Errorf("Len after Close = %d, want 0", h.Len())
	}
}

func TestCloseEndsPresentAndFutureSubscribers(t *testing.T) {
	t.Parallel()
	var h Hub[int]
	before := h.Subscribe(1)
	h.Close()
	h.Close()
	h.Publish(1)
	if got := drain(before) + drain(h.Subscribe(1)); got != 0 {
		t.Errorf("got %d values from a closed hub, want 0", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	var h Hub[int]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				s := h.Subscribe(1)
				h.Publish(i)
				s.Close()
				if n := drain(s); n > 1 {
					t.Errorf("got %d values through a queue of 1", n)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkPublish(b *testing.B) {
	var h Hub[[]byte]
	for range 1000 {
		s := h.Subscribe(1)
		go func() {
			for range s.C {
			}
		}()
	}
	frame := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		h.Publish(frame)
	}
	h.Close()
}
