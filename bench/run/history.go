package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"statuspage/bench/report"
	"time"
)

var historyPart = part{
	name: "history", title: "History", measure: measureHistory,
	about: "`bench/seed` makes up the past of all services, one signal a minute. Then the product starts on it, and once more: the first time files may have to come from the disk, and QuestDB has just been started itself. Pages are asked for one after the other on a kept connection, " +
		"gzipped; days are of services and dates by chance, each asked once, so that nothing is answered from a cache. The pages of a day and of 90 days are asked in turns.",
}

// historySection is the measuring of its section, with what the lab has.
type historySection struct{ *lab }

func measureHistory(ctx context.Context, in *lab, run int) error {
	l := historySection{in}
	target, end, err := l.target(ctx)
	if err != nil {
		return err
	}
	defer end()
	s := spec{services: pick(l.lab, l.services, 20), interval: time.Minute, target: target, seedDays: pick(l.lab, l.days, 3)}
	if err := l.past(ctx, "sqlite", s, run); err != nil {
		return err
	}
	q, endQuestDB, err := l.questdb(ctx, filepath.Join(l.dir, "history-server"))
	if err != nil {
		return err
	}
	defer endQuestDB()
	s.database = q.URL()
	if err := l.past(ctx, "questdb", s, run); err != nil {
		return err
	}
	if run > 0 {
		return nil
	}
	return l.questDBSize(ctx, q, s)
}

// past measures one engine; the first run makes up the past for all.
func (l historySection) past(ctx context.Context, engine string, s spec, run int) error {
	dir := filepath.Join(l.dir, "history-"+engine)
	group := fmt.Sprintf("%s, %d services, %d days", map[string]string{"sqlite": "SQLite", "questdb": "QuestDB"}[engine], s.services, s.seedDays)
	if run == 0 {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
		begun := time.Now()
		if err := l.prepare(ctx, dir, s); err != nil {
			return err
		}
		l.Add(group, "making up the past", "s", time.Since(begun).Seconds())
		if engine == "sqlite" {
			size, err := diskOf(dir, "statuspage.db")
			if err != nil {
				return err
			}
			l.Add(group, "on disk, all tables", "bytes a signal", float64(size)/float64(s.services*s.seedDays*24*60))
		} else if err := settle(ctx, s); err != nil {
			return err
		}
	} else if err := os.WriteFile(filepath.Join(dir, "statuspage.yaml"), []byte(s.yaml(dir)), 0o600); err != nil {
		return err // The port of QuestDB is another one.
	}
	// Files that nobody has read lately, sums to be folded, a QuestDB that has just been started itself.
	first, err := l.startOnPast(ctx, dir, group, ", the first time", "", s)
	if err != nil {
		return err
	}
	first.End()
	p, err := l.startOnPast(ctx, dir, group, "", "< 1.5", s)
	if err != nil {
		return err
	}
	defer p.End()
	taken, err := usage(p.Process)
	if err != nil {
		return err
	}
	l.Add(group, "memory after the start", "MiB", float64(taken.RSS)/(1<<20))
	return l.look(ctx, p, group, engine)
}

// startOnPast measures a start up to the complete page.
func (l historySection) startOnPast(ctx context.Context, dir, group, which, goal string, s spec) (*product, error) {
	p, err := l.product(ctx, dir, s)
	if err != nil {
		return nil, err
	}
	err = p.awaitFilled(ctx)
	filled := time.Since(p.Started)
	if err != nil {
		p.End()
		return nil, err
	}
	shown, err := p.complete(ctx)
	if err != nil {
		p.End()
		return nil, err
	}
	l.Add(group, "start → all read"+which, "s", filled.Seconds())
	l.Add(group, "start → complete page"+which, "s", max(filled, shown).Seconds(), goal)
	return p, nil
}

