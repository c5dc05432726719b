package status

import (
	"hash/fnv"
	"strings"
	"time"
	"unicode"
)

// MinInterval is the shortest time between two runs of one check.
const MinInterval = time.Second

// Service is what is watched, as far as the page and the store know it.
type Service struct {
	ID       string // Unique, [a-z0-9-], stable over renames: it is part of the key of every signal.
	Name     string
	Group    string        // Heading that the row stands under; empty for none.
	URL      string        // The target without userinfo and secrets of its query. Not public when HideURL.
	HideURL  bool          // The public sees the name only.
	Interval time.Duration // At least MinInterval, whole milliseconds.
	Timeout  time.Duration // Below Interval.
	Regions  []string      // From where it is watched; none: from one place that nobody named.
	DownWhen int           // How many regions must find it down, 1 to len(Regions); 0 without regions.
	Aliases  []string      // Names that addresses of other products have for it: kuma:2, gatus:group_name.
	Quorum   Quorum        // Whether DownWhen gives way when regions fall silent.

	// What held in the past, as the board knows it; both are empty in a configuration.
	Terms []Term    // Oldest first; without any, the interval has always been as it is.
	Begun time.Time // Of the oldest measurement, where that is older than the first term.
}

// PublicURL is the target as visitors may see it: empty when the operator hides it.
func (s Service) PublicURL() string {
	if s.HideURL {
		return ""
	}
	return s.URL
}

// Label is what stands for the service where an API groups by URL: the URL, or the name of
// a service that hides it.
func (s Service) Label() string {
	if s.HideURL {
		return s.Name
	}
	return s.URL
}

// Phase is the offset of the service's slots within its interval. A hash of the id spreads
// a thousand checks over the interval, and puts each at the same place after a restart and
// on every machine.
func (s Service) Phase() time.Duration {
	step := s.Interval.Milliseconds()
	if step <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.ID)) // Never fails.
	return time.Duration(h.Sum64()%uint64(step)) * time.Millisecond
}

// Next returns the first slot at or after t.
func (s Service) Next(t time.Time) time.Time {
	n := s.slotIndex(t)
	if at := s.slotTime(n); !at.Before(t) {
		return at
	}
	return s.slotTime(n + 1)
}

// Nearest returns the slot closest to t: the one that a run which starts at t was planned for.
func (s Service) Nearest(t time.Time) time.Time {
	return s.slotTime(s.slotIndex(t.Add(s.Interval / 2)))
}

// slots counts the slots of one interval in [from, to).
func (s Service) slots(from, to time.Time) int {
	if s.Interval <= 0 || !from.Before(to) {
		return 0
	}
	first, last := from.Add(-time.Microsecond), to.Add(-time.Microsecond)
	return int(s.slotIndex(last) - s.slotIndex(first))
}

// slotIndex numbers the slots since 1970; the result is that of the last slot at or before t.
func (s Service) slotIndex(t time.Time) int64 {
	step := s.Interval.Microseconds()
	if step <= 0 {
		return 0
	}
	us := t.UnixMicro() - s.Phase().Microseconds()
	n := us / step
	if us%step < 0 {
		n-- // Floor, not truncation, for instants before 1970.
	}
	return n
}

func (s Service) slotTime(n int64) time.Time {
	return time.UnixMicro(n*s.Interval.Microseconds() + s.Phase().Microseconds()).UTC()
}

// Slug makes an id of a name: lower-case ASCII letters and digits, everything else one
// dash, at most 63 bytes. A name without any such letter gives the empty string.
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteRune(r)
		if b.Len() >= 63 {
			break
		}
	}
	return b.String()
}
