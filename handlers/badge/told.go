package badge

import (
	"statuspage/internal/status"
	"statuspage/views/badge"
	"sync"
)

// figure is what a badge tells, before it is dressed as its address wishes.
type figure struct {
	badge badge.Badge
	state status.Outcome
}

// maxFigures bounds those kept of one version; asked for ever other windows, all are let go.
const maxFigures = 4096

// told keeps what badges tell at one version of the page: colours and labels without end are drawn on the same
// sums, which of a whole page take milliseconds.
type told struct {
	mu      sync.Mutex
	version uint64
	made    map[string]figure
}

func (f *told) get(version uint64, key string, sum func() (figure, error)) (figure, error) {
	f.mu.Lock()
	known, ok := f.made[key]
	ok = ok && f.version == version
	f.mu.Unlock()
	if ok {
		return known, nil
	}
	made, err := sum()
	if err != nil {
		return made, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if version < f.version {
		return made, nil
	}
	if f.made == nil || f.version != version || len(f.made) >= maxFigures {
		f.version, f.made = version, make(map[string]figure)
	}
	f.made[key] = made
	return made, nil
}
