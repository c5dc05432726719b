package sse

import "github.com/klauspost/compress/zstd"

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

// Encode returns the events in a coding.
func Encode(events []byte, c Coding) []byte {
	if c == Zstd {
		return encoder.EncodeAll(events, nil)
	}
	return events
}
