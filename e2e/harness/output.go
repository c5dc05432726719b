package harness

import (
	"bytes"
	"sync"
)

// Output is what a process says, or a stream.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// tail is the end of what was said.
func tail(s string) string { return s[max(0, len(s)-1500):] }
