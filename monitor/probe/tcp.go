package probe

import (
	"context"
	"errors"
	"net/url"
	"statuspage/internal/check"
	"syscall"
)

// TCP connects and hangs up. Whoever accepts is up, whatever it says or does then.
func (p *Prober) TCP(ctx context.Context, c check.Check) Result {
	return once(ctx, c, func(ctx context.Context, _ *Result) error {
		u, err := url.Parse(c.Target)
		if err != nil {
			return &ourError{errors.New("the address is no URL")}
		}
		conn, err := p.dialer(-1).DialContext(ctx, "tcp", addressOf(u)) // No keep-alive for who leaves at once.
		if errors.Is(err, syscall.ECONNRESET) {                         // It was accepted, and reset before we looked. Who does not accept refuses.
			return nil
		}
		if err != nil {
			return ended(ctx, err)
		}
		_ = conn.Close() // It has been accepted.
		return nil
	})
}
