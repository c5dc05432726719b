package questdb

import "strings"

// names are the tables' names. They are the only thing ever put into the text of a
// statement, since identifiers cannot be parameters; their alphabet is checked in New.
type names struct {
	signals, hourly, daily string
	quarters               string
	latencies              string
	terms                  string
	events                 string
	upgrading, before      string // A number follows.
}

func namesWith(prefix string) names {
	n := prefix + "signals"
	return names{signals: n, hourly: n + "_hourly", daily: n + "_daily", quarters: n + "_quarter_hourly", latencies: n + "_latency_hourly", terms: n + "_terms", events: prefix + "incident_events", upgrading: n + "_upgrading_", before: n + "_before_upgrade_"}
}

// column is a column of the signals table. The first four are those of the classic table.
type column struct{ name, kind string }

var columns = []column{
	{"url", "SYMBOL"}, // Four bytes a row where a STRING takes two a letter; statements write and read it as text.
	{"http_status", "INT"},
	{"received", "TIMESTAMP"},
	{"available", "BOOLEAN"},
	{"service", "SYMBOL"},
	{"region", "SYMBOL"},
	{"outcome", "SYMBOL"},
	{"duration", "INT"}, // Microseconds, up to 35 minutes.
	{"reason", "SYMBOL"},
	{"error", "SYMBOL"}, // A VARCHAR takes 16 bytes a row even where there is none; texts.go keeps the texts few.
}

// refreshEvery says when QuestDB brings a view up to date by itself. After each commit, as it
// would by default, the three views cost three times as much as the rows (docs/adr/0008).
const refreshEvery = `REFRESH EVERY 1m`

type statementTexts struct {
	insert, signals, hours, days          string
	signalsOf, hoursOf, latencies, failed string
	firstAvailable                        string
	createTable, dedup                    string
	createHourly, createDaily             string
	createLatencies, createQuarters       string
	uneven, unevenOf                      string
	createTerms, terms, insertTerm        string
	createEvents, events, insertEvent     string
	countEvents                           string
}

