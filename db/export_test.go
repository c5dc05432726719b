package db

import "time"

// WithPrefix sets the prefix of QuestDB's tables.
func (o Options) WithPrefix(prefix string) Options {
	o.prefix = prefix
	return o
}

// WithGap sets the time between batches that are not full.
func (o Options) WithGap(gap time.Duration) Options {
	o.gap = gap
	return o
}
