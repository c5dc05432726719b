package questdb_test

import (
	"errors"
	"fmt"
	"statuspage/db/dbtest"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var errKilled = errors.New("killed")

// classic makes the tutorial's table with three rows, and returns them as signals.
func classic(t *testing.T, c *pgx.Conn, prefix string) []status.Signal {
	t.Helper()
	exec(t, c, `CREATE TABLE `+prefix+`signals(url STRING, http_status INT, received TIMESTAMP, available BOOLEAN) timestamp(received)`)
	var want []status.Signal
	for i, o := range []status.Outcome{status.Up, status.Down, status.Up} {
		code := 200 + 300*(i%2)
		at := dbtest.T0.Add(time.Duration(i) * time.Minute)
		insertClassic(t, c, prefix, at, code, o.Available())
		want = append(want, status.Signal{Received: at, URL: "https://old.example", HTTPStatus: code, Available: o.Available(), Outcome: o})
	}
	return want
}

func insertClassic(t *testing.T, c *pgx.Conn, prefix string, at time.Time, code int, available bool) {
	t.Helper()
	exec(t, c, `INSERT INTO `+prefix+`signals(url, http_status, received, available) VALUES ($1, $2, $3, $4)`, "https://old.example", code, at, available)
}

func TestUpgradeKilledAtEachStep(t *testing.T) {
	t.Parallel()
	url := dbtest.QuestDB(t)
	for kill := 0; ; kill++ {
		prefix, c := dbtest.Prefix(), client(t, url)
		want := classic(t, c, prefix)
		s := newStore(t, url, prefix)
		steps, last := 0, ""
		s.OnStep(func(name string) error {
			steps++
			if last = name; steps > kill {
				return errKilled
			}
			return nil
		})
		err := s.Ensure(t.Context())
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		finished := err == nil
		what := fmt.Sprintf("killed after step %d, %s", steps, last)
		s = ensure(t, newStore(t, url, prefix)) // The next start.

		dbtest.Eventually(t, s, want)
		var kept int64
		if err := c.QueryRow(t.Context(), `SELECT count() FROM `+prefix+`signals_before_upgrade_1`).Scan(&kept); err != nil || kept != 3 {
			t.Errorf("%s: old table: %d rows, %v", what, kept, err)
		}
		// Writers of the four columns go on.
		next := status.Signal{Received: dbtest.T0.Add(time.Hour), URL: "https://old.example", HTTPStatus: 204, Available: true, Outcome: status.Up}
		c = client(t, url)
		insertClassic(t, c, prefix, next.Received, 204, true)
		dbtest.Eventually(t, s, append(want, next))
		dbtest.Poll(t, func() string {
			days, err := s.Days(t.Context(), dbtest.T0.AddDate(0, 0, -1), dbtest.T0)
			if err != nil || len(days) != 1 || days[0].Counts != (status.Counts{Up: 3, Down: 1}) {
				return fmt.Sprint(what, ": days: ", days, err)
			}
			return ""
		})
		if finished {
			if kill < 5 {
				t.Errorf("only %d steps", kill)
			}
			return
		}
	}
}

// A killed upgrade may meet an old writer that made the classic table anew.
func TestUpgradeWhenTheClassicTableIsMadeAgain(t *testing.T) {
	t.Parallel()
	url, prefix := dbtest.QuestDB(t), dbtest.Prefix()
	c := client(t, url)
	want := classic(t, c, prefix)
	s := newStore(t, url, prefix)
	s.OnStep(func(string) error { return errKilled })
	if err := s.Ensure(t.Context()); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	c = client(t, url)
	exec(t, c, `CREATE TABLE `+prefix+`signals(url STRING, http_status INT, received TIMESTAMP, available BOOLEAN) timestamp(received)`)
	insertClassic(t, c, prefix, dbtest.T0.Add(time.Hour), 200, true)
	want = append(want, status.Signal{Received: dbtest.T0.Add(time.Hour), URL: "https://old.example", HTTPStatus: 200, Available: true, Outcome: status.Up})
	dbtest.Eventually(t, ensure(t, newStore(t, url, prefix)), want)
}

// The version before had no table of events.
func TestEventsAreAddedToAStoreOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	url, prefix := dbtest.QuestDB(t), dbtest.Prefix()
	s := ensure(t, newStore(t, url, prefix))
	want := []status.Signal{dbtest.Signal("a", 0, status.Up)}
	if err := s.Write(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	exec(t, client(t, url), `DROP TABLE `+prefix+`incident_events`)
	s = ensure(t, newStore(t, url, prefix))
	dbtest.Eventually(t, s, want)
	event := dbtest.Event(t, 0)
	if err := s.AppendEvents(t.Context(), []incident.Event{event}); err != nil {
		t.Fatal(err)
	}
	dbtest.EventuallyEvents(t, s, []incident.Event{event})
}

// Somebody may write to the table by hand: such rows end no reading.
func TestEventsOfOtherWritersAreRead(t *testing.T) {
	t.Parallel()
	url, prefix := dbtest.QuestDB(t), dbtest.Prefix()
	s := ensure(t, newStore(t, url, prefix))
	exec(t, client(t, url), `INSERT INTO `+prefix+`incident_events (at, body) VALUES ($1, $2)`, dbtest.T0, "{}")
	dbtest.EventuallyEvents(t, s, []incident.Event{{At: dbtest.T0, Body: "{}"}})
}

func TestForeignTableIsLeftAlone(t *testing.T) {
	t.Parallel()
	url, prefix := dbtest.QuestDB(t), dbtest.Prefix()
	exec(t, client(t, url), `CREATE TABLE `+prefix+`signals(name STRING, t TIMESTAMP) timestamp(t)`)
	if err := newStore(t, url, prefix).Ensure(t.Context()); !errors.Is(err, status.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}