func textsFor(n names) statementTexts {
	kinds := make([]string, len(columns))
	for i, c := range columns {
		kinds[i] = c.name + ` ` + c.kind
	}
	columnsOf := `SELECT url, http_status, received, available, service, region, outcome, duration, reason, error
		FROM ` + n.signals + ` WHERE received >= $1 AND received < $2`
	const ofService = ` AND (service = $3 OR (service IS NULL AND url = $4))`
	// What status.ParseOutcome says: a known outcome counts, else the available column decides.
	const isDown = `(outcome = 'down' OR (NOT available AND (outcome IS NULL OR outcome NOT IN ('up', 'degraded'))))`
	// An outcome counted, as status.ParseOutcome reads it: a known one counts, else the available column decides.
	const outcomes = `sum(CASE WHEN outcome = 'up' OR (available AND (outcome IS NULL OR outcome NOT IN ('degraded', 'down'))) THEN 1 ELSE 0 END) up,
			sum(CASE WHEN outcome = 'degraded' THEN 1 ELSE 0 END) degraded,
			sum(CASE WHEN outcome = 'down' OR (NOT available AND (outcome IS NULL OR outcome NOT IN ('up', 'degraded'))) THEN 1 ELSE 0 END) down`
	var inQuarters strings.Builder
	for _, minute := range []string{`0`, `15`, `30`, `45`} {
		for _, outcome := range []string{`up`, `degraded`, `down`} {
			inQuarters.WriteString(`, sum(CASE WHEN minute(received) = ` + minute + ` THEN ` + outcome + ` ELSE 0 END) ` + outcome + minute)
		}
	}
	ofQuarters := inQuarters.String() + ` FROM ` + n.quarters + ` WHERE received >= $1 AND received < $2`
	// Where status.Spread does not say what the quarters are.
	const isUneven = ` WHERE degraded0 + degraded15 + degraded30 + degraded45 + down0 + down15 + down30 + down45 > 0
		OR up0 != (up0 + up15 + up30 + up45) / 4 OR up0 + up15 != (up0 + up15 + up30 + up45) * 2 / 4 OR up0 + up15 + up30 != (up0 + up15 + up30 + up45) * 3 / 4`
	const isAvailable = `(outcome IN ('up', 'degraded') OR (available AND (outcome IS NULL OR outcome != 'down')))`
	table := `CREATE TABLE IF NOT EXISTS ` + n.signals + ` (` + strings.Join(kinds, `, `)
	return statementTexts{
		insert: `INSERT INTO ` + n.signals + ` (url, http_status, received, available, service, region, outcome, duration, reason, error)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		signals:   columnsOf + ` ORDER BY received`,
		signalsOf: columnsOf + ofService + ` ORDER BY received`,
		failed:    columnsOf + ` AND ` + isDown + ` ORDER BY received`,
		firstAvailable: `SELECT received FROM ` + n.signals + ` WHERE received >= $1 AND received < $2` + ofService +
			` AND available ORDER BY received LIMIT 1`,
		hours: `SELECT received, service, CASE WHEN service IS NULL THEN url END url, up, degraded, down FROM ` + n.hourly +
			` WHERE received >= $1 AND received < $2`,
		// A service whose URL changed within the day is one row; other writers' rows have no
		// service, there the URL tells them apart.
		days: `SELECT received, service, max(url) url, sum(up) up, sum(degraded) degraded, sum(down) down, sum(duration) duration FROM ` + n.daily +
			` WHERE received >= $1 AND received < $2 GROUP BY received, service, CASE WHEN service IS NULL THEN url END`,
		hoursOf: `SELECT received, max(service) service, max(url) url, sum(up) up, sum(degraded) degraded, sum(down) down, sum(duration) duration FROM ` + n.hourly +
			` WHERE received >= $1 AND received < $2` + ofService + ` GROUP BY received`,
		latencies: `SELECT received, bin, n FROM ` + n.latencies + ` WHERE received >= $1 AND received < $2` + ofService + ` ORDER BY received`,
		// status.Bin in SQL. Rows of other writers have no duration, and so no latency.
		createLatencies: `CREATE MATERIALIZED VIEW IF NOT EXISTS ` + n.latencies + ` WITH BASE ` + n.signals + ` ` + refreshEvery + ` AS (
			SELECT received, service, url, cast(floor(ln(CASE WHEN duration < 1 THEN 1 ELSE duration END) * 8 / ln(2)) AS INT) bin, count() n
			FROM ` + n.signals + ` WHERE duration IS NOT NULL AND ` + isAvailable + ` SAMPLE BY 1h) PARTITION BY MONTH`,
		createTable: table + `) TIMESTAMP(received) PARTITION BY DAY WAL DEDUP UPSERT KEYS(received, service, region, url)`,
		dedup:       `ALTER TABLE ` + n.signals + ` DEDUP ENABLE UPSERT KEYS(received, service, region, url)`,
		createHourly: `CREATE MATERIALIZED VIEW IF NOT EXISTS ` + n.hourly + ` WITH BASE ` + n.signals + ` ` + refreshEvery + ` AS (
			SELECT received, service, url, ` + outcomes + `, sum(duration) duration
			FROM ` + n.signals + ` SAMPLE BY 1h) PARTITION BY MONTH`,
		// Days of some zones begin within an hour.
		createQuarters: `CREATE MATERIALIZED VIEW IF NOT EXISTS ` + n.quarters + ` WITH BASE ` + n.signals + ` ` + refreshEvery + ` AS (
			SELECT received, service, url, ` + outcomes + ` FROM ` + n.signals + ` SAMPLE BY 15m) PARTITION BY MONTH`,
		uneven: `SELECT * FROM (SELECT timestamp_floor('h', received) hour, service, CASE WHEN service IS NULL THEN url END url` + ofQuarters +
			` GROUP BY hour, service, CASE WHEN service IS NULL THEN url END)` + isUneven,
		unevenOf: `SELECT * FROM (SELECT timestamp_floor('h', received) hour, max(service) service, max(url) url` + ofQuarters + ofService +
			` GROUP BY hour)` + isUneven,
		createTerms: `CREATE TABLE IF NOT EXISTS ` + n.terms + ` (since TIMESTAMP, service SYMBOL, interval LONG, timeout LONG)
			TIMESTAMP(since) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(since, service)`,
		terms:      `SELECT service, since, interval, timeout FROM ` + n.terms,
		insertTerm: `INSERT INTO ` + n.terms + ` (since, service, interval, timeout) VALUES ($1, $2, $3, $4)`,
		// Without a TTL: what people wrote is thousands of rows.
		createEvents: `CREATE TABLE IF NOT EXISTS ` + n.events + ` (at TIMESTAMP, id VARCHAR, incident VARCHAR, kind SYMBOL, shown_at TIMESTAMP, actor SYMBOL,
			after VARCHAR, v INT, body VARCHAR) TIMESTAMP(at) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(at, id)`,
		events:      `SELECT at, id, incident, kind, shown_at, actor, after, v, body FROM ` + n.events + ` WHERE at >= $1 ORDER BY at, id`,
		insertEvent: `INSERT INTO ` + n.events + ` (at, id, incident, kind, shown_at, actor, after, v, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		countEvents: `SELECT count() FROM ` + n.events,
		createDaily: `CREATE MATERIALIZED VIEW IF NOT EXISTS ` + n.daily + ` WITH BASE ` + n.hourly + ` ` + refreshEvery + ` AS (
			SELECT received, service, url, sum(up) up, sum(degraded) degraded, sum(down) down, sum(duration) duration
			FROM ` + n.hourly + ` SAMPLE BY 1d) PARTITION BY YEAR`,
	}
}
