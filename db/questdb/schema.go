package questdb

import (
	"context"
	"fmt"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	pollEvery   = 25 * time.Millisecond
	ensureLimit = time.Hour // Copying a classic table of a billion rows must fit.
)

// Ensure brings table and views into being and up to date. It may be killed at any point
// and called again; called on a finished schema it changes nothing.
func (s *Store) Ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ensureLimit)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.setup)
	if err != nil {
		return fmt.Errorf("reach QuestDB: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // Nothing depends on a good-bye.
	w := &schema{Store: s, conn: conn}
	for _, task := range []func(context.Context) error{w.setAside, w.table, w.terms, w.events, w.resume, w.views, w.copyBack, w.ttl} {
		if err := task(ctx); err != nil {
			return fmt.Errorf("schema of QuestDB: %w", err)
		}
	}
	if w.changed {
		s.readers.Reset() // Statements prepared before are stale.
		s.writers.Reset()
	}
	return nil
}

// schema is one run of Ensure.
type schema struct {
	*Store
	conn    *pgx.Conn
	changed bool
}

// tableInfo is what tables() says of a table.
type tableInfo struct {
	name, designated, partition string
	wal                         bool
	ttl                         int32
	ttlUnit                     string
}

// do runs a statement that changes the schema.
func (w *schema) do(ctx context.Context, step, sql string) error {
	if _, err := w.conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	w.changed = true
	return w.step(step)
}

// tables returns the tables whose name starts with that of the signals table, and that of events.
func (w *schema) tables(ctx context.Context) ([]tableInfo, error) {
	rows, err := w.conn.Query(ctx, `SELECT table_name, coalesce(designatedTimestamp, ''), coalesce(partitionBy, ''), walEnabled, ttlValue, ttlUnit FROM tables()`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t tableInfo, err error) {
		err = row.Scan(&t.name, &t.designated, &t.partition, &t.wal, &t.ttl, &t.ttlUnit)
		return t, err
	})
	return slices.DeleteFunc(all, func(t tableInfo) bool { return !strings.HasPrefix(t.name, w.names.signals) && t.name != w.names.events }), err
}

func find(all []tableInfo, name string) (tableInfo, bool) {
	i := slices.IndexFunc(all, func(t tableInfo) bool { return t.name == name })
	if i < 0 {
		return tableInfo{}, false
	}
	return all[i], true
}

// columnsOf returns the column names of a table, and whether all keys of ours are upsert keys.
func (w *schema) columnsOf(ctx context.Context, table string) (have []string, dedup bool, err error) {
	rows, err := w.conn.Query(ctx, `SELECT "column", upsertKey FROM (SHOW COLUMNS FROM `+table+`)`)
	if err != nil {
		return nil, false, err
	}
	keys := 0
	var name string
	var key bool
	_, err = pgx.ForEachRow(rows, []any{&name, &key}, func() error {
		have = append(have, name)
		if key && slices.Contains([]string{"received", "service", "region", "url"}, name) {
			keys++
		}
		return nil
	})
	return have, keys == 4, err
}

// table creates the signals table, and completes one that lacks columns or keys.
func (w *schema) table(ctx context.Context) error {
	all, err := w.tables(ctx)
	if err != nil {
		return err
	}
	if _, found := find(all, w.names.signals); !found {
		if err := w.do(ctx, "create table", w.sql.createTable); err != nil {
			return err
		}
	}
	have, dedup, err := w.columnsOf(ctx, w.names.signals)
	if err != nil {
		return err
	}
	for _, c := range columns {
		if !slices.Contains(have, c.name) {
			if err := w.do(ctx, "add column "+c.name, `ALTER TABLE `+w.names.signals+` ADD COLUMN `+c.name+` `+c.kind); err != nil {
				return err
			}
		}
	}
	if dedup {
		return nil
	}
	return w.do(ctx, "enable deduplication", w.sql.dedup)
}

// terms creates the table of terms.
func (w *schema) terms(ctx context.Context) error {
	all, err := w.tables(ctx)
	if err != nil {
		return err
	}
	if _, found := find(all, w.names.terms); found {
		return nil
	}
	return w.do(ctx, "create table of terms", w.sql.createTerms)
}

// events creates the table of what people write of incidents.
func (w *schema) events(ctx context.Context) error {
	all, err := w.tables(ctx)
	if err != nil {
		return err
	}
	if _, found := find(all, w.names.events); found {
		return nil
	}
	return w.do(ctx, "create table of events", w.sql.createEvents)
}

