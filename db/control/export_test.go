package control

import "context"

// PretendVersion makes the tables those of another version, for tests.
func (s *Store) PretendVersion(ctx context.Context, version int) error {
	_, err := s.db.ExecContext(ctx, `UPDATE control_version SET version = $1`, version)
	return err
}
