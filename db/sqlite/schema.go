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
