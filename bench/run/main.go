// Command run measures the product: it builds everything, runs the sections one after the
// other, keeps what each gave in a file, and writes the document from all files.
//
//	go run ./bench/run                               # everything; takes hours
//	go run ./bench/run -only http,viewers -runs 3    # these sections; the others stay as they were
//	go run ./bench/run -only probes -quick           # shows that it works; keeps nothing
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"statuspage/bench/report"
	"strings"
	"syscall"
	"time"
)

// part is a section of the table: its name, what it is called, how its figures come about,
// and one run of it, which adds a value to each figure.
type part struct {
	name, title, about string
	measure            func(ctx context.Context, l *lab, run int) error
}

// parts are all sections, in the order of the document.
var parts = []part{
	httpPart, weightPart, viewersPart, cellPart, probesPart, storePart, historyPart, startPart, growthPart, scalePart,
}

// named are sections that run only when they are named: they want what is not of ours.
var named = []part{peersPart}

// options are the flags.
type options struct {
	only, results, docs string
	product             string
	vigil, vigilAssets  string
	runs                int
	quick               bool
	length              time.Duration
	viewers             string
	days, services      int
	render              bool
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	flag.StringVar(&o.only, "only", "", "sections, separated by commas; empty for all of "+strings.Join(names(parts), ","))
	flag.StringVar(&o.results, "results", "bench/results", "folder of what was measured")
	flag.StringVar(&o.docs, "docs", "docs/benchmarks.md", "document to write")
	flag.StringVar(&o.product, "product", "", "binary to measure, instead of building it")
	flag.StringVar(&o.vigil, "vigil", "", "binary of Vigil, for the section peers")
	flag.StringVar(&o.vigilAssets, "vigil-assets", "", "folder of Vigil's assets")
	flag.IntVar(&o.runs, "runs", 3, "runs of each section")
	flag.BoolVar(&o.quick, "quick", false, "little load and time, one run, nothing is kept")
	flag.DurationVar(&o.length, "for", 0, "length of each measurement; 0 leaves it to the section")
	flag.StringVar(&o.viewers, "viewers", "1000,5000,10000,18000", "numbers of viewers")
	flag.IntVar(&o.days, "days", 90, "days of history")
	flag.IntVar(&o.services, "services", 200, "services with that history")
	flag.BoolVar(&o.render, "render", false, "only write the document from what was measured before")
	flag.Parse()
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	if o.quick {
		o.runs = 1
	}
	if o.render {
		return render(o)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := newLab(ctx, o)
	if err != nil {
		return err
	}
	defer l.close()
	var failed error
	for _, p := range chosen {
		if err := l.section(ctx, p); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", p.name, err)
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if o.quick {
		return failed
	}
	return errors.Join(failed, render(o))
}

func names(parts []part) []string {
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = p.name
	}
	return all
}

func choose(only string) ([]part, error) {
	if only == "" {
		return parts, nil
	}
	var chosen []part
	parts := slices.Concat(parts, named)
	for name := range strings.SplitSeq(only, ",") {
		i := slices.Index(names(parts), strings.TrimSpace(name))
		if i < 0 {
			return nil, fmt.Errorf("no section %q; there are %s", name, strings.Join(names(parts), ", "))
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}

// section makes all runs of a part and keeps what they gave.
func (l *lab) section(ctx context.Context, p part) error {
	s := &report.Section{Name: p.name, Title: p.title, About: p.about, When: time.Now(), Runs: l.runs, Quick: l.quick, Machine: l.machine(ctx)}
	l.Section = s
	for n := range l.runs {
		fmt.Fprintf(os.Stderr, "%s: run %d of %d\n", p.name, n+1, l.runs)
		if err := p.measure(ctx, l, n); err != nil {
			return err
		}
	}
	s.Took = time.Since(s.When)
	if err := report.Write(os.Stdout, []*report.Section{s}); err != nil || l.quick {
		return err
	}
	return s.Save(l.results)
}

func render(o options) error {
	sections, err := report.Load(o.results, names(slices.Concat(parts, named)))
	if err != nil {
		return err
	}
	f, err := os.Create(o.docs)
	if err != nil {
		return err
	}
	return errors.Join(report.Write(f, sections), f.Close())
}
