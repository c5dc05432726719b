package ops

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestMetricsAreWrittenOnceForAll lets many ask at once for what takes a second to write.
func TestMetricsAreWrittenOnceForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var written atomic.Int32
		var broken error
		x := newExposition(func(w io.Writer) (string, error) {
			time.Sleep(500 * time.Millisecond)
			_, err := fmt.Fprintln(w, "written", written.Add(1))
			return "text/plain", errors.Join(err, broken)
		})
		ask := func(want string) {
			t.Helper()
			if kind, body, err := x.get(); err != nil || kind != "text/plain" || string(body) != want+"\n" {
				t.Errorf("%s %q, %v; want %q", kind, body, err, want)
			}
		}
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { ask("written 1") })
		}
		all.Wait()
		time.Sleep(4900 * time.Millisecond)
		ask("written 1")
		time.Sleep(200 * time.Millisecond) // Ten times as long as it took.
		ask("written 2")
		time.Sleep(time.Minute)
		broken = errors.New("no figures")
		if _, _, err := x.get(); !errors.Is(err, broken) {
			t.Errorf("%v, want the error", err)
		}
		broken = nil
		ask("written 4")
	})
}
