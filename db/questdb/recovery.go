package questdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"statuspage/internal/status"
	"time"

	"github.com/jackc/pgx/v5"
)

// pipelined is how many questions travel together. QuestDB 9.3 fails those of a pipeline whose
// answers overflow its buffer, which takes more than 200 of one row.
const pipelined = 100

// FirstAvailable returns when each service was first found available in its span, or the zero time.
func (s *Store) FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error) {
	found := make([]time.Time, 0, len(spans))
	for some := range slices.Chunk(spans, pipelined) {
		batch := &pgx.Batch{}
		for _, span := range some {
			batch.Queue(s.sql.firstAvailable, instant(span.From), instant(span.To), span.Service.ID, span.Service.URL).QueryRow(func(row pgx.Row) error {
				var at time.Time
				if err := row.Scan(&at); err != nil && !errors.Is(err, pgx.ErrNoRows) {
					return err
				}
				found = append(found, at.UTC())
				return nil
			})
		}
		if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
			return nil, fmt.Errorf("read recoveries: %w", err)
		}
	}
	return found, ctx.Err()
}
