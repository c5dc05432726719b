package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// ClockTolerance is by how much the clocks of agent and server may differ before it is said.
	ClockTolerance = 2 * time.Second

	maxAnswer   = 512 << 10   // Bytes of an answer to a batch: a refusal for each of its signals.
	droppedSaid = time.Minute // How often the log says that signals are refused.
)

var (
	// errDenied is the answer to a token that the server does not know.
	errDenied = errors.New("the server refuses the token")
	// errUnread is the answer to a batch that can't be read, as a whole: too large for something on
	// the way, or with a signal in it that the server chokes on.
	errUnread = errors.New("the batch is not read")
)

// maxUnread is how many single signals may be answered so before any is taken: a server that reads none is
// another one than we think, and gets no more of them for now.
const maxUnread = 16

// Client asks one server for checks, and hands signals in. It is for one goroutine; the
// figures may be read from any.
type Client struct {
	base  string
	token string
	http  *http.Client
	log   *slog.Logger
	// changed is told of checks that differ from those before.
	changed func(region string, checks []check.Check, document []byte) error

	tag       string // Of the checks that changed was told of.
	denied    bool
	clockOff  bool
	saidDrops time.Time

	mu    sync.Mutex
	known map[string]time.Time // When certificates expire, by service.

	handed, dropped atomic.Uint64
	skew            atomic.Pointer[skew]
}

// ParseServer reads the address of a server. It tells whether what is said to it can be
// read on the way: over http to another machine.
func ParseServer(address string) (u *url.URL, open bool, err error) {
	u, err = url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, false, fmt.Errorf("not the address of a server: write https://status.example: %w", status.ErrInvalid)
	}
	ip := net.ParseIP(u.Hostname())
	return u, u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()), nil
}

// NewClient returns one that has asked for nothing yet. It believes servers that one of the roots vouches
// for, those of the system when there are none given.
func NewClient(server *url.URL, roots *x509.CertPool, token string, log *slog.Logger, changed func(region string, checks []check.Check, document []byte) error) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // It is one.
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &Client{
		base: strings.TrimRight(server.String(), "/"), token: token, log: log, changed: changed, known: make(map[string]time.Time),
		http: &http.Client{
			Transport: transport,
			// A token goes to the server that was named and to no other.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Certificate says when the certificate expires that a service has shown: its signals tell it
// from then on.
func (c *Client) Certificate(service string, expiry time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[service] = expiry.UTC().Truncate(time.Second)
}

// Handed counts the signals that the server has taken.
func (c *Client) Handed() uint64 { return c.handed.Load() }

// Dropped counts the signals that the server refused for good.
func (c *Client) Dropped() uint64 { return c.dropped.Load() }

// skew is by how much the server's clock was ahead of ours at an instant.
type skew struct {
	ahead time.Duration
	at    time.Time
}

// skewHolds is for how long a comparison of the clocks tells something: the server is asked every few seconds.
const skewHolds = time.Minute

// Skew is by how much the server's clock is ahead of ours, and whether that is known: not when the server has
// not answered lately.
func (c *Client) Skew() (ahead time.Duration, known bool) {
	s := c.skew.Load()
	if s == nil || time.Since(s.at) > skewHolds {
		return 0, false
	}
	return s.ahead, true
}

// Ensure asks for the checks, so that signals are handed in to a server that knows us.
func (c *Client) Ensure(ctx context.Context) error { return c.Ping(ctx) }

// Ping asks for the checks, and tells of them when they have changed.
func (c *Client) Ping(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+ChecksPath, nil)
	if err != nil {
		return err
	}
	if c.tag != "" {
		req.Header.Set("If-None-Match", c.tag)
	}
	req.Header.Set(KindsHeader, Kinds())
	res, err := c.do(req)
	if err != nil {
		return err
	}
	defer hangUp(res)
	switch res.StatusCode {
	case http.StatusNotModified:
		return nil
	case http.StatusOK:
	default:
		return answered(res)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxChecksText+1))
	if err != nil {
		return fmt.Errorf("read the checks: %w", err)
	}
	if len(body) > maxChecksText {
		return fmt.Errorf("the checks are larger than %d bytes: %w", maxChecksText, status.ErrInvalid)
	}
	region, checks, unknown, err := DecodeChecks(body)
	if err != nil {
		return fmt.Errorf("the answer of %s is none of a status page that knows agents: %w", c.base, err)
	}
	c.tag = res.Header.Get("ETag")
	if len(unknown) > 0 {
		c.log.Error("checks of the server that only a later version can measure; they are no data in this region until the agent is updated", "services", len(unknown), "first", clean(unknown[0]))
	}
	if err := c.changed(region, checks, body); err != nil { // What was measured is handed in all the same.
		c.log.Error("the server's checks can't be measured here; those before go on", "error", err)
	}
	return nil
}

