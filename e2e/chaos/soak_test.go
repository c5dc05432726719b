package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sample is what a process holds at an instant.
type sample struct{ memory, goroutines, files float64 }

// holds reads it from /proc and from the metrics.
func (p *product) holds() (s sample, err error) {
	pid := strconv.Itoa(p.Cmd.Process.Pid)
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &s.memory); err == nil {
			break
		}
	}
	files, err := os.ReadDir("/proc/" + pid + "/fd")
	s.memory, s.files, s.goroutines = s.memory/1024, float64(len(files)), p.metric("go_goroutines")
	return s, err
}

func median(all []sample, of func(sample) float64) float64 {
	var values []float64
	for _, s := range all {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// TestSoak checks each second for as long as makes the probes of a day at one a minute, with faults
// of chance on the way to the store and on the disk: nothing grows, and the counts are exact.
func TestSoak(t *testing.T) {
	t.Parallel()
	length := pick(24*time.Minute, 15*time.Second)
	if wish, err := time.ParseDuration(os.Getenv("CHAOS_SOAK")); err == nil {
		length = wish
	}
	r, q, disk := chance(t), sharedQuestDB(t), smallDisk(t, 64)
	o := newOutageIn(t, q, "soak", 20, filepath.Join(disk, "outbox.db"))
	var samples []sample
	for end := time.Now().Add(length); time.Now().Before(end); {
		undo := o.trouble(r.IntN(6), disk)
		for until := time.Now().Add(between(r, time.Second, pick(20*time.Second, 3*time.Second))); time.Now().Before(until); {
			s, err := o.p.holds()
			if err != nil {
				t.Fatal(err)
			}
			samples = append(samples, s)
			time.Sleep(500 * time.Millisecond)
		}
		undo()
	}
	third := len(samples) / 3
	first, last := samples[third/2:third+1], samples[2*third:] // The very first ones are those of a start.
	for _, what := range []struct {
		name  string
		of    func(sample) float64
		slack float64
	}{
		{"memory, MiB", func(s sample) float64 { return s.memory }, 20},
		{"goroutines", func(s sample) float64 { return s.goroutines }, 30},
		{"file descriptors", func(s sample) float64 { return s.files }, 30},
	} {
		a, b := median(first, what.of), median(last, what.of)
		t.Logf("%s: %.0f in the first third, %.0f in the last", what.name, a, b)
		if b > 1.2*a+what.slack {
			t.Errorf("%s grew from %.0f to %.0f", what.name, a, b)
		}
	}
	o.p.awaitReady("all is well again", func(r ready) bool { return r.Store == "up" && r.Unsaved == 0 })
	o.settle("soak")
}

// trouble begins one of the faults, or none, and returns what ends it.
func (o *outage) trouble(which int, disk string) (undo func()) {
	switch which {
	case 0:
		o.proxy.Close()
		return func() { harness.Must(o.t, o.proxy.Open()) }
	case 1:
		o.proxy.set(func() { o.proxy.stalled = true })
		return func() { o.proxy.set(func() { o.proxy.stalled = false }) }
	case 2:
		o.proxy.set(func() { o.proxy.delay = 300 * time.Millisecond })
		return func() { o.proxy.set(func() { o.proxy.delay = 0 }) }
	case 3:
		o.proxy.set(func() { o.proxy.cutAfter = 1500 })
		return func() { o.proxy.set(func() { o.proxy.cutAfter = 0 }) }
	case 4:
		fillUp(o.t, disk)
		return func() { freeUp(o.t, disk) }
	default:
		return func() {}
	}
}
