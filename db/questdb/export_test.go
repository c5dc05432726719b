package questdb

// OnStep makes Ensure call f after each step, and end with its error.
func (s *Store) OnStep(f func(name string) error) { s.step = f }

// Refreshing makes Store wait as if somebody brought its views up to date, until done is called.
func (s *Store) Refreshing() (done func()) {
	s.lag.closing <- struct{}{}
	return func() { <-s.lag.closing }
}

// ReadConnections is how many connections there are for readers.
const ReadConnections = readConnections
