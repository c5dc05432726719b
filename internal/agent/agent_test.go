package agent

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"
)

func rules(now time.Time) Rules {
	return Rules{Region: "office", Services: map[string]status.Service{"web": {ID: "web", URL: "https://web.example", Interval: time.Minute}}, Retention: time.Hour, Now: now}
}

func signalsAt(now time.Time, n int, text string) []status.Signal {
	all := make([]status.Signal, n)
	for i := range all {
		all[i] = status.Signal{
			Received: now.Add(-time.Duration(i) * time.Millisecond), Service: "web", HTTPStatus: status.NoHTTPStatus, Outcome: status.Down,
			Reason: status.Timeout, Duration: 1234 * time.Microsecond, Error: text,
		}
	}
	return all
}

// TestBatchesComeBackAsTheyWere holds for any number of signals, however long their texts.
func TestBatchesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Microsecond)
	for _, c := range []struct {
		n, batches int
		text       string
	}{{0, 0, ""}, {1, 1, "x"}, {MaxSignals, 1, "x"}, {MaxSignals + 1, 2, "x"}, {4500, 5, strings.Repeat("x", 2000)}, {300, 2, strings.Repeat("<", 1000)}} {
		all := signalsAt(now, c.n, c.text)
		rest, batches := all, 0
		var back []status.Signal
		for ; len(rest) > 0; batches++ {
			body, n, err := EncodeSignals(rest, nil)
			if err != nil || n < 1 || len(body) > MaxBody {
				t.Fatal(n, len(body), err)
			}
			rest = rest[n:]
			got, refused, err := DecodeSignals(bytes.NewReader(body), rules(now))
			if err != nil || len(refused) > 0 {
				t.Fatal(refused, err)
			}
			back = append(back, got...)
		}
		if batches != c.batches || len(back) != c.n {
			t.Errorf("%d signals: %d batches with %d, want %d", c.n, batches, len(back), c.batches)
		}
		for i := range back {
			want := all[i]
			want.Region, want.URL, want.Error = "office", "https://web.example", want.Error[:min(len(want.Error), maxErrorLength)]
			if back[i] != want {
				t.Fatalf("signal %d came back as %+v, was %+v", i, back[i], want)
			}
		}
	}
}

func TestServers(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://status.example": "safe", "https://status.example/page/": "safe", "http://127.0.0.1:8000": "safe", "http://[::1]:1": "safe", "http://localhost": "safe",
		"http://status.example": "open", "http://10.0.0.1": "open",
		"status.example": "bad", "ftp://a": "bad", "https://user:pw@a": "bad", "https://a?x=1": "bad", "https://": "bad", "": "bad",
	} {
		_, open, err := ParseServer(address)
		got := "safe"
		if open {
			got = "open"
		}
		if err != nil {
			got = "bad"
		}
		if got != want {
			t.Errorf("%q is %s, want %s", address, got, want)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

// logged is what was logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// talk returns a client of a server that answers as told.
func talk(t *testing.T, h http.HandlerFunc) (*Client, *logged, *[]check.Check) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	log, took := &logged{}, new([]check.Check)
	return NewClient(u, nil, "office-office-office-office", slog.New(slog.NewTextHandler(log, nil)), func(_ string, checks []check.Check, _ []byte) error {
		*took = checks
		return nil
	}), log, took
}

// read is the batch of a request.
func read(r *http.Request) (all []map[string]any) {
	body, err := gzip.NewReader(r.Body)
	if err == nil {
		err = json.NewDecoder(body).Decode(&all)
	}
	if err != nil {
		panic(err)
	}
	return all
}

func TestRefusedSignalsDoNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	taken := 0
	c, log, _ := talk(t, func(w http.ResponseWriter, r *http.Request) {
		var a Answer
		batch := read(r)
		for i, s := range batch {
			if strings.HasPrefix(s["error"].(string), "bad") {
				a.Refused = append(a.Refused, Refusal{i, "received: in the future; set the agent's clock"})
			}
		}
		if a.Refused != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
		} else {
			a.Taken = len(batch)
			taken += len(batch)
		}
		_ = json.NewEncoder(w).Encode(a)
	})
	signals := signalsAt(time.Now(), MaxSignals+500, "good")
	for _, i := range []int{0, 7, MaxSignals - 1, MaxSignals + 499} {
		signals[i].Error = "bad"
	}
	before := slices.Clone(signals)
	if err := c.Write(t.Context(), signals); err != nil {
		t.Fatal(err)
	}
	if taken != MaxSignals+496 || c.Handed() != uint64(taken) || c.Dropped() != 4 || log.count("set the agent's clock") != 1 {
		t.Errorf("taken %d, handed %d, dropped %d; log:\n%s", taken, c.Handed(), c.Dropped(), log.b.String())
	}
	if !slices.Equal(before, signals) {
		t.Error("the caller's signals were changed")
	}
}

