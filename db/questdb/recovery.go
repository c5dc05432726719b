package questdb

import (
	"context"
	"errors"
	"fmt"
	"statuspage/internal/status"
	"time"

	"github.com/jackc/pgx/v5"
)

// FirstAvailable returns when each service was first found available in its span, or the zero
// time. All questions travel at once.
func (s *Store) FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error) {
	if len(spans) == 0 {
		return nil, ctx.Err()
	}
	found := make([]time.Time, len(spans))
	batch := &pgx.Batch{}
	for i, span := range spans {
		batch.Queue(s.sql.firstAvailable, instant(span.From), instant(span.To), span.Service.ID, span.Service.URL).QueryRow(func(row pgx.Row) error {
			if err := row.Scan(&found[i]); err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			found[i] = found[i].UTC()
			return nil
		})
	}
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read recoveries: %w", err)
	}
	return found, nil
}
