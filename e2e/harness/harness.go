// Package harness runs the product, and what stands beside it, as processes of their own: the
// binary as it is shipped, a real QuestDB, a real Redis, and a wire that can be broken.
//
// What it does says by an error what went wrong, for benchmarks and tests alike; testing.go is
// how tests start things that end with them.
package harness

import (
	"path/filepath"
	"runtime"
)

// root is the folder of the module.
func root() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..")
}

// script is a program in the folder scripts.
func script(name string) string { return filepath.Join(root(), "scripts", name) }

// MissingError says that something can't be run here for want of something.
type MissingError struct{ What, Remedy string }

func (e *MissingError) Error() string { return e.What + " is missing; " + e.Remedy }