// TestASignalThatCantBeReadHoldsUpNoOthers holds for a batch that is answered 400 or 413 as a whole.
func TestASignalThatCantBeReadHoldsUpNoOthers(t *testing.T) {
	t.Parallel()
	for name, refuses := range map[string]func(batch []map[string]any) int{
		"poison": func(batch []map[string]any) int {
			if slices.ContainsFunc(batch, func(s map[string]any) bool { return s["error"] == "poison" }) {
				return http.StatusBadRequest
			}
			return 0
		},
		"a proxy that takes little": func(batch []map[string]any) int {
			if len(batch) > 100 {
				return http.StatusRequestEntityTooLarge
			}
			return 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var taken, asked int
			c, log, _ := talk(t, func(w http.ResponseWriter, r *http.Request) {
				batch := read(r)
				asked++
				if code := refuses(batch); code != 0 {
					w.WriteHeader(code)
					return
				}
				taken += len(batch)
				_ = json.NewEncoder(w).Encode(Answer{Taken: len(batch)})
			})
			signals, poison := signalsAt(time.Now(), 1500, "good"), 0
			if name == "poison" {
				for _, i := range []int{0, 700, 1499} {
					signals[i].Error = "poison"
					poison++
				}
			}
			if err := c.Write(t.Context(), signals); err != nil {
				t.Fatal(err)
			}
			if taken != 1500-poison || c.Dropped() != uint64(poison) || log.count("they are dropped") != min(1, poison) || asked > 100 {
				t.Errorf("taken %d, dropped %d, asked %d times; log:\n%s", taken, c.Dropped(), asked, log.b.String())
			}
		})
	}
}

// TestAServerThatReadsNothingGetsNothing holds that signals are kept for a server of another kind.
func TestAServerThatReadsNothingGetsNothing(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 5, 1500} {
		asked := 0
		c, _, _ := talk(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.WriteHeader(http.StatusBadRequest)
		})
		if err := c.Write(t.Context(), signalsAt(time.Now(), n, "good")); !errors.Is(err, errUnread) || c.Dropped() > 0 || asked > 60 {
			t.Errorf("%d signals: %v, %d dropped, asked %d times", n, err, c.Dropped(), asked)
		}
	}
}

// TestOnlyTheServersWordCounts holds that signals are let go only when the server says that
// it has them: not for whatever else answers on the way.
func TestOnlyTheServersWordCounts(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		code int
		body string
	}{
		"portal": {200, "<html>Welcome to our WiFi</html>"}, "nothing": {200, ""}, "empty": {200, "{}"}, "fewer": {200, `{"taken":1}`}, "created": {201, `{"taken":2}`},
		"names nobody": {422, `{}`}, "names others": {422, `{"refused":[{"index":2,"cause":"x"}]}`}, "negative": {422, `{"refused":[{"index":-1,"cause":"x"}]}`},
		"twice": {422, `{"refused":[{"index":1,"cause":"x"},{"index":1,"cause":"x"}]}`}, "problem": {422, `{"detail":"x"}`}, "endless": {200, `{"taken":2` + strings.Repeat(" ", maxAnswer)},
		"redirect": {307, ""}, "denied": {401, ""}, "forbidden": {403, ""}, "gone": {404, ""}, "limited": {429, ""}, "busy": {503, ""},
	} {
		c, _, _ := talk(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Errorf("%s: followed to %s", name, r.URL.Path)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(answer.code)
			fmt.Fprint(w, answer.body)
		})
		if err := c.Write(t.Context(), signalsAt(time.Now(), 2, "")); err == nil || c.Handed() != 0 || c.Dropped() != 0 {
			t.Errorf("%s: %v, handed %d, dropped %d", name, err, c.Handed(), c.Dropped())
		}
		if err := c.Ping(t.Context()); err == nil {
			t.Errorf("%s: counts as checks", name)
		}
	}
}

