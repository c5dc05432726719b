package cluster_test

import (
	"context"
	"encoding/json"
	"statuspage/e2e/harness"
	"statuspage/internal/cluster"
	"statuspage/internal/incident"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// pageServer is one process in a test: a desk to write at, and a book that hears of the others.
type pageServer struct {
	*incident.Desk
	mu    sync.Mutex
	store []incident.Event // What this process has on its disk.
	asked int
}

// serve runs a page server until the test ends.
func serve(t *testing.T, url string, late time.Duration) *pageServer {
	t.Helper()
	l := up(t, url)
	publisher := cluster.NewEventPublisher(l)
	s := &pageServer{}
	now := func() time.Time { return time.Now().Add(late) }
	s.Desk = &incident.Desk{Book: incident.NewBook(0), Services: func(string) bool { return true }, Now: now, Share: publisher.Share, Keep: func(_ context.Context, e []incident.Event) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.store = append(s.store, e...)
		return nil
	}}
	follower := cluster.NewEventFollower(l, func(e []incident.Event) { s.Book.Apply(e, now()) }, func(context.Context, time.Time) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked++
		return nil
	})
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { publisher.Run(ctx) })
	running.Go(func() { follower.Run(ctx) })
	t.Cleanup(func() { end(); running.Wait() })
	return s
}

func (s *pageServer) bytes() string {
	data, _ := json.Marshal(s.Book.Snapshot().All)
	return string(data)
}

func (s *pageServer) write(t *testing.T, r incident.Request) *incident.Incident {
	t.Helper()
	r.Actor = "human:ana"
	i, err := s.Write(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func words(text string) incident.Words {
	return incident.Words{Status: incident.Identified, Text: text, Impacts: []incident.Affected{{Service: "api", State: incident.MajorOutage}}}
}

// Two page servers whose clocks are five seconds apart say the same of what is written at either of them, also after Redis
// was away, and of what two people wrote at once.
func TestWordsReachEachPageServer(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	one, other := serve(t, server.URL(), 0), serve(t, server.URL(), -5*time.Second)
	same := func() bool { return one.bytes() == other.bytes() }

	began := time.Now()
	first := one.write(t, incident.Request{Content: &incident.Opened{Kind: incident.KindIncident, Title: "API", Words: words("We look.")}})
	eventually(t, "what was opened at one", func() bool { return same() && len(other.Book.Snapshot().All) == 1 })
	if took := time.Since(began); took > 3*time.Second { // Not by the next look at the database.
		t.Errorf("it took %v", took)
	}
	answer := other.write(t, incident.Request{Incident: first.ID, After: first.Head, Content: &incident.Posted{Words: words(strings.Repeat("é", 20_000))}})
	if n, is := answer.Newest(); !is || len(n.Text) != 40_000 || !n.RecordedAt.After(first.UpdatedAt) {
		t.Errorf("an answer by a clock that is behind: %v, the incident is of %v", n.RecordedAt, first.UpdatedAt)
	}
	eventually(t, "the answer of the other", same)
	for n := range 60 {
		one.write(t, incident.Request{Incident: first.ID, Content: &incident.Posted{Words: words(strconv.Itoa(n))}})
	}
	eventually(t, "many", func() bool { return same() && len(other.Book.Snapshot().All[0].Updates) == 62 })

	server.Kill()
	eventually(t, "both ask the database", func() bool {
		one.mu.Lock()
		defer one.mu.Unlock()
		other.mu.Lock()
		defer other.mu.Unlock()
		return one.asked > 0 && other.asked > 0
	})
	seen := one.Book.Snapshot().All[0].Head
	one.write(t, incident.Request{Incident: first.ID, After: seen, Content: &incident.Posted{Words: words("at one")}})
	other.write(t, incident.Request{Incident: first.ID, After: seen, Content: &incident.Posted{Words: words("at the other")}})
	if same() {
		t.Error("they can't know of each other yet")
	}
	harness.Must(t, server.Start(t.Context()))
	eventually(t, "what both wrote", func() bool { return same() && len(other.Book.Snapshot().All[0].Updates) == 64 })
	if forks := one.Book.Snapshot().All[0].Forks; len(forks) != 1 {
		t.Errorf("forks: %v", forks)
	}
}

// What is in the stream and no event ends nothing, and is not shown.
func TestRubbishInTheRelayIsPassedOver(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	one := serve(t, server.URL(), 0)
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	defer c.Close()
	for _, values := range [][]any{{"e", "{"}, {"e", `[{"id":"x","i":"../x","b":"{}"}]`}, {"x", "y"}} {
		if err := c.XAdd(t.Context(), &redis.XAddArgs{Stream: "test:{relay}:events", Values: values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	other := serve(t, server.URL(), 0)
	one.write(t, incident.Request{Content: &incident.Opened{Kind: incident.KindIncident, Title: "API", Words: words("We look.")}})
	eventually(t, "what comes behind it", func() bool { return len(other.Book.Snapshot().All) == 1 })
}
