package notify

import (
	"context"
	"statuspage/internal/notify/channel"
)

// SendBy puts another way of sending in the place of the channels' own, for tests in virtual time.
func (n *Notifier) SendBy(send func(ctx context.Context, c channel.Channel, m channel.Message) error) {
	n.send = func(ctx context.Context, c channel.Channel, _ *channel.Via, m channel.Message) error {
		return send(ctx, c, m)
	}
}

// ErrorOf makes an error as channels make them.
func ErrorOf(final bool) error { return &channel.Error{Final: final} }
