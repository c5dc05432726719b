package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"statuspage/bench/proc"
	"statuspage/bench/report"
	"statuspage/e2e/harness"
	"strings"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

// lab is where the sections are measured: programs that were built for it, and a folder for
// what they leave behind.
type lab struct {
	options
	*report.Section
	dir string
}

func newLab(ctx context.Context, o options) (*lab, error) {
	dir, err := os.MkdirTemp("", "statuspage-bench-")
	if err != nil {
		return nil, fmt.Errorf("folder for the measurements: %w", err)
	}
	l := &lab{options: o, dir: dir}
	fmt.Fprintln(os.Stderr, "building")
	if err := l.build(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) build(ctx context.Context) error {
	var err error
	if l.options.product != "" {
		_, err = command(ctx, "cp", l.options.product, l.bin("statuspage"))
	} else {
		err = harness.Build(ctx, l.bin("statuspage"), "bench")
	}
	for _, name := range []string{"ceiling", "target", "viewers", "writer", "seed"} {
		if err == nil {
			_, err = command(ctx, "go", "build", "-o", l.bin(name), "./bench/"+name)
		}
	}
	return err
}

func (l *lab) bin(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) close() {
	_ = os.RemoveAll(l.dir) // In the temporary folder a left-over harms nobody.
}

// scratch makes a folder for one measurement; remove it when it is done.
func (l *lab) scratch() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(l.dir, "run-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// pick chooses between the usual and the quick.
func pick[T any](l *lab, usual, quick T) T {
	if l.quick {
		return quick
	}
	return usual
}

// span is the length of a measurement: what the flag says, or what the section thinks.
func (l *lab) span(usual, quick time.Duration) time.Duration {
	if l.length > 0 {
		return l.length
	}
	return pick(l, usual, quick)
}

// stopWait is how long a program may take to end when it is asked to.
const stopWait = 15 * time.Second

// output runs a program to its end and returns what it wrote; its complaints pass through.
func output(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // Programs that we have built.
	var complaints bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, io.MultiWriter(os.Stderr, &complaints)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWait
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", name, err, complaints.String())
	}
	return out, nil
}

// usage is what a process has taken so far, or how it ended.
func usage(p *harness.Process) (proc.Usage, error) {
	u, err := proc.Read(p.PID())
	if err != nil {
		err = fmt.Errorf("%w; it said: %s", err, p.Tail())
	}
	return u, err
}

func (l *lab) machine(ctx context.Context) report.Machine {
	kernel, _ := command(ctx, "uname", "-r")
	commit, _ := command(ctx, "git", "describe", "--tags", "--always", "--dirty")
	m := report.Machine{
		CPU: proc.CPUModel(), Cores: runtime.NumCPU(), MemoryMB: proc.Memory() >> 20, Kernel: kernel, Load: proc.Load(),
		Versions: map[string]string{"Go": strings.TrimPrefix(runtime.Version(), "go"), "Fiber": fiber.Version, "statuspage": commit},
	}
	if out, err := exec.CommandContext(ctx, "wrk", "-v").CombinedOutput(); err != nil && len(out) > 0 { // It says its version and fails.
		if fields := strings.Fields(string(out)); len(fields) > 1 {
			m.Versions["wrk"] = strings.TrimPrefix(fields[1], "debian/")
		}
	}
	if version, err := command(ctx, "chromium", "--version"); err == nil {
		m.Versions["Chromium"] = strings.Fields(strings.TrimPrefix(version, "Chromium "))[0]
	}
	return m
}

// command runs a program in the present folder and returns what it wrote, or an error with
// what it complained about.
func command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // Programs named here.
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, complaints.String())
	}
	return strings.TrimSpace(out.String()), nil
}
