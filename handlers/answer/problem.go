package answer

import (
	"net/http"
	"strconv"
	"time"
)

// Problem is an error whose words were written for the public: those of programs in English, those
// of pages in the visitor's language.
type Problem struct { //nolint:errname // RFC 9457 calls it a problem.
	Code   int    // HTTP status.
	Detail string // English; without one that of the Key.
	Key    string // Of the catalogue, for what pages say; without one that of the code.
	Retry  int    // Retry-After in seconds; 0 for none.

	Refusal bool // Of ours, when the house is full or starting: no failure, and not worth a line in the log.
}

func (p *Problem) Error() string { return strconv.Itoa(p.Code) + ": " + p.Detail + p.Key }

// StatusRetry is after how many seconds a new state may be known, for Retry-After.
const StatusRetry = "30"

// NotFound says what there is not, by a key of the catalogue.
func NotFound(key string) error { return &Problem{Code: http.StatusNotFound, Key: key} }

// Unprocessable says in English what of a request can't be understood.
func Unprocessable(detail string) error {
	return &Problem{Code: http.StatusUnprocessableEntity, Detail: detail}
}

// TooMany is the answer to an address that asks too often: when to come back.
func TooMany(wait time.Duration) *Problem {
	seconds := int((wait + time.Second - 1) / time.Second)
	return &Problem{Code: http.StatusTooManyRequests, Retry: max(1, seconds)}
}
