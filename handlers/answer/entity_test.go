package answer

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestAcceptedCoding(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]Coding{
		"": Plain, "identity": Plain, "gzip": Gzip, "GZIP ; q=0.5": Gzip, "gzip;q=0": Plain, "gzip;q=0.000": Plain,
		"gzip, deflate, br, zstd": Brotli, "zstd, gzip": Zstd, "br;q=0, zstd;q=0.1": Zstd, "deflate": Plain, ",,br": Brotli,
	} {
		if got := accepted([]byte(header)); got != want {
			t.Errorf("accepted(%q) = %d, want %d", header, got, want)
		}
	}
}

// FuzzAccepted holds that what is chosen was named, and that something is chosen where one was.
func FuzzAccepted(f *testing.F) {
	for _, header := range []string{"", "gzip, deflate, br, zstd", "br;q=0, zstd;q=0.1", "GZIP ; q=0.5", ",,br", "*", "gzip;q=", "br;q=0.000;x"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.Set("Accept-Encoding", header)
		best := accepted(ctx.Request.Header.Peek("Accept-Encoding"))
		var any bool
		for c := Brotli; c < codingCount; c++ {
			for name := range named(ctx.Request.Header.Peek("Accept-Encoding")) {
				any = any || strings.EqualFold(string(name), string(codingNames[c]))
			}
		}
		if any != (best != Plain) || best >= codingCount {
			t.Fatalf("%q: %d", header, best)
		}
	})
}
