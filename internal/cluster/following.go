package cluster

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	relayRead   = 200             // Messages of one read.
	refillEvery = 5 * time.Second // While Redis is away, page servers ask the database.
	refillBack  = 30 * time.Second
)

// following reads one stream of the relay, from what it still has on.
type following struct {
	link   *Link
	stream string
	hand   func([]redis.XMessage)
	refill func(ctx context.Context, from time.Time) error // Brings what the database has.
	audit  time.Duration                                   // How often the database is asked while Redis is up; 0 for never.
}

// Run follows until ctx ends. While Redis is away, and for the gap when it is back, the database is asked.
func (f *following) Run(ctx context.Context) {
	last, whole, audited := "0", time.Now(), time.Now() // Until then nothing is missing.
	for ctx.Err() == nil {
		if f.link.State().Up {
			if f.audit > 0 && time.Since(audited) >= f.audit && f.refill(ctx, audited.Add(-refillBack)) == nil {
				audited = time.Now()
			}
			got, err := f.read(ctx, last)
			if err == nil {
				if whole = time.Now(); len(got) > 0 {
					last = got[len(got)-1].ID
					f.hand(got)
				}
				continue
			}
			f.link.note(ctx, err, false)
			pause(ctx, readRetry)
			continue
		}
		if time.Since(whole) < refillEvery {
			pause(ctx, askAway)
			continue
		}
		f.away(ctx, whole)
		whole = time.Now()
	}
}

// away asks the database until Redis is back, and once more then.
func (f *following) away(ctx context.Context, whole time.Time) {
	for ctx.Err() == nil {
		began, back := time.Now(), f.link.State().Up
		if err := f.refill(ctx, whole.Add(-refillBack)); err == nil {
			whole = began
		}
		if back {
			return
		}
		for until := time.Now().Add(refillEvery); time.Now().Before(until) && ctx.Err() == nil && !f.link.State().Up; {
			pause(ctx, askAway)
		}
	}
}

func (f *following) read(ctx context.Context, last string) ([]redis.XMessage, error) {
	call, cancel := context.WithTimeout(ctx, blockTimeout)
	defer cancel()
	got, err := f.link.redis.XRead(call, &redis.XReadArgs{Streams: []string{f.stream, last}, Count: relayRead, Block: blockFor}).Result()
	if err != nil {
		if answered(err) {
			return nil, nil // Nothing new.
		}
		return nil, err
	}
	return got[0].Messages, nil
}
