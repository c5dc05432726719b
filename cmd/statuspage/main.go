// Command statuspage is a public status page and the prober behind it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // Images without a zone database show local days all the same.
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = ""

func main() {
	noCore()
	log.SetOutput(io.Discard) // net/http tells there what targets say unasked: in their words, without a bound.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	if err == nil {
		return
	}
	if !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, "statuspage:", err)
	}
	if of, is := errors.AsType[exitError](err); is {
		os.Exit(of.code)
	}
	os.Exit(1)
}

// errReported ends a command whose output has told all there is to say.
var errReported = errors.New("reported")

// exitError ends the program with another code than 1.
type exitError struct {
	error
	code int
}

// Unwrap lets errReported be found.
func (e exitError) Unwrap() error { return e.error }

const usage = `statuspage is a public status page and the prober behind it.

  statuspage serve [--config FILE] [--listen ADDR] [--listen-ops ADDR] [--database URL] [--role ROLES] [URL…]
  statuspage agent --to URL [--token-file FILE] [--ca FILE] [--outbox FILE] [--listen ADDR]
                   [--canary LIST] [--guard] [--allow LIST] [--insecure]
                                        measures elsewhere and hands in over HTTPS; STATUSPAGE_AGENT_TOKEN
  statuspage demo [--listen ADDR]       sample targets, checked every two seconds
  statuspage probe NAME|URL             probe once; exit status 0 when available, 1 when not
  statuspage admin invite [--role viewer|author|admin]
                                        print a link by which one person becomes an operator
  statuspage admin token --name NAME --scopes LIST [--expires 90d|2027-01-31]
                                        print a token for a program
  statuspage config check|print         check the configuration, or print it with its defaults
  statuspage alert test CHANNEL         send a message that says that it is a test
  statuspage alert explain SERVICE      which rules are about it, and what was told when
  statuspage import TOOL FILE… [-o DIR] [--strict] [--slow degraded] [--report text|json]
                                        turn a configuration of gatus, kuma, upptime, blackbox or prometheus into ours
  statuspage healthcheck [--listen ADDR]
  statuspage incident open --title T [--text MARKDOWN] [--service ID=STATE]… [--status PHASE] [--draft] [--notice]
  statuspage incident update ID [--text MARKDOWN] [--status PHASE] [--service ID=STATE]… [--publish]
  statuspage incident resolve ID [--text MARKDOWN]
  statuspage incident list [--all] [--drafts] | show ID
  statuspage maintenance plan --title T --at 2026-12-01T03:00 --zone Europe/Berlin --for 30m [--rrule RULE] [--service ID]… [--text MARKDOWN]
  statuspage maintenance plan --now --for 20m [--title T] [--service ID]… [-- COMMAND]
                                        ends with the command, and with its exit status
  statuspage maintenance list [--all] | end ID | cancel ID [--occurrence 20261201T0300]
                                        on a running server: --to URL [--insecure]; STATUSPAGE_TOKEN
  statuspage version

The configuration is statuspage.yaml, or what --config or STATUSPAGE_CONFIG names.
`

// run is the command line without the process around it.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	command := "serve"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	e := env{getenv: getenv, stdout: stdout, stderr: stderr}
	switch command {
	case "serve":
		return e.serve(ctx, args)
	case "agent":
		return e.agent(ctx, args)
	case "demo":
		return e.demo(ctx, args)
	case "probe":
		return e.probe(ctx, args)
	case "admin":
		return e.admin(ctx, args)
	case "config":
		return e.config(args)
	case "alert":
		return e.alert(ctx, args)
	case "import":
		return e.importConfig(args)
	case "healthcheck":
		return e.healthcheck(ctx, args)
	case "incident":
		return e.incident(ctx, args)
	case "maintenance":
		return e.maintenance(ctx, args)
	case "version":
		_, err := fmt.Fprintln(stdout, "statuspage", buildVersion())
		return err
	case "help":
		_, err := io.WriteString(stdout, usage)
		return err
	default:
		return fmt.Errorf("unknown command %q; `statuspage help` lists them", command)
	}
}

// env is what a command has of the world.
type env struct {
	getenv         func(string) string
	stdout, stderr io.Writer
}

// flags returns a flag set that reports its mistakes as an error instead of exiting.
func (e env) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

// parse parses the flags; asked for help it prints it.
func (e env) parse(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = io.WriteString(e.stdout, usage)
		return errReported
	}
	if err != nil {
		return fmt.Errorf("%s: %w; `statuspage help` lists the flags", f.Name(), err)
	}
	return nil
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "dev"
}

// smallHeap collects garbage when the heap has grown by half, not by all of it: little is thrown away
// a second, so that it costs next to nothing, and most of the heap is the board and the
// pages, which stay. GOGC says otherwise.
func (e env) smallHeap() {
	if e.getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// noCore keeps memory, which holds secrets, out of files: 0 would be enough for a file, 1 keeps a collector of
// core dumps from getting one too (core(5)).
func noCore() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1, Max: 1}) // Less is always allowed.
}
