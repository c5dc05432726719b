package gate

import (
	"errors"
	"fmt"
	"statuspage/internal/sse"
	"testing"
)

func TestSharesAreOfThingsNotOfViewers(t *testing.T) {
	t.Parallel()
	s := newShares()
	thing := func(n int) Watched { return Watched{s, fmt.Sprint("thing ", n), 4, 2} }
	take := func(from sse.Address, n int, want error) {
		t.Helper()
		if err := thing(n).Take(from); !errors.Is(err, want) {
			t.Errorf("address %d takes thing %d: %v, want %v", from, n, err, want)
		}
	}
	for range 3 {
		take(1, 0, nil)
		take(1, 1, nil)
	}
	take(1, 2, ErrShare)
	take(2, 1, nil)
	take(2, 2, nil)
	take(0, 0, nil) // Not counted by address, but in all.
	take(0, 3, nil)
	take(3, 4, ErrFull)
	take(3, 3, nil)
	for range 3 {
		take(1, 2, ErrShare)
		thing(1).Give(1)
	}
	take(1, 2, nil)
	for range 3 {
		thing(0).Give(1)
	}
	thing(2).Give(1)
	thing(1).Give(2)
	thing(2).Give(2)
	thing(0).Give(0)
	thing(3).Give(0)
	thing(3).Give(3)
	if len(s.all)+len(s.held) != 0 {
		t.Errorf("after all have left, something is still held: %v %v", s.all, s.held)
	}
}
