package sse

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Coding is how the events of a stream are written. Each event is made once in each coding
// that somebody reads, and its bytes are shared.
type Coding uint8

// The codings of a stream.
const (
	Plain Coding = iota
	// Zstd makes each event a zstd frame of its own, which needs nothing from the one
	// before: a stream of them is a zstd stream (RFC 8878, section 3), and all viewers share
	// its bytes. gzip and brotli have no such thing: there every viewer needs an encoder.
	Zstd
	codings
)

// String is the name in Content-Encoding; empty for Plain.
func (c Coding) String() string {
	if c == Zstd {
		return "zstd"
	}
	return ""
}

// encoder is safe for concurrent use by EncodeAll. Browsers refuse windows above 8 MB
// (RFC 9659); ours is that of the frame, whose size is known.
var encoder = func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // The options are constants.
	}
	return e
}()

func encode(events []byte, c Coding) []byte {
	if c == Zstd {
		return encoder.EncodeAll(events, nil)
	}
	return events
}

// Events are bytes of a stream that many viewers are sent: made once in each coding that
// somebody reads. A nil pointer is no events.
type Events struct {
	plain []byte
	coded [codings]struct {
		once sync.Once
		body []byte
	}
}

// NewEvents holds what Event has written, one after the other; nil for nothing.
func NewEvents(plain []byte) *Events {
	if len(plain) == 0 {
		return nil
	}
	return &Events{plain: plain}
}

func (e *Events) in(c Coding) []byte {
	if c == Plain {
		return e.plain
	}
	made := &e.coded[c]
	made.once.Do(func() { made.body = encode(e.plain, c) })
	return made.body
}
