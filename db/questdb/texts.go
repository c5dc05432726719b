package questdb

import (
	"regexp"
	"sync"

	"github.com/jackc/pgx/v5/pgtype"
)

// A symbol takes four bytes a row, and each different one a place that is never given back.
// Texts of errors are therefore kept few: what differs from run to run in the same failure
// is taken out, and a target that answers with something new each time is told to stop.
const (
	maxErrorTexts = 1 << 20 // Bytes of different texts in the life of a process, some 10,000 of the usual length.
	tooManyTexts  = "one of too many different errors"
)

var (
	ownAddress = regexp.MustCompile(`(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.%a-z]*\]):\d+->`) // Its port is another each time.
	certTime   = regexp.MustCompile(`current time \S+ is (after|before)`)
)

// errorTexts are those that a process has stored.
type errorTexts struct {
	mu    sync.Mutex
	known map[string]bool
	bytes int
}

// one returns what is stored for an error.
func (e *errorTexts) one(s string) pgtype.Text {
	if s == "" {
		return pgtype.Text{}
	}
	s = ownAddress.ReplaceAllString(s, "")
	s = certTime.ReplaceAllString(s, "now is $1")
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.known[s]:
	case e.bytes+len(s) > maxErrorTexts:
		s = tooManyTexts
	default:
		if e.known == nil {
			e.known = map[string]bool{}
		}
		e.known[s] = true
		e.bytes += len(s)
	}
	return text(s)
}
