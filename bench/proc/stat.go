// Package proc reads what processes cost from /proc: CPU time and memory as the kernel counts
// them, whatever a process says of itself.
package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc, the same on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Usage is what a process has taken so far.
type Usage struct {
	At  time.Time
	CPU time.Duration // User and system time.
	RSS int64         // Bytes of memory in use now.
}

// Read returns the usage of a process.
func Read(pid int) (Usage, error) {
	u := Usage{At: time.Now()}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, fmt.Errorf("usage of a process: %w", err)
	}
	// The name in parentheses may hold anything; fields are counted from its end.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return u, fmt.Errorf("usage of a process: %d fields in its stat", len(fields))
	}
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return u, fmt.Errorf("CPU time of a process: %w", err)
		}
		u.CPU += time.Duration(n) * tick
	}
	kb, err := field(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:")
	u.RSS = kb << 10
	return u, err
}

// Memory is the machine's memory in bytes.
func Memory() int64 {
	kb, err := field("/proc/meminfo", "MemTotal:")
	if err != nil {
		return 0
	}
	return kb << 10
}

// field reads a number that follows a name in a file of lines.
func field(path, name string) (int64, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	for line := range strings.Lines(string(content)) {
		if rest, is := strings.CutPrefix(line, name); is {
			n, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			return strconv.ParseInt(n, 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s in %s", name, path)
}

// Load is the number of processes that wanted a CPU during the last minute.
func Load() string {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(content), " ")
	return first
}

// CPUModel is what the machine's CPU calls itself.
func CPUModel() string {
	content, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(content)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
