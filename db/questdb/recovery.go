package questdb

import (
	"context"
	"errors"
	"fmt"
	"statuspage/internal/status"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// askers is how many connections ask for recoveries at once. One after the other on each: QuestDB
// compiles a statement anew for all that travel in one pipeline but the first.
const askers = 3

// FirstAvailable returns when each service was first found available in its span, or the zero time.
func (s *Store) FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error) {
	found := make([]time.Time, len(spans))
	all, ctx := errgroup.WithContext(ctx)
	for n := range askers {
		all.Go(func() error {
			for i := n; i < len(spans); i += askers {
				span := spans[i]
				err := s.readers.QueryRow(ctx, s.sql.firstAvailable, instant(span.From), instant(span.To), span.Service.ID, span.Service.URL).Scan(&found[i])
				if err != nil && !errors.Is(err, pgx.ErrNoRows) {
					return fmt.Errorf("read recoveries: %w", err)
				}
				found[i] = found[i].UTC()
			}
			return ctx.Err()
		})
	}
	return found, all.Wait()
}