// Write hands the signals in. When it returns nil the server has them on disk, all but those
// that it refuses for good: they are counted and let go, so that others are not held up.
//
// A batch that the server can't read is halved until the signal is found that it is for; that
// one is let go as well, provided that the server reads others.
func (c *Client) Write(ctx context.Context, signals []status.Signal) error {
	c.mu.Lock()
	known := maps.Clone(c.known)
	c.mu.Unlock()
	var lost []Refusal
	handed, unread, most := 0, 0, MaxSignals
	for len(signals) > 0 {
		body, n, err := EncodeSignals(signals[:min(most, len(signals))], known)
		if err != nil {
			return err
		}
		refused, err := c.handIn(ctx, body, n)
		switch {
		case errors.Is(err, errUnread) && n > 1:
			most = n / 2
			continue
		case errors.Is(err, errUnread) && (handed > 0 || unread < maxUnread):
			unread++
			lost, signals = append(lost, Refusal{Cause: err.Error()}), signals[1:]
			continue
		case err != nil:
			return err
		}
		most = min(2*most, MaxSignals)
		if len(refused) == 0 {
			handed, signals = handed+n, signals[n:]
			continue
		}
		lost = append(lost, refused...)
		kept := slices.Clone(signals)
		for _, r := range slices.Backward(refused) { // By index.
			kept = slices.Delete(kept, r.Index, r.Index+1)
		}
		signals = kept
	}
	if unread > 0 && handed == 0 {
		return fmt.Errorf("the server reads none of the signals: %w", errUnread)
	}
	c.handed.Add(uint64(handed))
	c.dropped.Add(uint64(len(lost)))
	if len(lost) > 0 && time.Since(c.saidDrops) > droppedSaid {
		c.saidDrops = time.Now()
		c.log.Error("the server refuses signals; they are dropped", "signals", len(lost), "first", clean(lost[0].Cause), "dropped", c.dropped.Load())
	}
	return nil
}

// handIn sends one batch of n signals. Those named make the server refuse it; their
// indices rise.
func (c *Client) handIn(ctx context.Context, body []byte, n int) ([]Refusal, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(body) // To memory.
	_ = w.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+SignalsPath, &packed)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	res, err := c.do(req)
	if err != nil {
		return nil, err
	}
	defer hangUp(res)
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusUnprocessableEntity {
		return nil, answered(res)
	}
	var answer Answer
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("the answer of %s is none of a status page that knows agents: %w", c.base, err)
	}
	if res.StatusCode == http.StatusOK {
		if answer.Taken != n { // Something else on the way has answered.
			return nil, fmt.Errorf("the server says that it took %d signals of %d: %w", answer.Taken, n, status.ErrInvalid)
		}
		return nil, nil
	}
	before := -1
	for _, r := range answer.Refused {
		if r.Index <= before || r.Index >= n {
			return nil, fmt.Errorf("the server refuses a signal that is not in the batch: %w", status.ErrInvalid)
		}
		before = r.Index
	}
	if before < 0 {
		return nil, fmt.Errorf("the server refuses a batch and names no signal of it: %w", status.ErrInvalid)
	}
	return answer.Refused, nil
}

// Answer is what a batch is answered with: 200 when all of it is on disk, 422 when signals
// of it are refused and none is taken.
type Answer struct {
	Taken   int       `json:"taken"`
	Refused []Refusal `json:"refused,omitempty"`
}

// do sends a request with the token, and looks at the server's clock and at whether it knows us.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("User-Agent", "statuspage-agent")
	sent := time.Now()
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("server not reached: %w", err)
	}
	if at, err := time.Parse(time.RFC3339Nano, res.Header.Get(TimeHeader)); err == nil {
		c.compareClocks(at, sent, time.Since(sent))
	}
	denied := res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden
	if denied && !c.denied {
		c.log.Error("THE SERVER REFUSES THE TOKEN; measuring goes on, and the signals wait in the outbox. Set the token that the server has for this region under agents:",
			"status", res.StatusCode)
	}
	if !denied && c.denied {
		c.log.Info("the server takes the token again")
	}
	c.denied = denied
	return res, nil
}

// compareClocks notes how far the server's clock is from ours. Its answer was made at some instant
// of the exchange; nobody knows at which.
func (c *Client) compareClocks(server, sent time.Time, took time.Duration) {
	ahead := server.Sub(sent.Round(0).Add(took / 2))
	c.skew.Store(&skew{ahead, time.Now()})
	off := ahead.Abs() > ClockTolerance+took/2
	switch {
	case off && !c.clockOff:
		c.log.Warn("the clocks of this machine and of the server differ; signals are kept under the instants of this one. Let NTP set it", "server_is_ahead", ahead.Round(time.Millisecond))
	case !off && c.clockOff:
		c.log.Info("the clocks of this machine and of the server agree again")
	}
	c.clockOff = off
}

// answered is the error of an answer that is none of those we want.
func answered(res *http.Response) error {
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("%w (%d): set the one that it has under agents: for this region", errDenied, code)
	case code == http.StatusNotFound || code == http.StatusMethodNotAllowed:
		return fmt.Errorf("the server knows no agents (%d): set agents: in its configuration, or another --to: %w", code, status.ErrNotFound)
	case code == http.StatusBadRequest || code == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("the server answers %d: %w", code, errUnread)
	case code >= 300 && code < 400:
		return fmt.Errorf("the server sends us elsewhere (%d); name the address that answers with --to: %w", code, status.ErrInvalid)
	default:
		return fmt.Errorf("the server answers %d: %w", code, status.ErrUnavailable)
	}
}

// hangUp reads what is left of a short answer, so that the connection can be used again.
func hangUp(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	_ = res.Body.Close()
}
