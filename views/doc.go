// Package views turns domain values into HTML with templ. Components get view models made
// of ready strings; whatever a target or an operator wrote reaches the page escaped. No I/O,
// no clock: the same values always give the same bytes.
package views

//go:generate go tool templ generate
