package status

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Check says how a service is measured. It holds secrets (userinfo, headers), so it goes
// to the prober only, never to the board or the views.
type Check struct {
	Service

	Kind            string        // Key into Prober.Kinds of package probe, such as "http".
	Target          string        // The address as configured, userinfo included.
	DegradedAfter   time.Duration // Slower than this is Degraded; 0 for never.
	Method          string        // HEAD or GET.
	Headers         map[string]string
	ExpectStatus    []StatusRange // Empty means DefaultStatus.
	FollowRedirects bool          // Follow up to MaxRedirects and judge the last answer.
	KeepAlive       bool          // Reuse the connection of the run before; off, so that DNS, TCP and TLS are measured each time.
}

// MaxRedirects is how many redirects a probe follows before it gives up, as many as Chromium.
const MaxRedirects = 20

// DefaultStatus is what counts as available unless the service expects something else.
var DefaultStatus = []StatusRange{{From: 200, To: 399}}

// Expects tells whether an answer with this HTTP status means available.
func (c Check) Expects(code int) bool {
	ranges := c.ExpectStatus
	if len(ranges) == 0 {
		ranges = DefaultStatus
	}
	for _, r := range ranges {
		if r.From <= code && code <= r.To {
			return true
		}
	}
	return false
}

// StatusRange is a range of HTTP status codes, both ends included.
type StatusRange struct{ From, To int }

// String returns the form that ParseStatusRange reads: 204 or 200-399.
func (r StatusRange) String() string {
	if r.From == r.To {
		return strconv.Itoa(r.From)
	}
	return fmt.Sprintf("%d-%d", r.From, r.To)
}

// ParseStatusRange reads 204 or 200-399; codes go from 100 to 599.
func ParseStatusRange(text string) (StatusRange, error) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	a, errA := strconv.Atoi(strings.TrimSpace(from))
	b, errB := strconv.Atoi(strings.TrimSpace(to))
	if errA != nil || errB != nil || a < http.StatusContinue || b > 599 || a > b {
		return StatusRange{}, fmt.Errorf("%q is not an HTTP status (204) or a range of them (200-399): %w", text, ErrInvalid)
	}
	return StatusRange{a, b}, nil
}
