// Package proc starts the processes that are measured, and reads what they cost from
// /proc: CPU time and memory as the kernel counts them, whatever the process says of itself.
package proc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"
)

const (
	startWait = 30 * time.Second
	stopWait  = 15 * time.Second // Then the process is killed.
	logLimit  = 1 << 20          // Bytes of output that are kept, the first ones.
)

// Process is a running program.
type Process struct {
	PID     int
	Started time.Time // Just before exec.

	cmd  *exec.Cmd
	out  *output
	dead chan struct{}
	err  error // How it ended; to be read when dead.
}

// output keeps the first bytes of what a process says.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if room := logLimit - o.b.Len(); room > 0 {
		o.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Start runs a program in dir; an empty dir is the present one. The end of ctx kills it.
func Start(ctx context.Context, dir, name string, args ...string) (*Process, error) {
	p := &Process{out: &output{}, dead: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, name, args...) //nolint:gosec // Programs that we have built.
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.out, p.out
	p.Started = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.PID = p.cmd.Process.Pid
	go func() {
		p.err = p.cmd.Wait()
		close(p.dead)
	}()
	return p, nil
}

// Await waits until the output matches, and returns the first group of the match.
func (p *Process) Await(pattern string) (string, error) {
	expr := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(startWait); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if m := expr.FindStringSubmatch(p.out.String()); m != nil {
			return m[1], nil
		}
		if !p.Alive() {
			break
		}
	}
	return "", fmt.Errorf("%s did not say %q; it said: %s", p.cmd.Path, pattern, tail(p.out.String()))
}

// Alive tells whether the process runs.
func (p *Process) Alive() bool {
	select {
	case <-p.dead:
		return false
	default:
		return true
	}
}

// Log is the end of the output so far, and how the process ended if it did.
func (p *Process) Log() string {
	if p.Alive() {
		return tail(p.out.String())
	}
	return fmt.Sprintf("%s (ended: %v)", tail(p.out.String()), p.err)
}

// Usage is what the process has taken so far, or how it ended.
func (p *Process) Usage() (Usage, error) {
	u, err := Read(p.PID)
	if err != nil {
		err = fmt.Errorf("%w; it said: %s", err, p.Log())
	}
	return u, err
}

// Stop asks the process to end and waits for it; a second call does nothing.
func (p *Process) Stop() {
	if p == nil || !p.Alive() {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // Fails only when it has ended meanwhile.
	select {
	case <-p.dead:
	case <-time.After(stopWait):
		_ = p.cmd.Process.Kill()
		<-p.dead
	}
}

// Output runs a program to its end and returns what it wrote; its complaints pass through.
func Output(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // Programs that we have built.
	var complaints bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, io.MultiWriter(os.Stderr, &complaints)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWait
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", name, err, tail(complaints.String()))
	}
	return out, nil
}

func tail(s string) string { return s[max(0, len(s)-1500):] }
