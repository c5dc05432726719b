package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"time"
	"unicode/utf8"
)

// signal is one on the wire. It has no region and no URL: those are the server's to say.
type signal struct {
	Service    string    `json:"service"`
	Received   time.Time `json:"received"`
	Outcome    string    `json:"outcome"`
	Reason     string    `json:"reason,omitempty"`
	HTTPStatus int       `json:"http_status"`
	DurationUs int64     `json:"duration_us"`
	Error      string    `json:"error,omitempty"`
	Expiry     time.Time `json:"certificate_expiry,omitzero"`
}

// Refusal is a signal of a batch that is not taken.
type Refusal struct {
	Index int    `json:"index"` // In the batch, from 0.
	Cause string `json:"cause"`
}

// Mistakes of a whole batch.
var (
	ErrMalformed = errors.New("not a list of signals")
	ErrTooMany   = fmt.Errorf("more than %d signals", MaxSignals)
	ErrTooLarge  = fmt.Errorf("larger than %d bytes", MaxText)
)

// Rules are what the server knows of who hands in.
type Rules struct {
	Region    string
	Services  map[string]status.Service // Those measured in the region, by id.
	Retention time.Duration             // Older signals are refused; 0 takes all.
	Now       time.Time
	// Certificate is told when the certificate expires that a service has shown; it may be nil.
	Certificate func(service string, expiry time.Time)
}

// EncodeSignals writes the first of the signals, as many as one batch holds, and tells how many
// those are: at least one of any. Known is when the certificates of services expire.
func EncodeSignals(signals []status.Signal, known map[string]time.Time) (body []byte, n int, err error) {
	body = append(body, '[')
	for n < min(len(signals), MaxSignals) {
		s := signals[n]
		item, err := json.Marshal(signal{
			Service: s.Service, Received: s.Received.UTC(), Outcome: s.Outcome.String(), Reason: s.Reason.String(),
			HTTPStatus: s.HTTPStatus, DurationUs: s.Duration.Microseconds(), Error: clean(s.Error),
			Expiry: known[s.Service],
		})
		if err != nil {
			return nil, 0, fmt.Errorf("signal of %q: %w", s.Service, err)
		}
		// Uncompressed it fits as well, so that no server or proxy has to count on more.
		if n > 0 && len(body)+len(item)+2 > MaxBody {
			break
		}
		if n > 0 {
			body = append(body, ',')
		}
		body = append(body, item...)
		n++
	}
	return append(body, ']'), n, nil
}

// DecodeSignals reads a batch, holding no more of it than one signal beyond what it returns.
// Signals are as they may be stored; those that may not are named, and then none is returned.
func DecodeSignals(r io.Reader, rules Rules) (signals []status.Signal, refused []Refusal, err error) {
	limited := &limitReader{r: r, left: MaxText}
	d := json.NewDecoder(limited)
	malformed := func(err error) error {
		if errors.Is(err, ErrTooLarge) {
			return ErrTooLarge
		}
		return ErrMalformed
	}
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, nil, malformed(err)
	}
	for n := 0; d.More(); n++ {
		if n == MaxSignals {
			return nil, nil, ErrTooMany
		}
		var w signal
		if err := d.Decode(&w); err != nil {
			return nil, nil, malformed(err)
		}
		s, cause := rules.take(w)
		if cause != "" {
			refused = append(refused, Refusal{n, cause})
			continue
		}
		signals = append(signals, s)
		if rules.Certificate != nil && w.Expiry.Unix() > 0 {
			rules.Certificate(s.Service, w.Expiry.UTC())
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, malformed(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, malformed(err)
	}
	if len(refused) > 0 {
		return nil, refused, nil
	}
	return signals, nil, nil
}

// take makes a signal of what an agent wrote, or says why not.
func (r Rules) take(w signal) (s status.Signal, cause string) {
	svc, known := r.Services[w.Service]
	reason, outcome := status.ParseReason(w.Reason), status.Unknown
	errOutcome := outcome.UnmarshalText([]byte(w.Outcome))
	ahead := w.Received.Sub(r.Now)
	switch {
	case !known:
		return s, "service: not one that is measured in region " + r.Region
	case errOutcome != nil || outcome == status.Unknown:
		return s, "outcome: up, degraded or down"
	case w.Reason != reason.String():
		return s, "reason: not in the vocabulary"
	case !reason.Fits(outcome):
		return s, "reason: does not go with the outcome"
	case w.HTTPStatus != status.NoHTTPStatus && (w.HTTPStatus < 100 || w.HTTPStatus > 999):
		return s, "http_status: 100 to 999, or -1 without an answer"
	case w.HTTPStatus == status.NoHTTPStatus && outcome.Available() && answers(svc):
		return s, "http_status: an available service has answered"
	case w.HTTPStatus != status.NoHTTPStatus && !answers(svc):
		return s, "http_status: -1 for what is not asked over HTTP"
	case w.DurationUs < 0 || w.DurationUs > maxDuration.Microseconds():
		return s, "duration_us: from 0 to an hour"
	case ahead > MaxAhead:
		return s, fmt.Sprintf("received: %v in the future of the server's clock; set the agent's clock", ahead.Round(time.Second))
	case r.Retention > 0 && ahead < -r.Retention:
		return s, fmt.Sprintf("received: %v ago by the server's clock, and signals are kept for %v; if it was measured lately, set the agent's clock",
			(-ahead).Round(time.Second), r.Retention)
	case w.Received.Unix() < 0:
		return s, "received: before 1970; set the agent's clock"
	}
	return status.Signal{
		Received: w.Received.UTC().Truncate(time.Microsecond), Service: svc.ID, Region: r.Region, URL: svc.URL,
		HTTPStatus: w.HTTPStatus, Available: outcome.Available(), Outcome: outcome,
		Duration: time.Duration(w.DurationUs) * time.Microsecond, Reason: reason, Error: clean(w.Error),
	}, ""
}

// answers tells whether a service that is available has answered with a status of HTTP.
func answers(svc status.Service) bool {
	k := check.OfAddress(svc.URL)
	return k == nil || k.HTTPStatus
}

// clean makes one line of bounded length of a text.
func clean(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), 4*maxErrorLength)], "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if status.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxErrorLength {
		cut := maxErrorLength
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	return text
}

// limitReader fails where io.LimitReader would pretend the end. It fills what it is given: after each piece a
// json.Decoder looks at all blanks before it once more, so that small pieces cost the square of their number.
type limitReader struct {
	r    io.Reader
	left int
}

func (l *limitReader) Read(p []byte) (n int, err error) {
	if l.left <= 0 {
		return 0, ErrTooLarge
	}
	p = p[:min(len(p), l.left)]
	for n < len(p) && err == nil {
		var piece int
		piece, err = l.r.Read(p[n:])
		n += piece
	}
	l.left -= n
	return n, err
}
