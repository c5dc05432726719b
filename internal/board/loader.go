package board

// Loader brings a board what a store knows of the past.
type Loader struct{ board *Board }

// Loader returns the one of this board.
func (b *Board) Loader() Loader { return Loader{b} }
