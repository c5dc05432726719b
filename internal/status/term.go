package status

import (
	"slices"
	"time"
)

// Term says how a service was watched from an instant on: what was due in the past, and for how
// long a measurement held, follow from the interval that was in force then, not from today's.
type Term struct {
	Since    time.Time     // UTC, whole microseconds.
	Interval time.Duration // 0 from when the service was not watched any more.
	Timeout  time.Duration
}

// ServiceTerm is a term with the service that it is of, as stores keep it.
type ServiceTerm struct {
	Service string
	Term
}

// SameAs tells whether two terms differ in nothing but when they began.
func (t Term) SameAs(other Term) bool {
	return t.Interval == other.Interval && t.Timeout == other.Timeout
}

// Now is the term in which the service stands in the configuration, from an instant on.
func (s Service) Now(since time.Time) Term {
	return Term{Since: since.UTC().Truncate(time.Microsecond), Interval: s.Interval, Timeout: s.Timeout}
}

// WithTerm returns terms, oldest first, with one more that begins after all of them; the same
// terms where nothing changes by it.
func WithTerm(terms []Term, next Term) []Term {
	n := len(terms)
	if n > 0 && (terms[n-1].SameAs(next) || !next.Since.After(terms[n-1].Since)) {
		return terms
	}
	return append(slices.Clip(terms), next)
}

// SortTerms sorts terms by their beginning, and leaves out those that say nothing new.
func SortTerms(terms []Term) []Term {
	slices.SortStableFunc(terms, func(a, b Term) int { return a.Since.Compare(b.Since) })
	return slices.CompactFunc(terms, Term.SameAs)
}

// term returns the term in force at t, and when it ends; the zero time for the last. Before the
// first the first holds, and without any the service as it is.
func (s Service) term(t time.Time) (in Term, end time.Time) {
	if len(s.Terms) == 0 {
		return Term{Interval: s.Interval, Timeout: s.Timeout}, end
	}
	next, _ := slices.BinarySearchFunc(s.Terms, t, func(term Term, t time.Time) int {
		if term.Since.After(t) {
			return 1
		}
		return -1
	})
	if next < len(s.Terms) {
		end = s.Terms[next].Since
	}
	if next == 0 {
		return s.Terms[0], s.secondTerm()
	}
	return s.Terms[next-1], end
}

func (s Service) secondTerm() (end time.Time) {
	if len(s.Terms) > 1 {
		end = s.Terms[1].Since
	}
	return end
}

// IntervalAt is the interval that was in force at t; while the service was not watched, the one
// before.
func (s Service) IntervalAt(t time.Time) time.Duration { return s.heldAt(t).Interval }

// HoldsAt is for how long a measurement made at t tells the state: until the next must be over.
// Where the interval changes meanwhile, the longer one holds.
func (s Service) HoldsAt(t time.Time) time.Duration {
	term := s.heldAt(t)
	holds := term.Interval + term.Timeout
	if len(s.Terms) > 1 {
		next := s.heldAt(t.Add(holds))
		holds = max(holds, next.Interval+next.Timeout)
	}
	return holds + staleGrace
}

// Holds is for how long a measurement of the service tells its state: until the next must
// be over.
func (s Service) Holds() time.Duration { return s.Interval + s.Timeout + staleGrace }

// heldAt is the term in force at t, or the last before it in which the service was watched.
func (s Service) heldAt(t time.Time) Term {
	if len(s.Terms) < 2 { // The usual case: nothing has ever changed.
		return Term{Interval: s.Interval, Timeout: s.Timeout}
	}
	in, _ := s.term(t)
	for at := len(s.Terms) - 1; in.Interval <= 0 && at >= 0; at-- {
		if s.Terms[at].Interval > 0 && !s.Terms[at].Since.After(t) {
			in = s.Terms[at]
		}
	}
	if in.Interval <= 0 {
		return Term{Interval: s.Interval, Timeout: s.Timeout}
	}
	return in
}

// Watched is from when on measurements were due: the first term, or the first measurement where
// that is older, as of a store that others filled. It is false where nothing tells.
func (s Service) Watched() (time.Time, bool) {
	if len(s.Terms) == 0 {
		return time.Time{}, false
	}
	if begin := s.Terms[0].Since; s.Begun.IsZero() || begin.Before(s.Begun) {
		return begin, true
	}
	return s.Begun, true
}

// isBefore tells whether a stretch that ends so was over when the service began to be watched.
func (s Service) isBefore(end time.Time) bool {
	begin, known := s.Watched()
	return known && !end.After(begin)
}

// SlotsBetween counts the slots in [from, to), by the intervals that held then. Before it was
// watched, and while it was not, a service has none.
func (s Service) SlotsBetween(from, to time.Time) int {
	if begin, known := s.Watched(); known && from.Before(begin) {
		from = begin
	}
	n := 0
	for from.Before(to) {
		in, end := s.term(from)
		if end.IsZero() || end.After(to) {
			end = to
		}
		n += Service{ID: s.ID, Interval: in.Interval}.slots(from, end)
		from = end
	}
	return n
}
