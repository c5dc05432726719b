package app

import (
	"context"
	"statuspage/internal/cluster"
	"statuspage/internal/incident"
	"time"
)

// wordsPatience bounds one reading of all that people have written.
const wordsPatience = 30 * time.Second

// words are what people write, in this process.
type words struct {
	book    *incident.Book
	lookout *incident.Lookout
	desk    *incident.Desk
	reader  *incident.Reader
}

// openWords puts them together. What is written goes to our disk, then to the page, then to the other processes.
func (a *app) openWords() {
	book := incident.NewBook(0)
	a.words = words{book: book, lookout: incident.NewLookout(book), reader: incident.NewReader(book, a.store, time.Now)}
	a.words.desk = &incident.Desk{
		Book: book, Keep: a.store.AppendEvents, Now: time.Now,
		Services: func(id string) bool {
			_, is := a.board.Current().Find(id)
			return is
		},
	}
	if a.node == nil || !a.roles.web {
		return
	}
	a.words.desk.Share = a.node.sharing.Share
	a.node.hearing = cluster.NewEventFollower(a.node.link, func(events []incident.Event) { book.Apply(events, time.Now()) },
		func(ctx context.Context, _ time.Time) error { return a.words.reader.CatchUp(ctx) })
}

// readWords brings what people wrote before to the book, beside the warm start, until all of it is there. While the store is away
// it takes what waits for it on our disk.
func (a *app) readWords(ctx context.Context) {
	if !a.roles.web {
		return
	}
	complained := false
	for wait := time.Second / 4; ; wait = min(2*wait, 15*time.Second) {
		read, cancel := context.WithTimeout(ctx, wordsPatience)
		err := a.words.reader.CatchUp(read)
		cancel()
		switch {
		case err == nil:
			if complained {
				a.log.Info("incidents read")
			}
			return
		case ctx.Err() != nil:
			return
		case !complained && wait > time.Second: // A store that is being reached is nothing to tell of.
			a.log.Warn("incidents can't be read; the page goes on without them, and tries again", "error", err)
			complained = true
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
