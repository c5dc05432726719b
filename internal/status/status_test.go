package status

import (
	"errors"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 29, 12, 0, 30, 0, time.UTC)

func service(interval time.Duration) Service {
	return Service{ID: "api", Name: "API", URL: "https://example.com", Interval: interval, Timeout: interval / 2}
}

func TestZeroValuesAreNotGoodNews(t *testing.T) {
	t.Parallel()
	var s Signal
	if s.Outcome != Unknown || s.Outcome.Available() {
		t.Errorf("zero signal is %v, available %v; want unknown, false", s.Outcome, s.Outcome.Available())
	}
	if percent, ok := (Counts{}).Uptime(); ok {
		t.Errorf("nothing measured has uptime %s, want none", percent)
	}
	if got := State(Sample{}, service(time.Minute), noon); got != Unknown {
		t.Errorf("state without a sample = %v, want unknown", got)
	}
}

func TestPercentIsNeverRoundedUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part, whole int
		want        string
	}{
		{0, 0, "0"},
		{0, 10, "0"},
		{10, 10, "100"},
		{11, 10, "100"},
		{99_999, 100_000, "99.99"},
		{1_999_999, 2_000_000, "99.99"},
		{1, 3, "33.33"},
		{1, 2, "50"},
		{999, 1000, "99.9"},
		{1, 100_000, "<0.01"},
		{1, 1000, "0.1"},
		{5, 10_000, "0.05"},
	} {
		if got := Percent(c.part, c.whole); got != c.want {
			t.Errorf("Percent(%d, %d) = %q, want %q", c.part, c.whole, got, c.want)
		}
	}
}

func TestSlotsAreStableAndSpread(t *testing.T) {
	t.Parallel()
	for _, interval := range []time.Duration{time.Second, 2500 * time.Millisecond, time.Minute, 5 * time.Minute, 7 * time.Hour} {
		s := service(interval)
		next := s.Next(noon)
		if next.Before(noon) || next.Sub(noon) >= interval {
			t.Errorf("interval %v: Next = %v, want within one interval of %v", interval, next, noon)
		}
		if again := s.Next(next); !again.Equal(next) {
			t.Errorf("interval %v: Next of a slot = %v, want the slot %v", interval, again, next)
		}
		if got := s.Nearest(next.Add(interval/2 - time.Millisecond)); !got.Equal(next) {
			t.Errorf("interval %v: Nearest just before the middle = %v, want %v", interval, got, next)
		}
		if got := s.Nearest(next.Add(-time.Millisecond)); !got.Equal(next) {
			t.Errorf("interval %v: Nearest just early = %v, want %v", interval, got, next)
		}
		if got := s.SlotsBetween(next, next.Add(10*interval)); got != 10 {
			t.Errorf("interval %v: %d slots in ten intervals, want 10", interval, got)
		}
		if got := s.SlotsBetween(next.Add(time.Microsecond), next.Add(interval)); got != 0 {
			t.Errorf("interval %v: %d slots between two, want 0", interval, got)
		}
	}
	a, b := service(time.Minute), service(time.Minute)
	b.ID = "web"
	if a.Phase() == b.Phase() {
		t.Errorf("two services share phase %v", a.Phase())
	}
	before1970 := service(time.Minute).Nearest(time.Unix(-90, 0))
	if d := before1970.Sub(time.Unix(-90, 0)).Abs(); d > 30*time.Second {
		t.Errorf("Nearest before 1970 is %v away, want at most half an interval", d)
	}
}

func sampleAt(at time.Time, o Outcome, ms int) Sample {
	s := Signal{Received: at, Outcome: o, Duration: time.Duration(ms) * time.Millisecond, HTTPStatus: 200}
	if o == Down {
		s.HTTPStatus, s.Reason = 503, UnexpectedStatus
	}
	return s.Sample()
}

func TestMinutes(t *testing.T) {
	t.Parallel()
	svc := service(20 * time.Second)
	minute := noon.Truncate(time.Minute)
	cells := Minutes([]Sample{
		sampleAt(minute.Add(-61*time.Minute), Down, 1), // Before the grid.
		sampleAt(minute.Add(-2*time.Minute), Up, 10),
		sampleAt(minute.Add(-2*time.Minute+20*time.Second), Down, 30),
		sampleAt(minute.Add(-2*time.Minute+40*time.Second), Degraded, 20),
		sampleAt(minute.Add(10*time.Second), Up, 40),
	}, svc, noon)
	if len(cells) != GridMinutes {
		t.Fatalf("%d cells, want %d", len(cells), GridMinutes)
	}
	if got := cells[GridMinutes-1].Start; !got.Equal(minute) {
		t.Errorf("newest cell starts %v, want %v", got, minute)
	}
	c := cells[GridMinutes-3]
	if c.Outcome != Down || c.Reason != UnexpectedStatus || c.HTTPStatus != 503 {
		t.Errorf("worst of the cell = %v %v %d, want down, unexpected status, 503", c.Outcome, c.Reason, c.HTTPStatus)
	}
	if c.Up != 1 || c.Degraded != 1 || c.Down != 1 || c.Expected != 3 {
		t.Errorf("counts = %+v, want one of each and 3 expected", c.Counts)
	}
	if c.Latency != 20*time.Millisecond || c.Slowest != 30*time.Millisecond {
		t.Errorf("latency = %v, slowest %v; want 20ms, 30ms", c.Latency, c.Slowest)
	}
	if got := cells[0]; got.Outcome != Unknown || got.Missing() != 3 {
		t.Errorf("a minute that nobody measured = %v with %d missing, want unknown with 3", got.Outcome, got.Missing())
	}
	if sum := Total(cells); sum.Measured() != 4 {
		t.Errorf("measured in the hour = %d, want 4: what lies before the grid must not count", sum.Measured())
	}
}

