package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring a file up to date; the number of those applied is its user_version.
// Instants and durations are microseconds. The columns have the names of QuestDB's table.
var migrations = []string{
	`
CREATE TABLE signals (
	received    INTEGER NOT NULL,
	service     TEXT NOT NULL,
	region      TEXT NOT NULL,
	url         TEXT NOT NULL,
	http_status INTEGER NOT NULL,
	available   INTEGER NOT NULL,
	outcome     TEXT NOT NULL,
	duration    INTEGER NOT NULL,
	reason      TEXT NOT NULL,
	error       TEXT NOT NULL,
	PRIMARY KEY (received, service, region, url)
) WITHOUT ROWID;
CREATE TABLE signals_hourly (
	received INTEGER NOT NULL,
	service  TEXT NOT NULL,
	url      TEXT NOT NULL,
	up       INTEGER NOT NULL,
	degraded INTEGER NOT NULL,
	down     INTEGER NOT NULL,
	duration INTEGER NOT NULL,
	PRIMARY KEY (received, service, url)
) WITHOUT ROWID;
CREATE TABLE signals_daily (
	received INTEGER NOT NULL,
	service  TEXT NOT NULL,
	url      TEXT NOT NULL,
	up       INTEGER NOT NULL,
	degraded INTEGER NOT NULL,
	down     INTEGER NOT NULL,
	duration INTEGER NOT NULL,
	PRIMARY KEY (received, service, url)
) WITHOUT ROWID;
PRAGMA user_version = 1;`,
	// Latencies by hour and bin (status.Bin), and failures by service: the reads of history.
	`
CREATE TABLE latencies_hourly (
	service  TEXT NOT NULL,
	url      TEXT NOT NULL,
	received INTEGER NOT NULL,
	bin      INTEGER NOT NULL,
	n        INTEGER NOT NULL,
	PRIMARY KEY (service, url, received, bin)
) WITHOUT ROWID;
INSERT INTO latencies_hourly (service, url, received, bin, n)
	SELECT service, url, received - received % 3600000000, CAST(floor(ln(max(duration, 1)) * 8 / ln(2)) AS INTEGER), count(*)
	FROM signals WHERE outcome IN ('up', 'degraded') GROUP BY 1, 2, 3, 4;
CREATE INDEX signals_down ON signals (received, service) WHERE outcome = 'down';
PRAGMA user_version = 2;`,
	// What the sums lack yet (fold.go), noted by the table itself, whoever writes to it. An
	// outcome that is none of ours is what the available column says, as in status.ParseOutcome.
	`
CREATE TABLE changes (
	seq      INTEGER PRIMARY KEY,
	hour     INTEGER NOT NULL,
	service  TEXT NOT NULL,
	url      TEXT NOT NULL,
	outcome  TEXT NOT NULL,
	duration INTEGER NOT NULL,
	sign     INTEGER NOT NULL
);
CREATE TRIGGER signals_added AFTER INSERT ON signals BEGIN
	INSERT INTO changes (hour, service, url, outcome, duration, sign) VALUES (NEW.received - NEW.received % 3600000000, NEW.service, NEW.url,
		CASE WHEN NEW.outcome IN ('up', 'degraded', 'down') THEN NEW.outcome WHEN NEW.available THEN 'up' ELSE 'down' END, NEW.duration, 1);
END;
CREATE TRIGGER signals_replaced AFTER UPDATE ON signals WHEN OLD.outcome <> NEW.outcome OR OLD.duration <> NEW.duration BEGIN
	INSERT INTO changes (hour, service, url, outcome, duration, sign) VALUES (OLD.received - OLD.received % 3600000000, OLD.service, OLD.url,
		CASE WHEN OLD.outcome IN ('up', 'degraded', 'down') THEN OLD.outcome WHEN OLD.available THEN 'up' ELSE 'down' END, OLD.duration, -1);
	INSERT INTO changes (hour, service, url, outcome, duration, sign) VALUES (NEW.received - NEW.received % 3600000000, NEW.service, NEW.url,
		CASE WHEN NEW.outcome IN ('up', 'degraded', 'down') THEN NEW.outcome WHEN NEW.available THEN 'up' ELSE 'down' END, NEW.duration, 1);
END;
PRAGMA user_version = 3;`,
	// The first three quarters of each hour (days of some zones begin within one), and in which terms
	// services were watched. Of hours that are there already the failures are laid where they were,
	// the rest evenly; those that still lack signals, and have no failures, keep NULL: nobody knows.
	`
ALTER TABLE signals_hourly ADD COLUMN up0 INTEGER;
ALTER TABLE signals_hourly ADD COLUMN degraded0 INTEGER;
ALTER TABLE signals_hourly ADD COLUMN down0 INTEGER;
ALTER TABLE signals_hourly ADD COLUMN up1 INTEGER;
ALTER TABLE signals_hourly ADD COLUMN degraded1 INTEGER;
ALTER TABLE signals_hourly ADD COLUMN down1 INTEGER;
ALTER TABLE signals_hourly ADD COLUMN up2 INTEGER;
ALTER TABLE signals_hourly ADD COLUMN degraded2 INTEGER;
ALTER TABLE signals_hourly ADD COLUMN down2 INTEGER;
UPDATE signals_hourly AS h SET
	up0 = up / 4, up1 = up * 2 / 4 - up / 4, up2 = up * 3 / 4 - up * 2 / 4,
	degraded0 = degraded / 4, degraded1 = degraded * 2 / 4 - degraded / 4, degraded2 = degraded * 3 / 4 - degraded * 2 / 4,
	down0 = (SELECT count(*) FROM signals s WHERE outcome = 'down' AND s.received >= h.received AND s.received < h.received + 900000000 AND s.service = h.service AND s.url = h.url),
	down1 = (SELECT count(*) FROM signals s WHERE outcome = 'down' AND s.received >= h.received + 900000000 AND s.received < h.received + 1800000000 AND s.service = h.service AND s.url = h.url),
	down2 = (SELECT count(*) FROM signals s WHERE outcome = 'down' AND s.received >= h.received + 1800000000 AND s.received < h.received + 2700000000 AND s.service = h.service AND s.url = h.url)
	WHERE down > 0 AND down = (SELECT count(*) FROM signals s WHERE outcome = 'down' AND s.received >= h.received AND s.received < h.received + 3600000000 AND s.service = h.service AND s.url = h.url);
ALTER TABLE changes ADD COLUMN quarter INTEGER;
DROP TRIGGER signals_added;
DROP TRIGGER signals_replaced;
CREATE TRIGGER signals_added AFTER INSERT ON signals BEGIN
	INSERT INTO changes (hour, quarter, service, url, outcome, duration, sign) VALUES (NEW.received - NEW.received % 3600000000, NEW.received / 900000000 % 4, NEW.service, NEW.url,
		CASE WHEN NEW.outcome IN ('up', 'degraded', 'down') THEN NEW.outcome WHEN NEW.available THEN 'up' ELSE 'down' END, NEW.duration, 1);
END;
CREATE TRIGGER signals_replaced AFTER UPDATE ON signals WHEN OLD.outcome <> NEW.outcome OR OLD.available <> NEW.available OR OLD.duration <> NEW.duration BEGIN
	INSERT INTO changes (hour, quarter, service, url, outcome, duration, sign) VALUES (OLD.received - OLD.received % 3600000000, OLD.received / 900000000 % 4, OLD.service, OLD.url,
		CASE WHEN OLD.outcome IN ('up', 'degraded', 'down') THEN OLD.outcome WHEN OLD.available THEN 'up' ELSE 'down' END, OLD.duration, -1);
	INSERT INTO changes (hour, quarter, service, url, outcome, duration, sign) VALUES (NEW.received - NEW.received % 3600000000, NEW.received / 900000000 % 4, NEW.service, NEW.url,
		CASE WHEN NEW.outcome IN ('up', 'degraded', 'down') THEN NEW.outcome WHEN NEW.available THEN 'up' ELSE 'down' END, NEW.duration, 1);
END;
CREATE TABLE signals_terms (
	since    INTEGER NOT NULL,
	service  TEXT NOT NULL,
	interval INTEGER NOT NULL,
	timeout  INTEGER NOT NULL,
	PRIMARY KEY (service, since)
) WITHOUT ROWID;
PRAGMA user_version = 4;`,
	// What people write of incidents (docs/adr/0023).
	`
CREATE TABLE incident_events (
	at       INTEGER NOT NULL,
	id       TEXT NOT NULL,
	incident TEXT NOT NULL,
	kind     TEXT NOT NULL,
	shown_at INTEGER NOT NULL,
	actor    TEXT NOT NULL,
	after    TEXT NOT NULL,
	v        INTEGER NOT NULL,
	body     TEXT NOT NULL,
	PRIMARY KEY (at, id)
);
PRAGMA user_version = 5;`,
}

func migrate(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // After a commit there is nothing left to roll back.
	var version int
	if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("schema version %d is newer than this program's %d", version, len(migrations))
	}
	for _, step := range migrations[version:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	return tx.Commit()
}
