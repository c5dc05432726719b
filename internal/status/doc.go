// Package status is the vocabulary of the product: services, checks, signals, outcomes,
// windows and uptime, as data and pure functions. It knows no technology, reads no clock
// and imports nothing but the standard library; the zero value of everything here means
// "nobody measured", never "all is well".
package status

import "errors"

// The sentinels that decide how a failure is answered. The text of an error that wraps one
// is for the log; readers of the page see a fixed sentence.
var (
	ErrNotFound    = errors.New("not found")
	ErrInvalid     = errors.New("invalid")
	ErrUnavailable = errors.New("unavailable")
)
