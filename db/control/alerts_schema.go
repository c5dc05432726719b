package control

// alertTables are for what operators have been told, and what is on its way to them.
var alertTables = []string{
	`CREATE TABLE alerts (
		service TEXT NOT NULL, kind TEXT NOT NULL, channel TEXT NOT NULL, phase TEXT NOT NULL, since BIGINT NOT NULL, decided BIGINT NOT NULL,
		due BIGINT NOT NULL, told BIGINT NOT NULL, batch TEXT NOT NULL, unstable BIGINT NOT NULL, reason TEXT NOT NULL, version BIGINT NOT NULL,
		PRIMARY KEY (service, kind, channel))`,
	`CREATE TABLE deliveries (
		id TEXT PRIMARY KEY, turn BIGINT NOT NULL, channel TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, created BIGINT NOT NULL,
		attempts BIGINT NOT NULL, next BIGINT NOT NULL, done BIGINT NOT NULL, error TEXT NOT NULL)`,
	`CREATE INDEX deliveries_state ON deliveries (state, channel, turn)`,
	`CREATE INDEX deliveries_turn ON deliveries (turn)`,
	`CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until BIGINT NOT NULL)`,
	`INSERT INTO leases (name, holder, until) VALUES ('alerts', '', 0)`,
}
