package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

const (
	startWait = 30 * time.Second
	stopWait  = 15 * time.Second // Then the process is killed.
)

// Process is a running program.
type Process struct {
	Cmd     *exec.Cmd
	Started time.Time // Just before exec.
	Log     *Output
	Ended   chan struct{} // Closed at its end.
	Err     error         // How it ended; to be read then.
}

// Start runs a program in dir, with more in its environment; an empty dir is the present one. The
// end of ctx kills it, and so does that of this process, however it comes about.
func Start(ctx context.Context, dir string, env []string, name string, args ...string) (*Process, error) {
	return startAs(ctx, nil, dir, env, name, args...)
}

// startAs is Start as another user; nil for this one.
func startAs(ctx context.Context, user *syscall.Credential, dir string, env []string, name string, args ...string) (*Process, error) {
	p := &Process{Cmd: exec.CommandContext(ctx, name, args...), Log: &Output{}, Ended: make(chan struct{})}
	p.Cmd.Dir, p.Cmd.Stdout, p.Cmd.Stderr = dir, p.Log, p.Log
	p.Cmd.Env = append(os.Environ(), env...)
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: user}
	p.Started = time.Now()
	if err := p.Cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.Err = p.Cmd.Wait()
		close(p.Ended)
	}()
	return p, nil
}

// PID is its number.
func (p *Process) PID() int { return p.Cmd.Process.Pid }

// Await waits until the output matches, and returns the first group of the match.
func (p *Process) Await(pattern string) (string, error) {
	expr := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(startWait); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if m := expr.FindStringSubmatch(p.Log.String()); m != nil {
			return m[1], nil
		}
		if !p.Alive() {
			break
		}
	}
	return "", fmt.Errorf("%s did not say %q; it said: %s", p.Cmd.Path, pattern, p.Tail())
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

// Tail is the end of its output so far, and how it ended if it did.
func (p *Process) Tail() string {
	if p.Alive() {
		return tail(p.Log.String())
	}
	return fmt.Sprintf("%s (ended: %v)", tail(p.Log.String()), p.Err)
}

// Signal sends it a signal, such as SIGHUP or SIGSTOP.
func (p *Process) Signal(s syscall.Signal) error { return p.Cmd.Process.Signal(s) }

// Kill ends it as a power cut would, as far as it can see.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // It may have ended.
	<-p.Ended
}

// Stop ends it as an operator would, and says how it ended; one that is late is killed.
func (p *Process) Stop(patience time.Duration) error {
	_ = p.Signal(syscall.SIGTERM) // It may have ended.
	select {
	case <-p.Ended:
		return p.Err
	case <-time.After(patience):
		p.Kill()
		return fmt.Errorf("%s does not stop on SIGTERM within %v", p.Cmd.Path, patience)
	}
}

// End is Stop for what has done its work.
func (p *Process) End() {
	if p != nil && p.Alive() {
		_ = p.Stop(stopWait) // Its end is all that counts.
	}
}
