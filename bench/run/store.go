package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"statuspage/bench/proc"
	"statuspage/bench/report"
	"statuspage/e2e/harness"
	"strconv"
	"time"
)

var storePart = part{
	name: "store", title: "Signals stored", measure: measureStore,
	about: "`bench/writer` writes as the product does, a batch each 100 ms: into SQLite, or into the outbox that a QuestDB (`scripts/questdb`, 512 MB of heap) is fed from. " +
		"QuestDB's CPU is that of its process less its idle share, which is measured before. *Whole system* is the product's CPU with that of QuestDB. " +
		"*5,000 checks each second* is the product itself at 5,000 signals a second, prober and page included.",
}

// written is what bench/writer prints.
type written struct {
	Written   int     `json:"written"`
	Seconds   float64 `json:"seconds"`
	WriteP50  float64 `json:"write_p50_ms"`
	WriteP99  float64 `json:"write_p99_ms"`
	MaxOutbox float64 `json:"max_outbox"`
	Drained   float64 `json:"drained_s"`
}

func (l storeSection) write(ctx context.Context, dir string, args ...string) (*written, error) {
	out, err := output(ctx, dir, l.bin("writer"), args...)
	if err != nil {
		return nil, err
	}
	w := &written{}
	return w, json.Unmarshal(out, w)
}

const storeRate = 5000

// storeSection is the measuring of its section, with what the lab has.
type storeSection struct{ *lab }

func measureStore(ctx context.Context, in *lab, _ int) error {
	l := storeSection{in}
	dir, remove, err := l.scratch()
	if err != nil {
		return err
	}
	defer remove()
	length := l.span(time.Minute, 5*time.Second)
	sustain := []string{"-mode", "sustain", "-rate", strconv.Itoa(storeRate), "-for", length.String()}
	w, err := l.write(ctx, dir, append(sustain, "-database", "sqlite:///writer.db")...)
	if err != nil {
		return err
	}
	l.addSustained("SQLite, 5,000 signals/s", w)
	if err := l.busy(ctx, "SQLite, 5,000 checks each second", ""); err != nil {
		return err
	}

	q, end, err := l.questdb(ctx, filepath.Join(dir, "questdb"))
	if err != nil {
		return err
	}
	defer end()
	if err := l.intoQuestDB(ctx, dir, q, sustain); err != nil {
		return err
	}
	if err := l.drain(ctx, dir, q); err != nil {
		return err
	}
	if err := l.wholeSystem(ctx, q); err != nil {
		return err
	}
	return l.busy(ctx, "QuestDB, 5,000 checks each second", q.URL())
}

func (l storeSection) addSustained(group string, w *written) {
	l.Add(group, "rate", "signals/s", float64(w.Written)/w.Seconds, "≥ 4950")
	l.Add(group, "a batch durable, p50", "ms", w.WriteP50)
	l.Add(group, "a batch durable, p99", "ms", w.WriteP99)
	l.Add(group, "most in the outbox", "", w.MaxOutbox)
	l.Add(group, "outbox empty after the end", "s", w.Drained)
}

func (l storeSection) intoQuestDB(ctx context.Context, dir string, q *questdb, sustain []string) error {
	// The first rows make the tables; the idle share is that of a server with tables.
	if _, err := l.write(ctx, dir, "-mode", "sustain", "-rate", "100", "-for", "1s", "-database", q.URL()); err != nil {
		return err
	}
	if err := q.settled(ctx); err != nil {
		return err
	}
	idle, err := q.idle(pick(l.lab, 10*time.Second, 2*time.Second))
	if err != nil {
		return err
	}
	before, err := proc.Read(q.PID)
	if err != nil {
		return err
	}
	w, err := l.write(ctx, dir, append(sustain, "-database", q.URL())...)
	if err != nil {
		return err
	}
	if err := q.settled(ctx); err != nil {
		return err
	}
	after, err := proc.Read(q.PID)
	if err != nil {
		return err
	}
	group := "QuestDB, 5,000 signals/s through the outbox"
	l.addSustained(group, w)
	cpu := (after.CPU - before.CPU).Seconds() - idle*after.At.Sub(before.At).Seconds()
	l.Add(group, "QuestDB's CPU of 1,000 rows", "s", 1000*cpu/float64(w.Written))
	l.Add(group, "QuestDB's idle share", "% of a core", 100*idle)
	return nil
}

