package board

import (
	"statuspage/internal/status"
	"testing"
	"time"
)

// TestTransitionsTellEveryChangeOfState follows a service through all states, by signals and by silence: whoever puts the
// transitions one after the other knows the state at any time.
func TestTransitionsTellEveryChangeOfState(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a", "b")
	now := noon
	b.now = func() time.Time { return now }
	_, sub := b.Subscribe()
	defer sub.Close()
	for _, step := range []struct {
		signals  []status.Signal
		elapsed  time.Duration // From noon on; then time alone passes.
		from, to status.Outcome
		silent   bool // Nothing changes.
	}{
		{signals: []status.Signal{signal("a", noon, status.Up)}, from: status.Unknown, to: status.Up},
		{signals: []status.Signal{signal("a", noon.Add(time.Minute), status.Up)}, silent: true},
		{signals: []status.Signal{signal("a", noon.Add(2*time.Minute), status.Down)}, from: status.Up, to: status.Down},
		{signals: []status.Signal{signal("a", noon.Add(30*time.Second), status.Up)}, silent: true}, // Late, and no news.
		{elapsed: 3 * time.Minute, silent: true},
		{elapsed: time.Hour, from: status.Down, to: status.Unknown},
		{elapsed: 2 * time.Hour, silent: true},
		{signals: []status.Signal{signal("a", noon.Add(3*time.Hour), status.Degraded)}, from: status.Unknown, to: status.Degraded},
	} {
		if len(step.signals) > 0 {
			now = step.signals[0].Received
			if now.Before(noon.Add(time.Minute)) && step.silent {
				now = noon.Add(2 * time.Minute)
			}
			b.Apply(step.signals)
		} else {
			now = noon.Add(step.elapsed)
			b.Elapse(now)
		}
		var told []Transition
		for len(sub.C) > 0 {
			told = append(told, (<-sub.C).Transitions...)
		}
		if step.silent {
			if len(told) > 0 {
				t.Errorf("%+v: told %+v, want nothing", step, told)
			}
			continue
		}
		if len(told) != 1 || told[0].Service.ID != "a" || told[0].From != step.from || told[0].To != step.to || !told[0].At.Equal(now) {
			t.Errorf("%+v: told %+v", step, told)
		}
	}
}