func TestClientSaysOnceWhatIsWrong(t *testing.T) {
	t.Parallel()
	code, ahead := http.StatusUnauthorized, time.Duration(0)
	c, log, took := talk(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(TimeHeader, time.Now().Add(ahead).UTC().Format(TimeFormat))
		if r.Header.Get("Authorization") != "Bearer office-office-office-office" {
			t.Error("the token is missing")
		}
		w.Header().Set("ETag", `"1"`)
		if code == http.StatusOK && r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.WriteHeader(code)
		body, _, _ := EncodeChecks("office", []check.Check{{
			Service: status.Service{ID: "web", Interval: time.Minute, Timeout: time.Second, Regions: []string{"office"}}, Target: "https://web.example", How: &check.HTTP{Method: "HEAD"},
		}}, r.Header.Get(KindsHeader))
		_, _ = w.Write(body)
	})
	for range 3 {
		if err := c.Ping(t.Context()); !errors.Is(err, errDenied) {
			t.Fatal(err)
		}
	}
	if log.count("THE SERVER REFUSES THE TOKEN") != 1 {
		t.Errorf("log:\n%s", log.b.String())
	}
	code, ahead = http.StatusOK, -time.Hour
	for range 3 {
		if err := c.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(*took) != 1 || log.count("takes the token again") != 1 || log.count("clocks of this machine and of the server differ") != 1 {
		t.Errorf("took %v, log:\n%s", *took, log.b.String())
	}
	if s, known := c.Skew(); !known || s > -59*time.Minute || s < -61*time.Minute {
		t.Errorf("skew %v, known: %v", s, known)
	}
	c.skew.Store(&skew{0, time.Now().Add(-2 * skewHolds)})
	if s, known := c.Skew(); known {
		t.Errorf("skew %v is known of a server that has not answered for two minutes", s)
	}
	ahead = 0
	if err := c.Ping(t.Context()); err != nil || log.count("agree again") != 1 {
		t.Errorf("%v, log:\n%s", err, log.b.String())
	}
}

