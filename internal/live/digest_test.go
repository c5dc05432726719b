package live

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"statuspage/internal/board"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// browser is one that goes from server to server with the id of the last event it had.
type browser struct {
	t     *testing.T
	id    string
	shows map[string]string // By target.
	conn  *viewer
}

// visit connects it to a server, and returns the targets that it is sent at once.
func (b *browser) visit(l *Live) (sent []string) {
	b.t.Helper()
	b.leave()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	file := os.NewFile(uintptr(ends[0]), "browser")
	conn, err := net.FileConn(file)
	_ = file.Close() // The connection has a copy.
	if err != nil {
		b.t.Fatal(err)
	}
	if err := l.broker.Admit(0); err != nil {
		b.t.Fatal(err)
	}
	first, joining := l.Watch(plain(l), b.id, sse.Guest{})
	joining.Connect(conn, nil, first)
	b.conn = &viewer{b.t, ends[1]}
	synctest.Wait()
	return b.read()
}

// leave hangs up; what comes from then on is not heard.
func (b *browser) leave() {
	if b.conn != nil {
		b.read()
		_ = syscall.Close(b.conn.fd)
		b.conn = nil
	}
}

// read takes what has come in, to the end of its event, and returns its targets.
func (b *browser) read() (targets []string) {
	text := b.conn.heard()
	for tries := 0; text != "" && !strings.HasSuffix(text, "\n\n") && tries < 1000; tries++ { // More than a socket takes at once.
		time.Sleep(time.Millisecond)
		synctest.Wait()
		text += b.conn.heard()
	}
	text = text[:strings.LastIndex(text, "\n\n")+1] // A browser forgets the event that it has not all of.
	for event := range strings.SplitSeq(text, "\n\n") {
		var data strings.Builder
		for line := range strings.Lines(event + "\n") {
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				b.id = strings.TrimSpace(id)
			}
			if text, ok := strings.CutPrefix(line, "data: "); ok {
				data.WriteString(text)
			}
		}
		for part := range strings.SplitSeq(data.String(), "<hx-partial ") {
			if _, part, ok := strings.Cut(part, `hx-target="#`); ok {
				target, html, _ := strings.Cut(part, `"`)
				b.shows[target] = strings.TrimSpace(html)
				targets = append(targets, target)
			}
		}
	}
	slices.Sort(targets)
	return targets
}

// holds is what a server's page is made of, as a browser would show it.
func holds(l *Live) map[string]string {
	e := plain(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refresh(e)
	all := &browser{shows: map[string]string{}}
	var frame []byte
	for i, s := range l.board.Services() {
		frame = append(frame, l.paint.bytes(views.Partial(views.DOMID(s.ID), drawn(e.rows[i].html)))...)
	}
	for i, g := range l.page.Groups {
		if g.Name != "" {
			frame = append(frame, l.paint.bytes(views.Partial(views.GroupDOMID(g.ID), drawn(e.heads[i].html)))...)
		}
	}
	frame = append(frame, l.paint.bytes(views.Partial("banner", drawn(e.banner.html)))...)
	for part := range strings.SplitSeq(string(frame), "<hx-partial ") {
		if _, part, ok := strings.Cut(part, `hx-target="#`); ok {
			target, html, _ := strings.Cut(part, `"`)
			all.shows[target] = strings.TrimSpace(html)
		}
	}
	return all.shows
}

func differing(a, b map[string]string) (targets []string) {
	for target := range b {
		if a[target] != b[target] {
			targets = append(targets, target)
		}
	}
	slices.Sort(targets)
	return targets
}

// newPeers is page servers with the same configuration.
func newPeers(t *testing.T, peers, services int) (all []*Live, boards []*board.Board, stop func()) {
	t.Helper()
	ids := make([]string, services)
	for i := range ids {
		ids[i] = fmt.Sprintf("s%d", i)
	}
	var stops []func()
	for range peers {
		l, b, stop := newTestLive(t, ids...)
		all, boards, stops = append(all, l), append(boards, b), append(stops, stop)
	}
	return all, boards, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// TestAnIDMeansTheSameOnEachServer lets browsers go from server to server, to which the same
// signals come at other times, in another order, twice: they are sent what differs from what they show and
// nothing else, and show in the end what the servers do.
func TestAnIDMeansTheSameOnEachServer(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			services := []int{1, 5, 31, 80}[seed]
			lives, boards, stop := newPeers(t, 3, services)
			defer stop()
			time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + time.Second)))
			var waiting [3][]status.Signal
			deliver := func(to, n int) {
				n = min(n, len(waiting[to]))
				boards[to].Apply(waiting[to][:n])
				if n > 0 && r.IntN(4) == 0 {
					boards[to].Apply(waiting[to][:1]) // Once more.
				}
				waiting[to] = waiting[to][n:]
			}
			browsers := make([]*browser, 4)
			for i := range browsers {
				browsers[i] = &browser{t: t, shows: map[string]string{}}
				browsers[i].visit(lives[i%3])
			}
			few := 0
			for range 200 {
				s := upSignal(fmt.Sprintf("s%d", r.IntN(services)))
				if r.IntN(3) == 0 {
					s.Outcome, s.Available, s.Reason = status.Down, false, status.Timeout
				}
				for to := range waiting {
					at := len(waiting[to]) - r.IntN(min(3, len(waiting[to])+1))
					waiting[to] = slices.Insert(waiting[to], at, s)
					deliver(to, r.IntN(4))
				}
				time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
				synctest.Wait()
				if r.IntN(3) > 0 {
					continue
				}
				b, l := browsers[r.IntN(len(browsers))], lives[r.IntN(3)]
				b.leave()
				if r.IntN(2) == 0 {
					time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond) // Away for a while.
					synctest.Wait()
				}
				before := maps.Clone(b.shows)
				sent, want := b.visit(l), differing(before, holds(l))
				if missing := differing(b.shows, holds(l)); len(missing) > 0 {
					t.Fatalf("seed %d: after %v were sent, %v are missing", seed, sent, missing)
				}
				if services+wordParts+1 < digestSums && !slices.Equal(sent, want) {
					t.Fatalf("seed %d: %v were sent, want %v", seed, sent, want)
				}
				if len(sent) <= services/2 {
					few++
				}
			}
			for to := range waiting {
				deliver(to, len(waiting[to]))
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			for _, b := range browsers {
				b.read()
				for _, l := range lives {
					b.visit(l)
					if missing := differing(b.shows, holds(l)); len(missing) > 0 {
						t.Fatalf("seed %d: in the end %v are missing", seed, missing)
					}
				}
				b.leave()
			}
			if services > 1 && few < 10 {
				t.Errorf("seed %d: %d visits brought less than half of the rows", seed, few)
			}
		})
	}
}

