package questdb

import (
	"strconv"
	"strings"
	"testing"
)

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	var e errorTexts
	for in, want := range map[string]string{
		"":       "",
		"plain":  "plain",
		"a\x00b": "a\uFFFDb",
		"read tcp 127.0.0.1:50412->10.1.2.3:443: read: connection reset by peer":                                             "read tcp 10.1.2.3:443: read: connection reset by peer",
		"read tcp [::1]:50412->[::1]:443: read: connection reset by peer":                                                    "read tcp [::1]:443: read: connection reset by peer",
		"dial tcp 10.1.2.3:443: connect: connection refused":                                                                 "dial tcp 10.1.2.3:443: connect: connection refused",
		"x509: certificate has expired or is not yet valid: current time 2026-11-25T09:52:27Z is after 2026-01-01T00:00:00Z": "x509: certificate has expired or is not yet valid: now is after 2026-01-01T00:00:00Z",
	} {
		if got := e.one(in); got.String != want || got.Valid != (want != "") {
			t.Errorf("%q became %q", in, got.String)
		}
	}
	long := strings.Repeat("long ", 200)
	for i := range maxErrorTexts / len(long) {
		e.one(long + strconv.Itoa(i))
	}
	if got := e.one(long); got.String != tooManyTexts || e.bytes > maxErrorTexts {
		t.Errorf("%q after %d bytes", got.String, e.bytes)
	}
	if got := e.one("plain"); got.String != "plain" {
		t.Errorf("a known text became %q", got.String)
	}
}
