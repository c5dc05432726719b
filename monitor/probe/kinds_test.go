package probe

import (
	"maps"
	"slices"
	"statuspage/internal/check"
	"testing"
)

// TestEveryKindIsMeasured holds that the two tables of kinds have the same.
func TestEveryKindIsMeasured(t *testing.T) {
	t.Parallel()
	var want []string
	for _, k := range check.Kinds() {
		want = append(want, k.Name)
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(New(Options{}).Kinds())); !slices.Equal(got, want) {
		t.Errorf("measured are %q, known %q", got, want)
	}
}