// TestIDsThatSayNothingBringEverything holds for all that can't be read, and for those of a
// page with another layout, which is told to load itself anew.
func TestIDsThatSayNothingBringEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lives, _, stop := newPeers(t, 2, 3)
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		a, b := lives[0], lives[1]
		e := plain(a)
		a.mu.Lock()
		a.refresh(e)
		id := a.names.id(a.version.Load()) + e.digest()
		a.mu.Unlock()
		for name, c := range map[string]struct {
			id   string
			want int
		}{
			"of the other server":         {id, 0},
			"none":                        {"", 4 + wordParts},
			"garbage":                     {"\x00\x01-", 4 + wordParts},
			"without a digest":            {a.names.id(7), 4 + wordParts},
			"a digest of fewer parts":     {id[:len(id)-4], 4 + wordParts},
			"a digest that is none":       {a.names.id(7) + "-****************", 4 + wordParts},
			"a digest of another page":    {a.names.id(7) + "-" + strings.Repeat("A", 16), 4 + wordParts},
			"a digest of too many parts":  {a.names.id(7) + strings.Repeat("-AAAA", 100), 4 + wordParts},
			"of before a restart":         {strings.Replace(id, a.names.epoch, "OLDER", 1), 0},
			"a version of the time to be": {b.names.id(1 << 40), 0},
		} {
			br := &browser{t: t, id: c.id, shows: map[string]string{}}
			if sent := br.visit(b); len(sent) != c.want {
				t.Errorf("an id %s (%q) brings %v, want %d", name, br.id, sent, c.want)
			}
			br.leave()
		}
		_, foreign := b.names.parse(strings.Replace(id, a.names.layout, "00000000", 1))
		if !foreign {
			t.Error("an id of another layout is taken for one of this")
		}
	})
}

// TestChangesInOneSumDoNotMakeUpForEachOther: places 3 and 34 share a sum.
func TestChangesInOneSumDoNotMakeUpForEachOther(t *testing.T) {
	t.Parallel()
	if shareOf(3) != shareOf(34) {
		t.Fatal("the places share no sum")
	}
	digest := func(x, y string) string {
		e := &Variant{rows: make([]part, 80), heads: make([]part, 4)}
		e.put(3, []byte(x), 1)
		e.put(34, []byte(y), 1)
		return e.digest()
	}
	if digest("up", "down") == digest("down", "up") {
		t.Error("two rows that changed places have the digest of before")
	}
	if digest("aa", "aa") == digest("ab", "ab") {
		t.Error("two rows that changed alike have the digest of before")
	}
}
