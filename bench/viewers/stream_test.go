//go:build linux

package main

import (
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestFramesAreSeenHoweverTheyAreCut feeds a stream in pieces of every size, with the marks
// of chunked transfer in it.
func TestFramesAreSeenHoweverTheyAreCut(t *testing.T) {
	const stream1 = "3a\r\nretry: 2000\nevent: beat\ndata: 1790000000000\n\n\r\n" +
		"1f\r\nid: abc-1\ndata: <tr id=\"s-svc-00001\">\ndata: </tr>\n\n\r\n" +
		"1f\r\nevent: beat\ndata: 1\n\n\r\nc\r\nid: abc-2\ndata: x\n\n\r\n"
	for size := 1; size < len(stream1); size++ {
		s := &stream{first: true}
		var ids []string
		for from := 0; from < len(stream1); from += size {
			s.read([]byte(stream1[from:min(from+size, len(stream1))]), func(s *stream) { ids = append(ids, s.id) })
		}
		if len(ids) != 2 || ids[0] != "abc-1" || ids[1] != "abc-2" {
			t.Fatalf("in pieces of %d: frames %q, want abc-1 and abc-2", size, ids)
		}
	}
}

// TestPackedFramesAreSeenHoweverTheyAreCut does the same with a zstd frame an event.
func TestPackedFramesAreSeenHoweverTheyAreCut(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	var packed []byte
	for _, event := range []string{"retry: 2000\n\nevent: beat\ndata: 1\n\n", "id: abc-1\ndata: <tr id=\"s-svc-00001\">\n\n", "id: abc-2\ndata: x\n\n"} {
		packed = append(packed, encoder.EncodeAll([]byte(event), nil)...)
	}
	u, err := newUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	for size := 1; size <= len(packed); size++ {
		s := &stream{zstd: true}
		var ids []string
		for from := 0; from < len(packed); from += size {
			u.read(s, packed[from:min(from+size, len(packed))], func(s *stream) { ids = append(ids, s.id) })
		}
		if len(ids) != 2 || ids[0] != "abc-1" || ids[1] != "abc-2" {
			t.Fatalf("in pieces of %d: frames %q, want abc-1 and abc-2", size, ids)
		}
	}
}
