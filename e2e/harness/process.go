package harness

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"
)

// Process is a running product, or an agent.
type Process struct {
	T       *testing.T
	Cmd     *exec.Cmd
	Started time.Time
	URL     string // Where it listens, when Listens has found out.
	Log     *Output
	Ended   chan struct{}
	Err     error // Of the process, when it has ended.
}

// Launch runs the binary in dir with more in its environment. The process ends with the test.
func Launch(t *testing.T, dir string, env []string, args ...string) *Process {
	t.Helper()
	return LaunchUnder(t, nil, dir, env, args...)
}

// LaunchUnder is Launch with a command before the binary, which it gets as its last arguments.
func LaunchUnder(t *testing.T, command []string, dir string, env []string, args ...string) *Process {
	t.Helper()
	path, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	command = append(append(slices.Clone(command), path), args...)
	p := &Process{T: t, Cmd: exec.Command(command[0], command[1:]...), Log: &Output{}, Ended: make(chan struct{})}
	p.Cmd.Dir, p.Cmd.Stdout, p.Cmd.Stderr = dir, p.Log, p.Log
	p.Cmd.Env = append(append(os.Environ(), "STATUSPAGE_CONFIG=", "STATUSPAGE_DATABASE_URL="), env...)
	p.Started = time.Now()
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.Err = p.Cmd.Wait()
		close(p.Ended)
	}()
	t.Cleanup(p.Kill)
	return p
}

var listening = regexp.MustCompile(`url=(http://\S+)`)

// Listens tells whether the log says where.
func (p *Process) Listens() bool {
	m := listening.FindStringSubmatch(p.Log.String())
	if m != nil {
		p.URL = m[1]
	}
	return m != nil
}

// Alive tells whether it has not ended.
func (p *Process) Alive() bool {
	select {
	case <-p.Ended:
		return false
	default:
		return true
	}
}

// Kill ends the process as a power cut would, as far as it can see.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // It may have ended.
	<-p.Ended
}

// Stop ends it as an operator would, and returns how long that took.
func (p *Process) Stop(patience time.Duration) time.Duration {
	p.T.Helper()
	began := time.Now()
	_ = p.Cmd.Process.Signal(syscall.SIGTERM) // It may have ended.
	select {
	case <-p.Ended:
	case <-time.After(patience):
		p.T.Fatal("does not stop on SIGTERM")
	}
	if p.Err != nil {
		p.T.Errorf("after SIGTERM: %v", p.Err)
	}
	return time.Since(began)
}
