// Package redistest runs a real Redis for tests.
package redistest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const patience = 20 * time.Second

// Server is a Redis of its own, on one port for all its lives.
type Server struct {
	t    testing.TB
	dir  string
	port int
	args []string
	cmd  *exec.Cmd
}

// New starts a Redis that keeps each write on disk; it ends with the test. Without the
// program the test is skipped, or fails where REQUIRE_ALL=1.
func New(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		const text = "NOT TESTED: wants Redis; install it: apt-get install redis-server"
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	s := &Server{t: t, dir: t.TempDir(), port: freePort(t), args: args}
	s.Start()
	t.Cleanup(s.end)
	return s
}

// URL is how to reach it.
func (s *Server) URL() string { return "redis://127.0.0.1:" + strconv.Itoa(s.port) + "/0" }

// Start starts it again, with the data it had.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", append([]string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
	}, s.args...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)); err == nil {
			_ = conn.Close()
			return
		}
	}
	s.t.Fatal("Redis did not start")
}

// Kill ends it as a power cut would.
func (s *Server) Kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait() // It says that it was killed.
}

// Empty removes its data; it must not run.
func (s *Server) Empty() {
	s.t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(s.dir + "/" + e.Name()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Pause lets it stand still, until Resume.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) end() {
	_ = s.cmd.Process.Kill() // It may have ended.
	_ = s.cmd.Wait()
}

func freePort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()                     //nolint:errcheck // Only its number is wanted.
	return ln.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // Of a TCP listener.
}
