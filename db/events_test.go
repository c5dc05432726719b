package db_test

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"statuspage/db"
	"statuspage/db/dbtest"
	"statuspage/e2e/harness"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// readable is what can be read of events, and whether the store could be asked.
func readable(t *testing.T, d *db.Database) (all []incident.Event, away error) {
	t.Helper()
	for e, err := range d.Events(t.Context(), time.UnixMicro(0)) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// What was written while the store is away is read at once, also after a restart, and reaches the store later, once.
func TestWordsWaitForAStoreThatIsAway(t *testing.T) {
	u, err := url.Parse(dbtest.QuestDB(t))
	if err != nil {
		t.Fatal(err)
	}
	p := harness.LaunchProxy(t, u.Host)
	u.Host = p.Address
	options := db.Options{Outbox: filepath.Join(t.TempDir(), "o.db")}.WithPrefix(dbtest.Prefix()).WithGap(quick)
	open := func() *db.Database {
		d, err := db.Open(t.Context(), u.String(), options)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	harness.Must(t, p.Open())
	var want []incident.Event
	write := func() {
		t.Helper()
		want = append(want, dbtest.Event(t, time.Duration(len(want))*time.Second))
		if err := d.AppendEvents(t.Context(), want[len(want)-1:]); err != nil {
			t.Fatal(err)
		}
	}
	write()
	dbtest.EventuallyEvents(t, d, want)
	p.Close()
	waitUp(t, d, false)
	write()
	write()
	if got, err := readable(t, d); err == nil || cmp.Diff(want[1:], got) != "" {
		t.Errorf("while it is away: %v, %v", got, err)
	}
	if s := d.State(); s.Events != 2 || s.Outbox != 0 {
		t.Errorf("state %+v", s)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open()
	defer d.Close()
	if got, err := readable(t, d); err == nil || cmp.Diff(want[1:], got) != "" {
		t.Errorf("after a restart: %v, %v", got, err)
	}
	harness.Must(t, p.Open())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := d.WaitDrained(ctx); err != nil {
		t.Fatal(err)
	}
	dbtest.EventuallyEvents(t, d, want)
	if s := d.State(); s.Events != 0 {
		t.Errorf("state %+v", s)
	}
}

// Events that the store refuses keep no signal waiting, and wait themselves until it takes them.
func TestWordsThatTheStoreRefusesHoldNoSignalUp(t *testing.T) {
	prefix := dbtest.Prefix()
	d, err := db.Open(t.Context(), dbtest.QuestDB(t), db.Options{Outbox: filepath.Join(t.TempDir(), "o.db")}.WithPrefix(prefix).WithGap(quick))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	waitUp(t, d, true)
	c, err := pgx.Connect(t.Context(), strings.Replace(dbtest.QuestDB(t), "questdb://", "postgresql://", 1)+"?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	alter := func(how string) {
		t.Helper()
		if _, err := c.Exec(t.Context(), `ALTER TABLE `+prefix+`incident_events `+how); err != nil {
			t.Fatal(err)
		}
	}
	alter(`DROP COLUMN body`)
	event, signal := dbtest.Event(t, 0), dbtest.Signal("a", 0, status.Up)
	if err := errors.Join(d.AppendEvents(t.Context(), []incident.Event{event}), d.Write(t.Context(), []status.Signal{signal})); err != nil {
		t.Fatal(err)
	}
	dbtest.Eventually(t, d, []status.Signal{signal})
	waitUp(t, d, false)
	if s := d.State(); s.Events != 1 || s.Err == nil {
		t.Errorf("state %+v", s)
	}
	alter(`ADD COLUMN body VARCHAR`)
	waitUp(t, d, true)
	dbtest.EventuallyEvents(t, d, []incident.Event{event})
}
