package questdb

// OnStep makes Ensure call f after each step, and end with its error.
func (s *Store) OnStep(f func(name string) error) { s.step = f }
