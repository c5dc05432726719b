package probe

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"statuspage/internal/status"
	"syscall"
	"testing"
)

// BenchmarkHTTP measures whole probes of a server in the same process. "fresh over net/http" is what
// "fresh" would be without a way of its own (docs/adr/0013).
func BenchmarkHTTP(b *testing.B) {
	plain := serve(b, func(http.ResponseWriter, *http.Request) {})
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	secure.TLS, secure.EnableHTTP2 = &tls.Config{MinVersion: tls.VersionTLS12}, true
	secure.StartTLS()
	b.Cleanup(secure.Close)
	_, roots := pair(b)
	p := trusting(roots)
	probe := func(url string, keep bool) func(*testing.B) Result {
		check := checkOf(url)
		check.KeepAlive, check.ID = keep, url
		return func(b *testing.B) Result { return p.asks(b.Context(), check) }
	}
	std := p.netHTTP(false, roots)
	for _, way := range []struct {
		name    string
		measure func(*testing.B) Result
	}{
		{"fresh", probe(plain, false)},
		{"fresh over nethttp", func(b *testing.B) Result {
			check := checkOf(plain)
			return judge(check, exchange(b.Context(), check, std, http.MethodHead, new(stopwatch)))
		}},
		{"kept", probe(plain, true)},
		{"TLS fresh", probe(secure.URL, false)},
		{"TLS kept", probe(secure.URL, true)},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			began := processTime(b)
			for b.Loop() {
				if r := way.measure(b); r.Outcome != status.Up {
					b.Fatal(r.Err)
				}
			}
			b.ReportMetric(float64(processTime(b)-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processTime is what this process has used of the processors, in nanoseconds.
func processTime(b *testing.B) int64 {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}
