package gate

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/valyala/fasthttp"
)

// FuzzClient holds that no forwarded text takes the place of the address that the proxy saw.
func FuzzClient(f *testing.F) {
	for _, header := range []string{"203.0.113.9", "1.1.1.1, 203.0.113.9", "10.0.0.8, 203.0.113.9:80, [::1]:8", ",,,", "fe80::1%eth0", "::ffff:10.0.0.1"} {
		f.Add(header)
	}
	l := NewLimiter(Limits{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}.Filled(), slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, header string) {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 1}, nil)
		ctx.Request.Header.Set("X-Forwarded-For", header+", 203.0.113.9")
		if who, named := l.client(&ctx); who.String() != "203.0.113.9" || !named {
			t.Fatalf("%q: %v", header, who)
		}
		ctx.Request.Header.Set("X-Forwarded-For", header)
		if who, _ := l.client(&ctx); !who.IsValid() || AddressKey(who) == 0 {
			t.Fatalf("%q: nobody", header)
		}
	})
}
