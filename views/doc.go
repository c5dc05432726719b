// Package views turns domain values into HTML with templ components. It reads no clock and
// does no I/O: the builders take the time, the zone and the language, and give the
// components ready strings. First page and live update use the same components.
package views