// drain fills an outbox while the store is away, and brings the store back.
func (l storeSection) drain(ctx context.Context, dir string, q *questdb) error {
	n := pick(l.lab, 200_000, 20_000)
	box := filepath.Join(dir, "waiting.db")
	if _, err := l.write(ctx, dir, "-mode", "fill", "-n", strconv.Itoa(n), "-outbox", box,
		"-database", harness.StoreURL(nowhere)); err != nil {
		return err
	}
	w, err := l.write(ctx, dir, "-mode", "drain", "-outbox", box, "-database", q.URL())
	if err != nil {
		return err
	}
	group := fmt.Sprintf("%d signals in the outbox", n)
	l.Add(group, "waited", "", w.MaxOutbox)
	l.Add(group, "drained in", "s", w.Drained, "< 30")
	return q.settled(ctx)
}

// wholeSystem adds what the product and QuestDB take together.
func (l storeSection) wholeSystem(ctx context.Context, q *questdb) error {
	target, endTarget, err := l.target(ctx)
	if err != nil {
		return err
	}
	defer endTarget()
	idle, err := q.idle(pick(l.lab, 10*time.Second, 2*time.Second))
	if err != nil {
		return err
	}
	p, end, err := l.filled(ctx, spec{services: 1000, interval: 10 * time.Second, target: target, database: q.URL()})
	if err != nil {
		return err
	}
	defer end()
	time.Sleep(pick(l.lab, 15*time.Second, 5*time.Second))
	before, err := proc.Read(q.PID)
	if err != nil {
		return err
	}
	each, rate, err := p.cost(ctx, l.span(time.Minute, 5*time.Second))
	if err != nil {
		return err
	}
	after, err := proc.Read(q.PID)
	if err != nil {
		return err
	}
	seconds := after.At.Sub(before.At).Seconds()
	store := ((after.CPU - before.CPU).Seconds() - idle*seconds) / (rate * seconds)
	group := "Whole system: 1,000 checks each 10 s on QuestDB"
	l.Add(group, "CPU of 1,000 probes", "s", 1000*(each+store), "≤ 1.2")
	l.Add(group, "of it the product's", "s", 1000*each)
	l.Add(group, "of it QuestDB's", "s", 1000*store)
	return nil
}

var newest = regexp.MustCompile(`data-at="([^"]+)"`)

// busy runs the product at 5,000 probes a second, and looks at its page meanwhile.
func (l storeSection) busy(ctx context.Context, group, database string) error {
	target, endTarget, err := l.target(ctx)
	if err != nil {
		return err
	}
	defer endTarget()
	n := pick(l.lab, storeRate, 500)
	p, end, err := l.filled(ctx, spec{services: n, interval: time.Second, timeout: 500 * time.Millisecond, keepAlive: true, target: target, database: database})
	if err != nil {
		return err
	}
	defer end()
	time.Sleep(5 * time.Second)
	before, err := p.metric(ctx, "statuspage_probes_total")
	if err != nil {
		return err
	}
	start, err := usage(p.Process)
	if err != nil {
		return err
	}
	var ages, waits []float64
	length := l.span(30*time.Second, 5*time.Second)
	for until := start.At.Add(length); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		asked := time.Now()
		page, err := get(ctx, p.URL+"/", "Accept-Encoding", "identity")
		if err != nil {
			return err
		}
		waits = append(waits, time.Since(asked).Seconds()*1000)
		if m := newest.FindSubmatch(page); m != nil {
			if at, err := time.Parse(time.RFC3339, string(m[1])); err == nil {
				ages = append(ages, asked.Sub(at).Seconds())
			}
		}
	}
	after, err := usage(p.Process)
	if err != nil {
		return err
	}
	probes, err := p.metric(ctx, "statuspage_probes_total")
	if err != nil {
		return err
	}
	seconds := after.At.Sub(start.At).Seconds()
	goal := ""
	if !l.quick {
		goal = "≥ 4950"
	}
	l.Add(group, "signals", "signals/s", (probes-before)/seconds, goal)
	l.Add(group, "CPU", "cores", (after.CPU-start.CPU).Seconds()/seconds)
	l.Add(group, "page answered, median", "ms", median(waits))
	l.Add(group, "age of the newest signal on the page, median", "s", median(ages))
	for _, m := range []struct{ name, metric string }{
		{"skipped", "statuspage_probes_skipped_total"}, {"in the outbox at the end", "statuspage_outbox_signals"}, {"unsaved at the end", "statuspage_signals_unsaved"},
	} {
		v, err := p.metric(ctx, m.metric)
		if err != nil {
			return err
		}
		l.Add(group, m.name, "", v)
	}
	return nil
}

func median(values []float64) float64 { return (&report.Figure{Values: values}).Median() }