func TestRareChecksCarryTheirOutcome(t *testing.T) {
	t.Parallel()
	svc := service(5 * time.Minute)
	slot := svc.Next(noon.Add(-30 * time.Minute))
	cells := Minutes([]Sample{sampleAt(slot, Down, 5)}, svc, noon)
	carried, missing := 0, 0
	for _, c := range cells {
		if c.Carried {
			carried++
			if c.Outcome != Down || c.Measured() != 0 || c.Expected != 0 {
				t.Errorf("carried cell %v = %v, counts %+v", c.Start, c.Outcome, c.Counts)
			}
		}
		missing += c.Missing()
	}
	if carried != 4 {
		t.Errorf("%d cells carry the outcome, want the 4 until the next slot", carried)
	}
	if missing < 4 {
		t.Errorf("%d runs missing after the only one, want at least 4", missing)
	}
}

func TestStateTurnsUnknownWhenTheNextRunIsOverdue(t *testing.T) {
	t.Parallel()
	svc := service(time.Minute)
	last := sampleAt(noon, Up, 1)
	limit := svc.Interval + svc.Timeout + staleGrace
	if got := State(last, svc, noon.Add(limit)); got != Up {
		t.Errorf("state at the limit = %v, want up", got)
	}
	if got := State(last, svc, noon.Add(limit+time.Microsecond)); got != Unknown {
		t.Errorf("state past the limit = %v, want unknown", got)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for o := Unknown; o <= Down; o++ {
		var back Outcome
		if text, _ := o.MarshalText(); back.UnmarshalText(text) != nil || back != o {
			t.Errorf("outcome %v does not survive its wire form", o)
		}
	}
	if err := new(Outcome).UnmarshalText([]byte("fine")); !errors.Is(err, ErrInvalid) {
		t.Errorf("outcome fine: error %v, want ErrInvalid", err)
	}
	for r := None; r <= Other; r++ {
		if back := ParseReason(r.String()); back != r {
			t.Errorf("reason %v does not survive its wire form", r)
		}
	}
	if got := ParseReason("dial tcp 10.0.0.7:443"); got != Other {
		t.Errorf("foreign reason = %v, want other", got)
	}
	if got := ParseOutcome("", true); got != Up {
		t.Errorf("row of another writer, available: %v, want up", got)
	}
	if got := ParseOutcome("unknown", false); got != Down {
		t.Errorf("row that says unknown, not available: %v, want down", got)
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Website": "website", "The API (v2)!": "the-api-v2", "Grüße": "gr-e", "日本": "", "a--b": "a-b",
	} {
		if got := Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCheckSignals(t *testing.T) {
	t.Parallel()
	good := Signal{Received: noon, Outcome: Down, HTTPStatus: NoHTTPStatus}
	if err := CheckSignals([]Signal{good}); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Signal){
		"no outcome":    func(s *Signal) { s.Outcome = Unknown },
		"bad outcome":   func(s *Signal) { s.Outcome = Down + 1 },
		"before 1970":   func(s *Signal) { s.Received = time.Unix(-1, 0) },
		"far future":    func(s *Signal) { s.Received = noon.AddDate(9000, 0, 0) },
		"huge response": func(s *Signal) { s.HTTPStatus = 1 << 40 },
	} {
		bad := good
		change(&bad)
		if err := CheckSignals([]Signal{good, bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// TestReasonsFitOutcomes holds that every failure has a place, and none goes with what nobody measured.
func TestReasonsFitOutcomes(t *testing.T) {
	t.Parallel()
	for i, r := range reasons {
		reason := Reason(i)
		if reason.Fits(Unknown) || reason.Fits(Up) != (reason == None) || reason.Fits(Down) == (reason == None) || r.text == "" && reason != None {
			t.Errorf("%q goes with the wrong outcomes", reason)
		}
	}
	for reason, degraded := range map[Reason]bool{Slow: true, CertificateExpiring: true, UnexpectedStatus: true, CertificateExpired: false, Timeout: false, Other: false} {
		if reason.Fits(Degraded) != degraded {
			t.Errorf("%q goes with degraded: %v", reason, !degraded)
		}
	}
}
