//go:build linux

package main

import (
	"bytes"
	"time"
)

// maxLine is how much of a line is looked at: enough for an id.
const maxLine = 64

// stream is one viewer's end and how far it has read.
type stream struct {
	fd      int
	stalled bool // Never read.
	first   bool // The one whose frames are read for what they show.
	state   state
	line    [maxLine]byte
	n       int  // Bytes of the line so far, whether kept or not.
	data    bool // The frame has a field.
	id      string
	text    []byte // Of the frame, for the first viewer only.
	bytes   int    // Of the frame.
	zstd    bool
	packed  []byte // What came of a zstd frame that is not all there.
}

type state uint8

const (
	closed state = iota
	connecting
	waiting // For the header.
	open
)

// frame is one event that all viewers get.
type frame struct {
	first   time.Time
	delays  []int32 // Microseconds since first.
	shows   []string
	outside bool // Begun before or after the window.
}

// read takes what came and tells each complete frame that has an id.
func (s *stream) read(b []byte, complete func(s *stream)) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		end := i + 1
		if i < 0 {
			end = len(b)
		}
		part := b[:end]
		b = b[end:]
		s.bytes += len(part)
		if s.first {
			s.text = append(s.text, part...)
		}
		if s.n < maxLine {
			copy(s.line[s.n:], part)
		}
		s.n += len(part)
		if i >= 0 {
			s.endLine(complete)
			s.n = 0
		}
	}
}

// endLine reads a line. Lines that frame chunks are no fields, and pass by.
func (s *stream) endLine(complete func(s *stream)) {
	line := bytes.TrimRight(s.line[:min(s.n, maxLine)], "\r\n")
	switch {
	case len(line) == 0:
		if s.data && s.id != "" {
			complete(s)
		}
		if s.data {
			s.data, s.id, s.text, s.bytes = false, "", s.text[:0], 0
		}
	case bytes.HasPrefix(line, []byte("id: ")):
		s.id, s.data = string(line[4:]), true
	case bytes.HasPrefix(line, []byte("data:")), bytes.HasPrefix(line, []byte("event:")), bytes.HasPrefix(line, []byte("retry:")):
		s.data = true
	}
}
