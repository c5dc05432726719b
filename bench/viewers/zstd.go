//go:build linux

package main

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/klauspost/compress/zstd"
)

// The parts of a zstd frame that say how long it is (RFC 8878, section 3.1.1).
const (
	blockHeader  = 3
	checksumSize = 4
	repeated     = 1 // The type of a block that is one byte, however long it claims to be.
)

// frameLength is the length of the zstd frame that b begins with; 0 while it is not all there.
func frameLength(b []byte) int {
	var h zstd.Header
	if err := h.Decode(b); err != nil {
		return 0
	}
	n := h.HeaderSize
	if h.Skippable {
		return n
	}
	for last := false; !last; {
		if len(b) < n+blockHeader {
			return 0
		}
		block := uint32(b[n]) | uint32(binary.LittleEndian.Uint16(b[n+1:]))<<8
		last = block&1 == 1
		if size := int(block >> 3); block>>1&3 == repeated {
			n += blockHeader + 1
		} else {
			n += blockHeader + size
		}
	}
	if h.HasCheckSum {
		n += checksumSize
	}
	if len(b) < n {
		return 0
	}
	return n
}

// unpacker reads each frame once, however many viewers get it: all get the same bytes.
type unpacker struct {
	seed    maphash.Seed
	decoder *zstd.Decoder
	known   map[uint64]*stream
}

func newUnpacker() (*unpacker, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	return &unpacker{seed: maphash.MakeSeed(), decoder: d, known: map[uint64]*stream{}}, err
}

// read takes what came of a stream of zstd frames.
func (u *unpacker) read(s *stream, b []byte, complete func(s *stream)) {
	if len(s.packed) > 0 {
		s.packed = append(s.packed, b...)
		b = s.packed
	}
	for len(b) > 0 {
		n := frameLength(b)
		if n == 0 {
			break
		}
		if event := u.event(b[:n]); event.id != "" {
			s.id, s.bytes = event.id, n
			if s.first {
				s.text = event.text
			}
			complete(s)
		}
		b = b[n:]
	}
	s.packed = append(s.packed[:0], b...)
}

// event is what a frame holds; one without an id holds none that counts.
func (u *unpacker) event(frame []byte) *stream {
	key := maphash.Bytes(u.seed, frame)
	if e := u.known[key]; e != nil {
		return e
	}
	e := &stream{first: true}
	if text, err := u.decoder.DecodeAll(frame, nil); err == nil {
		kept := stream{}
		e.read(text, func(s *stream) { kept = stream{id: s.id, text: text} })
		e = &kept
	}
	u.known[key] = e
	return e
}
