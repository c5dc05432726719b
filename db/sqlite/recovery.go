package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"statuspage/internal/status"
	"time"
)

const selectFirstAvailable = `SELECT received FROM signals WHERE received >= ? AND received < ? AND ` + ofService + ` AND available ORDER BY received LIMIT 1`

// FirstAvailable returns when each service was first found available in its span, or the zero time.
func (s *Store) FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error) {
	if len(spans) == 0 {
		return nil, ctx.Err()
	}
	first, err := s.read.PrepareContext(ctx, selectFirstAvailable)
	if err != nil {
		return nil, fmt.Errorf("read recoveries: %w", err)
	}
	defer first.Close() //nolint:errcheck // Nothing was written.
	found := make([]time.Time, len(spans))
	for i, span := range spans {
		var at int64
		err := first.QueryRowContext(ctx, span.From.UnixMicro(), span.To.UnixMicro(), span.Service.ID, span.Service.URL).Scan(&at)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return nil, fmt.Errorf("read recoveries: %w", err)
		default:
			found[i] = time.UnixMicro(at).UTC()
		}
	}
	return found, nil
}
