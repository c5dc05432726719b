package dbtest

import (
	"statuspage/db"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// terms are kept as they were written, for ever, once each.
func terms(t *testing.T, s db.Store) {
	want := []status.ServiceTerm{
		{Service: "a", Term: status.Term{Since: T0.AddDate(-1, 0, 0), Interval: time.Minute, Timeout: 10 * time.Second}},
		{Service: "a", Term: status.Term{Since: T0, Timeout: 10 * time.Second}},
		{Service: "b", Term: status.Term{Since: T0, Interval: 1500 * time.Millisecond, Timeout: time.Second}},
	}
	older := want[2]
	older.Interval = time.Hour
	for _, some := range [][]status.ServiceTerm{{older}, want, want[:2], nil} {
		if err := s.WriteTerms(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
	sorted := cmpopts.SortSlices(func(a, b status.ServiceTerm) bool {
		return strings.Compare(a.Service+a.Since.String(), b.Service+b.Since.String()) < 0
	})
	Poll(t, func() string {
		got, err := s.Terms(t.Context())
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(want, got, sorted)
	})
}