// FuzzSignals holds that whatever is read may be stored, and reads the same once more.
func FuzzSignals(f *testing.F) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	body, _, err := EncodeSignals(signalsAt(now, 3, "dial tcp"), nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(body), "[]", "[null]", "[{}]", `[{"service":"web","service":"x"}]`, "[[[[", `[{"service":"web","received":"2026-03-01T12:00:00Z","outcome":"up","http_status":200,"duration_us":1}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		signals, refused, err := DecodeSignals(bytes.NewReader(body), rules(now))
		if (err != nil || len(refused) > 0) && len(signals) > 0 || len(signals) > MaxSignals {
			t.Fatalf("%d signals with %v, %v", len(signals), refused, err)
		}
		if err := status.CheckSignals(signals); err != nil {
			t.Fatal(err)
		}
		for _, s := range signals {
			if s.Service != "web" || s.Region != "office" || s.URL != "https://web.example" || !utf8.ValidString(s.Error) || len(s.Error) > maxErrorLength || s.Duration < 0 ||
				s.Received.After(now.Add(MaxAhead)) || s.Received.Before(now.Add(-time.Hour)) || s.Available != s.Outcome.Available() {
				t.Fatalf("%+v", s)
			}
		}
		if len(signals) == 0 {
			return
		}
		again, n, err := EncodeSignals(signals, nil)
		if err != nil || n > len(signals) {
			t.Fatal(n, err)
		}
		back, refused, err := DecodeSignals(bytes.NewReader(again), rules(now))
		if err != nil || len(refused) > 0 || !slices.Equal(back, signals[:n]) {
			t.Fatalf("%v %v: %v, was %v", err, refused, back, signals)
		}
	})
}

// FuzzChecks holds that checks which can be read can be written and read again.
func FuzzChecks(f *testing.F) {
	f.Add([]byte(`{"region":"office","checks":[{"id":"web","kind":"http","target":"https://a","interval":"1m","timeout":"1s","method":"GET","expect":["200-204"],"headers":{"A":"b"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		region, checks, _, err := DecodeChecks(body)
		if err != nil {
			return
		}
		for i := range checks {
			checks[i].Regions = []string{region}
		}
		again, left, err := EncodeChecks(region, checks, Kinds())
		if err != nil || len(left) > 0 {
			t.Fatal(err, left)
		}
		if _, back, _, err := DecodeChecks(again); err != nil || len(back) != len(checks) {
			t.Fatal(err, len(back))
		}
	})
}

// TestAgentsAreToldWhatTheyKnow holds that an agent of before the header, or of another version, is told of what it
// measures as it is meant, and that the rest is named.
func TestAgentsAreToldWhatTheyKnow(t *testing.T) {
	t.Parallel()
	service := func(id string) status.Service {
		return status.Service{ID: id, Interval: time.Minute, Timeout: time.Second, Regions: []string{"office"}}
	}
	all := []check.Check{
		{Service: service("web"), Target: "https://web.example", How: &check.HTTP{Method: "HEAD"}},
		{Service: service("db"), Target: "tcp://db.example:5432", How: new(check.TCP)},
	}
	for kinds, want := range map[string]string{
		"": "db", "http": "db", Kinds(): "", "tcp ,smoke, http": "", "tcp": "web", "smoke": "web db", strings.Repeat("x,", 5000) + "http,tcp": "web db",
	} {
		body, left, err := EncodeChecks("office", all, kinds)
		if err != nil || strings.Join(left, " ") != want {
			t.Errorf("%.20q: left out %q, want %q (%v)", kinds, left, want, err)
		}
		_, told, unknown, err := DecodeChecks(body)
		if err != nil || len(told)+len(left) != len(all) || len(unknown) != 0 {
			t.Errorf("%.20q: told of %v, %q (%v): %s", kinds, told, unknown, err, body)
		}
	}
	// What is expected is a word of its own: an agent that overlooks it would find up what is not.
	expecting := []check.Check{all[0], all[0], all[0]}
	expecting[1].ID, expecting[1].Expect.Body = "body", []check.Match{{Op: "contains", Values: []any{"ok"}}}
	expecting[2].ID, expecting[2].Unless.Latency = "slow", check.Duration(time.Second)
	for kinds, want := range map[string]string{"": "body slow", "http": "body slow", "http,body": "slow", Kinds(): ""} {
		if _, left, err := EncodeChecks("office", expecting, kinds); err != nil || strings.Join(left, " ") != want {
			t.Errorf("%.20q: left out %q, want %q (%v)", kinds, left, want, err)
		}
	}
	// An agent of before the header reads the whole document with a rule of its own: every target is one of HTTP.
	body, _, err := EncodeChecks("office", all, "")
	if err != nil || strings.Contains(string(body), "tcp") {
		t.Errorf("an agent of before is told %s (%v)", body, err)
	}
}

// TestSignalsOfOtherKinds holds that what is not asked over HTTP is available without a status of it, and has none.
func TestSignalsOfOtherKinds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := rules(now)
	r.Services = map[string]status.Service{"db": {ID: "db", URL: "tcp://db.example:5432"}, "web": {ID: "web", URL: "https://web.example"}}
	for _, c := range []struct {
		service, outcome string
		code             int
		taken            bool
	}{{"db", "up", -1, true}, {"db", "up", 200, false}, {"db", "up", 0, false}, {"db", "down", -1, true}, {"db", "down", 503, false}, {"web", "up", -1, false}, {"web", "up", 200, true}, {"web", "down", -1, true}} {
		w := signal{Service: c.service, Received: now, Outcome: c.outcome, HTTPStatus: c.code}
		if c.outcome == "down" {
			w.Reason = status.Timeout.String()
		}
		if s, cause := r.take(w); (cause == "") != c.taken || cause == "" && s.URL != r.Services[c.service].URL {
			t.Errorf("%+v: %+v, %q", c, s, cause)
		}
	}
}

// TestChecksOfLaterVersions holds that an agent goes on with what it knows, and says what it does not.
func TestChecksOfLaterVersions(t *testing.T) {
	t.Parallel()
	const document = `{"region":"office","checks":[{"id":"smoke","kind":"smoke","target":"smoke://a","interval":"1m","timeout":"1s","colour":["white"]},` +
		`{"id":"web","kind":"http","target":"https://a","interval":"1m","timeout":"1s","method":"GET"}]}`
	c, log, took := talk(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(KindsHeader) != Kinds() {
			t.Errorf("the agent says that it knows %q", r.Header.Get(KindsHeader))
		}
		_, _ = w.Write([]byte(document))
	})
	if err := c.Ping(t.Context()); err != nil || len(*took) != 1 || (*took)[0].ID != "web" || log.count("only a later version can measure") != 1 || log.count("smoke") != 1 {
		t.Errorf("%v: took %v, log:\n%s", err, *took, log.b.String())
	}
}

// TestBlanksAreLookedAtOnce: a batch that comes in pieces costs no more than one that comes at once, so that no
// agent's blanks keep a server busy.
func TestBlanksAreLookedAtOnce(t *testing.T) {
	t.Parallel()
	const blanks = 1 << 20 // Looked at anew with each of them they take many minutes.
	signals, refused, err := DecodeSignals(iotest.OneByteReader(strings.NewReader("["+strings.Repeat(" ", blanks)+"]")), Rules{Now: time.Now()})
	if err != nil || len(signals) > 0 || len(refused) > 0 {
		t.Errorf("%d signals, %v, %v, want none", len(signals), refused, err)
	}
}