// resume lets suspended tables go on: what suspended them, such as a full disk, may be over.
func (w *schema) resume(ctx context.Context) error {
	for _, name := range []string{w.names.signals, w.names.hourly, w.names.daily, w.names.quarters, w.names.latencies, w.names.terms, w.names.events} {
		var n int64
		if err := w.conn.QueryRow(ctx, `SELECT count() FROM wal_tables() WHERE name = $1 AND suspended`, name).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		w.log.Warn("QuestDB suspended a table, telling it to go on", "table", name)
		if err := w.do(ctx, "resume "+name, `ALTER TABLE `+name+` RESUME WAL`); err != nil {
			return err
		}
	}
	return nil
}

// views creates the views. One that QuestDB declared invalid, say because its base was
// dropped, is never valid again; its rows may be all that is left of old history, so they
// are kept in a table.
func (w *schema) views(ctx context.Context) error {
	for _, view := range []struct{ name, create, partition string }{
		{w.names.hourly, w.sql.createHourly, "MONTH"},
		{w.names.daily, w.sql.createDaily, "YEAR"},
		{w.names.quarters, w.sql.createQuarters, "MONTH"},
		{w.names.latencies, w.sql.createLatencies, "MONTH"},
	} {
		all, err := w.tables(ctx)
		if err != nil {
			return err
		}
		var invalid int64
		if err := w.conn.QueryRow(ctx, `SELECT count() FROM materialized_views() WHERE view_name = $1 AND view_status = 'invalid'`,
			view.name).Scan(&invalid); err != nil {
			return err
		}
		_, found := find(all, view.name)
		if found && invalid == 0 {
			if err := w.pace(ctx, view.name); err != nil {
				return err
			}
			continue
		}
		if found {
			kept := view.name + "_kept_" + strconv.Itoa(free(all, view.name+"_kept_"))
			w.log.Warn("view is invalid and made anew; its rows are kept in a table", "view", view.name, "table", kept)
			if err := w.do(ctx, "keep view", `CREATE TABLE `+kept+` AS (SELECT * FROM `+view.name+`) TIMESTAMP(received) PARTITION BY `+view.partition); err != nil {
				return err
			}
			if err := w.do(ctx, "drop view", `DROP MATERIALIZED VIEW `+view.name); err != nil {
				return err
			}
		}
		if err := w.do(ctx, "create view", view.create); err != nil {
			return err
		}
	}
	return nil
}

// pace makes a view of an earlier version follow its base once a minute, not with each commit.
func (w *schema) pace(ctx context.Context, view string) error {
	var n int64
	if err := w.conn.QueryRow(ctx, `SELECT count() FROM materialized_views() WHERE view_name = $1 AND refresh_type = 'immediate'`, view).Scan(&n); err != nil || n == 0 {
		return err
	}
	return w.do(ctx, "pace "+view, `ALTER MATERIALIZED VIEW `+view+` SET `+refreshEvery)
}

// ttl sets the retention, last of all: the views must have seen the rows that it removes.
func (w *schema) ttl(ctx context.Context) error {
	all, err := w.tables(ctx)
	if err != nil {
		return err
	}
	days := int32((w.retention + 24*time.Hour - 1) / (24 * time.Hour))
	table, found := find(all, w.names.signals)
	if !found {
		return fmt.Errorf("table %s vanished: %w", w.names.signals, status.ErrUnavailable)
	}
	if table.ttl == days && (days == 0 || table.ttlUnit == "DAY") {
		return nil
	}
	if err := w.settled(ctx, w.names.signals); err != nil {
		return err
	}
	if err := w.allRefreshed(ctx); err != nil {
		return err
	}
	if err := w.do(ctx, "set TTL", `ALTER TABLE `+w.names.signals+` SET TTL `+strconv.Itoa(int(days))+` DAYS`); err != nil {
		return err
	}
	return w.settled(ctx, w.names.signals)
}

// settled waits until everything committed to a table is readable.
func (w *schema) settled(ctx context.Context, table string) error {
	return poll(ctx, w.conn, ensureLimit, `SELECT count() FROM wal_tables() WHERE name = $1 AND writerTxn >= sequencerTxn`, table)
}

// allRefreshed brings every view up to date.
func (w *schema) allRefreshed(ctx context.Context) error { return refreshAll(ctx, w.conn, w.names) }

// free returns the smallest number from 1 that no name with one of the prefixes ends in.
func free(all []tableInfo, prefixes ...string) int {
	for n := 1; ; n++ {
		taken := slices.ContainsFunc(prefixes, func(p string) bool {
			_, found := find(all, p+strconv.Itoa(n))
			return found
		})
		if !taken {
			return n
		}
	}
}
