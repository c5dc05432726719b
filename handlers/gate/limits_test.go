package gate

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func TestAnAddressAsksAtItsRate(t *testing.T) {
	t.Parallel()
	r := newRates(10)
	const second = int64(time.Second)
	for i := range 20 {
		if _, ok := r.take(1, 0); !ok {
			t.Fatalf("request %d of the burst is refused", i)
		}
	}
	wait, ok := r.take(1, 0)
	if ok || wait != 100*time.Millisecond {
		t.Errorf("one above the burst: %v, wait %v; want 100ms", ok, wait)
	}
	if _, ok := r.take(2, 0); !ok {
		t.Error("another address is refused for it")
	}
	if _, ok := r.take(1, second/10); !ok {
		t.Error("what wore off is not given back")
	}
	passed := 0
	for now := second; now < 11*second; now += second / 100 {
		if _, ok := r.take(1, now); ok {
			passed++
		}
	}
	if passed < 100 || passed > 110 {
		t.Errorf("%d requests in ten seconds, want 10 a second and what was left of the burst", passed)
	}
}

func TestRatesForgetTheOldest(t *testing.T) {
	t.Parallel()
	r := newRates(10)
	refused := 0
	for i := range uint64(500_000) {
		now := int64(i) * 20_000 // Ten seconds in all.
		r.take(i+10, now)
		if i%100 == 0 { // 500 a second.
			if _, ok := r.take(1, now); !ok {
				refused++
			}
		}
	}
	if refused < 4700 || refused > 4900 {
		t.Errorf("%d of 5000 requests refused, want all but some 120", refused)
	}
}

func TestAddressesAreCounted(t *testing.T) {
	t.Parallel()
	key := func(s string) uint64 { return AddressKey(netip.MustParseAddr(s).Unmap()) }
	if key("2001:db8::1") != key("2001:db8::ffff:1") || key("2001:db8::1") == key("2001:db8:0:1::1") {
		t.Error("IPv6 is not counted by /64")
	}
	if key("10.0.0.1") == key("10.0.0.2") || key("::ffff:10.0.0.1") != key("10.0.0.1") || key("::1") == 0 || key("0.0.0.0") == 0 {
		t.Error("IPv4 is not counted by address")
	}
}

func TestClientBehindProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer, forwarded, want string
		named                 bool
	}{
		"direct":                {"198.51.100.1", "", "198.51.100.1", false},
		"direct, made up":       {"198.51.100.1", "203.0.113.9", "198.51.100.1", false},
		"proxy":                 {"10.0.0.7", "203.0.113.9", "203.0.113.9", true},
		"proxy, made up before": {"10.0.0.7", "1.1.1.1, 203.0.113.9", "203.0.113.9", true},
		"two proxies":           {"10.0.0.7", "1.1.1.1,203.0.113.9, 10.0.0.8", "203.0.113.9", true},
		"two headers":           {"10.0.0.7", "1.1.1.1, 203.0.113.9\n10.0.0.8", "203.0.113.9", true},
		"proxies only":          {"10.0.0.7", "10.0.0.9, 10.0.0.8", "10.0.0.9", true},
		"nothing said":          {"10.0.0.7", "", "10.0.0.7", false},
		"rubbish":               {"10.0.0.7", "203.0.113.9, unknown", "10.0.0.7", false},
		"rubbish behind one":    {"10.0.0.7", "<script>, 10.0.0.8", "10.0.0.8", true},
		"with a port":           {"10.0.0.7", "203.0.113.9:4711", "203.0.113.9", true},
		"IPv6 with a port":      {"10.0.0.7", "[2001:db8::9]:4711", "2001:db8::9", true},
		"mapped":                {"::ffff:10.0.0.7", "::ffff:203.0.113.9", "203.0.113.9", true},
		"too many hops":         {"10.0.0.7", "203.0.113.9" + strings.Repeat(",10.0.0.8", maxHops+5), "10.0.0.8", true},
	} {
		l := NewLimiter(Limits{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}.Filled(), slog.New(slog.DiscardHandler))
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(c.peer), Port: 1}, nil)
		for h := range strings.SplitSeq(c.forwarded, "\n") {
			if h != "" {
				ctx.Request.Header.Add("X-Forwarded-For", h)
			}
		}
		if who, named := l.client(&ctx); who.String() != c.want || named != c.named {
			t.Errorf("%s: %v, %v; want %s, %v", name, who, named, c.want, c.named)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	l := NewLimiter(Limits{Requests: Limit{N: 1_000_000_000, Everybody: true}}.Filled(), slog.New(slog.DiscardHandler))
	proxied := NewLimiter(Limits{Requests: Limit{N: 1_000_000_000}, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}.Filled(), slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		name      string
		l         *Limiter
		forwarded string
	}{{"direct", l, ""}, {"proxied", proxied, "203.0.113.9"}} {
		b.Run(c.name, func(b *testing.B) {
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 1}, nil)
			for _, h := range []string{"Host", "User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "If-None-Match"} {
				ctx.Request.Header.Set(h, "something")
			}
			if c.forwarded != "" {
				ctx.Request.Header.Set("X-Forwarded-For", c.forwarded)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := c.l.Allow(&ctx); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}

// TestAnAddressPaysForDearAnswers has answers made that take long: others are served all the same.
func TestAnAddressPaysForDearAnswers(t *testing.T) {
	t.Parallel()
	l := NewLimiter(Limits{}.Filled(), nil)
	const dear, second = uint64(1), int64(time.Second)
	made := 0
	for now := int64(0); now < 20*second; now += second / 5 {
		if _, ok := l.work.free(dear, now); ok {
			made++
			l.work.charge(dear, now, workShare*second/2) // Each takes half a second.
		}
		if _, ok := l.work.free(2, now); !ok {
			t.Fatal("another address is refused for it")
		}
	}
	if made < 20 || made > 24 {
		t.Errorf("%d answers of half a second were made in 20 s, want 20 and what may come at once", made)
	}
	l.Worked(3, time.Now().Add(-time.Hour))
	if wait, _ := l.work.use(3, l.clock(time.Now()), 0, 0); wait > dearest*workShare {
		t.Errorf("one answer counts %v, want %v at most", wait, dearest*workShare)
	}
}

// TestMakingAnswersIsCounted holds that it is the time until the answer is made that counts.
func TestMakingAnswersIsCounted(t *testing.T) {
	t.Parallel()
	l := NewLimiter(Limits{Requests: Limit{N: 1000, Everybody: true}}.Filled(), nil)
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, nil)
	l.started = l.started.Add(-time.Second)
	done, _, ok := l.Begin(&ctx)
	if !ok {
		t.Fatal("the first is refused")
	}
	for begun := time.Now(); time.Since(begun) < 3*cheapest; { // Work.
	}
	done()
	if owes, _ := l.work.use(AddressKey(netip.MustParseAddr("192.0.2.1")), 0, 0, 0); owes < 3*cheapest {
		t.Errorf("an answer that took three milliseconds counts %v", owes)
	}
}
