package check

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"unicode"
)

// MaxRedirects is how many redirects a probe follows before it gives up, as many as Chromium.
const MaxRedirects = 20

const maxHeaderName = 100

// DefaultStatus is what counts as available unless the service expects something else.
var DefaultStatus = []StatusRange{{From: 200, To: 399}}

// HTTP is the settings of a check over HTTP.
type HTTP struct {
	Method          string            `json:"method"` // HEAD or GET.
	Headers         map[string]string `json:"headers,omitempty"`
	ExpectStatus    []StatusRange     `json:"expect,omitempty"` // Empty means DefaultStatus.
	FollowRedirects bool              `json:"follow_redirects"` // Follow up to MaxRedirects and judge the last answer.
	KeepAlive       bool              `json:"keep_alive"`       // Reuse the connection of the run before; off, so that DNS, TCP and TLS are measured each time.
	Security        Security          `json:"tls,omitzero"`     // With the configured host; with others, of redirects, TLS is as always.
}

var httpKind = Kind{
	Name: "http", HTTPStatus: true,
	About:   "asks over HTTP/1.1 or HTTP/2 and judges the status of the answer, and what else is expected of it; the body is read, up to 1 MiB",
	Schemes: []Scheme{{"http", "http://host/path", false}, {"https", "https://host/path", true}},
	Keys: append([]Key{
		{
			Name: "method", Default: "HEAD", Begin: nothing,
			About: "or `GET`, which is what is sent where the body, JSON or headers are looked at; where HEAD fails in any way the same run asks with GET, whose answer counts, and GET alone is asked for a day if it works",
			Set:   parsed(func(c *Check) *string { return &httpOf(*c).Method }, parseMethod),
			Show:  func(c Check) any { return httpOf(c).Method },
		},
		{
			Name: "headers", Form: Map, Secret: true, About: "sent with each probe, to the configured host only",
			Begin: func(c *Check) {
				h := httpOf(*c)
				if h.Headers = maps.Clone(h.Headers); h.Headers == nil {
					h.Headers = map[string]string{}
				}
			},
			Names: headerName, Put: putHeader,
			Show: func(c Check) any {
				if h := httpOf(c); len(h.Headers) > 0 {
					return h.Headers
				}
				return nil
			},
		},
		{
			Name: "expect.status", Default: `["200-399"]`, Form: List, Element: "status", About: "what counts as available",
			Begin: func(c *Check) { httpOf(*c).ExpectStatus = nil },
			Set: func(c *Check, text string) error {
				r, err := parseStatus(text)
				if h := httpOf(*c); err == nil {
					h.ExpectStatus = append(h.ExpectStatus, r)
				}
				return err
			},
			Show: func(c Check) any {
				return shownRanges(httpOf(c).ExpectStatus)
			},
		},
		{
			Name: "degraded_unless.status", Form: List, Element: "status", About: "what counts as up, of what is available",
			Begin: func(c *Check) { c.Unless.Status = nil },
			Set:   statuses,
			Show:  func(c Check) any { return shownRanges(c.Unless.Status) },
		},
		degradedAfter,
		{
			Name: "follow_redirects", Default: "true", About: "up to 20; `false` judges the first answer", Begin: nothing,
			Set:  parsed(func(c *Check) *bool { return &httpOf(*c).FollowRedirects }, ParseBool),
			Show: func(c Check) any { return httpOf(c).FollowRedirects },
		},
		{
			Name: "keep_alive", Default: "false", Begin: nothing,
			About: "reuse the connection, for ten minutes at most, of at most as many checks as a quarter of the files that the process may open; off, DNS, TCP and TLS are part of every measurement",
			Set:   parsed(func(c *Check) *bool { return &httpOf(*c).KeepAlive }, ParseBool),
			Show:  func(c Check) any { return httpOf(c).KeepAlive },
		},
	}, append(matchers(body, jsonValues, header, latency, certificate), securityKeys(func(c *Check) *Security { return &httpOf(*c).Security })...)...),
	Example: `- name: API
  url: https://api.example.org/health
  method: GET
  headers: {Authorization: Bearer 0123456789}
  expect:
    status: [200, 401, "300-308"]
    body: {lacks: [maintenance]}
    json:
      status: up
      queue.depth: {below: 100}
      kind: {any_of: [photo, video]}
      items: {length: {above: 0}}
      errors: {present: false}
    header: {content-type: {matches: "^application/(.*[+])?json"}}
  degraded_unless:
    latency: 800ms
    certificate: {valid_for: 14d}
    json: {queue.depth: {below: 10}}
`,
	blank:   func() How { return new(HTTP) },
	begin:   func() How { return &HTTP{Method: http.MethodHead, FollowRedirects: true} },
	address: func(*url.URL) error { return nil },
}

// httpOf is the settings of a check that is one over HTTP: keys are given no other.
func httpOf(c Check) *HTTP { return c.How.(*HTTP) } //nolint:forcetypeassert // See above.

func (*HTTP) kind() string { return "http" }

func (h *HTTP) clone() How {
	c := *h
	return &c
}

func (h *HTTP) valid() error {
	if _, err := parseMethod(h.Method); err != nil || h.Method != strings.ToUpper(h.Method) {
		return fmt.Errorf("method %q: %w", h.Method, status.ErrInvalid)
	}
	return h.Security.whole()
}

func (h *HTTP) secrets() (all []string) {
	for name, value := range h.Headers {
		if strings.EqualFold(name, "Host") {
			continue
		}
		all = append(all, value)
		all = append(all, strings.Fields(value)...) // Bearer and Basic are none, what follows is.
	}
	return all
}

// Expects tells whether an answer with this HTTP status means available.
func (h *HTTP) Expects(code int) bool {
	ranges := h.ExpectStatus
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

func shownRanges(ranges []StatusRange) any {
	if len(ranges) == 0 {
		return nil
	}
	var all []string
	for _, r := range ranges {
		all = append(all, r.String())
	}
	return all
}

func parseStatus(text string) (StatusRange, error) {
	r, err := ParseStatusRange(text)
	if err != nil {
		return r, errors.New(`not an HTTP status from 100 to 599: write 204, or a range such as "200-399"`)
	}
	return r, nil
}

func parseMethod(text string) (string, error) {
	switch method := strings.ToUpper(text); method {
	case http.MethodHead, http.MethodGet:
		return method, nil
	}
	return "", errors.New("must be HEAD or GET")
}

// headerName takes a token of RFC 9110.
func headerName(name string) error {
	if name == "" || len(name) > maxHeaderName || strings.ContainsFunc(name, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}) {
		return errors.New("not a name of a header")
	}
	return nil
}

// putHeader refuses above all the line breaks that would add a header.
func putHeader(c *Check, name, text string) error {
	if status.HasControl(strings.ReplaceAll(text, "\t", " ")) {
		return errors.New("has a line break or a control character")
	}
	httpOf(*c).Headers[http.CanonicalHeaderKey(name)] = text
	return nil
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

// MarshalText implements encoding.TextMarshaler.
func (r StatusRange) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *StatusRange) UnmarshalText(text []byte) (err error) {
	*r, err = ParseStatusRange(string(text))
	return err
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
		return StatusRange{}, fmt.Errorf("%q is not an HTTP status (204) or a range of them (200-399): %w", text, status.ErrInvalid)
	}
	return StatusRange{a, b}, nil
}