// settle gives the views of a store that was just filled the time to follow.
func settle(ctx context.Context, _ spec) error {
	select {
	case <-time.After(10 * time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// look asks for what visitors look at.
func (l historySection) look(ctx context.Context, p *product, group, engine string) error {
	goal := map[string]string{"sqlite": "< 60", "questdb": "< 30"}[engine]
	times := pick(l.lab, 200, 30)
	any1 := func() string { return p.spec.service(1 + rand.IntN(p.spec.services)).ID }
	day := func() string {
		back := 1 + rand.IntN(max(1, p.spec.seedDays-2))
		return time.Now().UTC().AddDate(0, 0, -back).Format(time.DateOnly)
	}
	for _, c := range []struct {
		name, goal string
		path       func(i int) string
		times      int
	}{
		{"a day of a service", goal, func(int) string { return "/services/" + any1() + "/" + day() }, times},
		{"a service's page, with its 90 days", goal, func(i int) string { return "/services/" + p.spec.service(1+i%p.spec.services).ID }, min(times, p.spec.services)},
		{"badge of the uptime in 90 days", goal, func(int) string { return "/badge/" + any1() + "/uptime.svg?window=90d" }, times},
		{"badge of the latency in 90 days", goal, func(i int) string {
			return "/badge/" + p.spec.service(1+i%p.spec.services).ID + "/latency.svg?window=90d&percentile=99"
		}, min(times, p.spec.services)},
	} {
		ms, err := l.ask(ctx, p, c.path, c.times)
		if err != nil {
			return err
		}
		l.Add(group, c.name+", p50", "ms", report.Quantile(ms, 0.5))
		l.Add(group, c.name+", p99", "ms", report.Quantile(ms, 0.99), c.goal)
	}
	windows := []string{"/?window=24h", "/?window=90d"}
	ms := [2][]float64{}
	for range 2 { // Drawn before, as for all visitors but the first.
		if _, err := l.ask(ctx, p, func(i int) string { return windows[i%2] }, 4); err != nil {
			return err
		}
	}
	for i := range 2 * pick(l.lab, 1000, 100) {
		one, err := l.ask(ctx, p, func(int) string { return windows[i%2] }, 1)
		if err != nil {
			return err
		}
		ms[i%2] = append(ms[i%2], one...)
	}
	p99 := [2]float64{}
	for i, name := range []string{"page of a day", "page of 90 days"} {
		slices.Sort(ms[i])
		p99[i] = report.Quantile(ms[i], 0.99)
		l.Add(group, name+", p50", "ms", report.Quantile(ms[i], 0.5))
		l.Add(group, name+", p99", "ms", p99[i])
	}
	l.Add(group, "page of 90 days ÷ page of a day, p99", "×", p99[1]/p99[0], "≤ 1.2")
	return nil
}

// ask asks so many times and returns the waits in milliseconds, sorted.
func (l historySection) ask(ctx context.Context, p *product, path func(i int) string, times int) ([]float64, error) {
	var ms []float64
	refused := 0
	for i := range times {
		url := p.URL + path(i)
		begun := time.Now()
		a, err := fetch(ctx, url, "Accept-Encoding", "gzip")
		if err != nil {
			return nil, err
		}
		ms = append(ms, time.Since(begun).Seconds()*1000)
		if a.code != http.StatusOK {
			refused++
		}
	}
	if refused > 0 {
		l.Note("%d of %d requests like %s were not answered with 200.", refused, times, path(0))
	}
	slices.Sort(ms)
	return ms, nil
}

func (l historySection) questDBSize(ctx context.Context, q *questdb, s spec) error {
	group := fmt.Sprintf("QuestDB, %d services, %d days", s.services, s.seedDays)
	rows, err := q.query(ctx, "SELECT sum(diskSize), sum(numRows) FROM table_partitions('signals') WHERE active = false")
	if err != nil {
		return err
	}
	if len(rows) == 1 && len(rows[0]) == 2 {
		size, _ := rows[0][0].(float64) // NULL where there is one day only.
		n, _ := rows[0][1].(float64)
		if n > 0 {
			l.Add(group, "on disk, table of signals, closed days", "bytes a signal", size/n, "≤ 45")
		}
	}
	all, err := diskOf(filepath.Join(q.Dir, "data", "db"), "signals")
	if err != nil {
		return err
	}
	l.Add(group, "on disk, tables, views and logs", "bytes a signal", float64(all)/float64(s.services*s.seedDays*24*60))
	return nil
}
