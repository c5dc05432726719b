package board

import (
	"statuspage/internal/status"
	"testing"
	"time"
)

// TestQuickChecksKeepTheLatencyOfADay measures each ten seconds for more than a day: the samples that are kept are
// of four hours, and all half-hours of the last day are known.
func TestQuickChecksKeepTheLatencyOfADay(t *testing.T) {
	t.Parallel()
	for name, regions := range map[string][]string{"one place": nil, "two regions": {"eu", "us"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc := status.Service{ID: "a", Interval: 10 * time.Second, Timeout: 5 * time.Second, Regions: regions, DownWhen: 1}
			b, err := New([]status.Service{svc}, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			end := noon.Truncate(HalfHour)
			b.now = func() time.Time { return end }
			for at := end.Add(-27 * time.Hour); at.Before(end); at = at.Add(svc.Interval) {
				s := signal("a", at, status.Up)
				s.Duration = time.Duration(1+halfOf(at.UnixMicro())%48) * time.Millisecond
				if regions == nil {
					b.Apply([]status.Signal{s})
				}
				for _, r := range regions {
					s.Region = r
					b.Apply([]status.Signal{s})
				}
			}
			got := b.Services()[0]
			if got.Reaches(end.Add(-24 * time.Hour)) {
				t.Fatal("the samples reach back a day: nothing is shown by this test")
			}
			for start := end.Add(-24 * time.Hour); start.Before(end); start = start.Add(HalfHour) {
				want := time.Duration(1+halfOf(start.UnixMicro())%48) * time.Millisecond
				if p50, p95, measured := got.Latency(start); !measured || p50 != want || p95 != want {
					t.Errorf("from %v on p50, p95 are %v, %v, %t, want %v", start, p50, p95, measured, want)
				}
			}
			if n := len(b.rows[0].curve); n > curveHalves {
				t.Errorf("%d half-hours are kept, want %d at most", n, curveHalves)
			}
		})
	}
}

func TestLatenciesOfTheStoreFillTheDay(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	end := noon.Truncate(time.Hour)
	b.now = func() time.Time { return end }
	h := b.Loader().NewHistory(end.Add(-3 * time.Hour))
	h.Add(status.Bucket{Service: "a", Start: end.Add(-30 * time.Hour), Counts: status.Counts{Up: 60}})
	b.Loader().SetHistory(h)
	for at := end.Add(-3 * time.Hour); at.Before(end); at = at.Add(time.Minute) {
		b.Apply([]status.Signal{signal("a", at, status.Up)})
	}
	svc, day := b.Services()[0], end.Add(-24*time.Hour)
	until, unread := svc.Unread(day)
	if !unread || !until.Equal(end.Add(-3*time.Hour)) {
		t.Fatalf("what is to be read ends at %v, %t", until, unread)
	}
	var hours []status.LatencyHour
	for at := day; at.Before(end); at = at.Add(time.Hour) {
		hours = status.AppendLatency(hours, at, status.Bin(time.Second), 60)
	}
	svc.SetLatencies(hours)
	if _, unread := svc.Unread(day); unread {
		t.Error("what was read is to be read again")
	}
	for start := day; start.Before(end); start = start.Add(HalfHour) {
		p50, _, measured := svc.Latency(start)
		if ours := start.After(until); !measured || ours != (p50 == time.Millisecond) {
			t.Errorf("from %v on p50 is %v, %t", start, p50, measured)
		}
	}
}

// TestRowAndTableTellTheSameUptime asks in the middle of a minute and an hour.
func TestRowAndTableTellTheSameUptime(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	b.now = func() time.Time { return noon }
	for at := noon.Add(-26 * time.Hour); !at.After(noon); at = at.Add(time.Minute) {
		o := status.Up
		if at.Minute() < 2 {
			o = status.Down
		}
		b.Apply([]status.Signal{signal("a", at, o)})
	}
	svc := b.Services()[0]
	for _, w := range status.Windows {
		now := noon.Add(20 * time.Second)
		if row, table := svc.Row(w, time.UTC, now).Sum, svc.Uptime(w.Length(), now); row != table {
			t.Errorf("%s: the row says %+v, the table %+v", w.Name, row, table)
		}
	}
	if sum := svc.Uptime(time.Hour, noon); sum.Measured() != 60 {
		t.Errorf("an hour has %d measurements a minute apart", sum.Measured())
	}
}
