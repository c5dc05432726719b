package db

import "time"

// WithPrefix sets the prefix of QuestDB's tables.
func (o Options) WithPrefix(prefix string) Options {
	o.prefix = prefix
	return o
}

// WithGap sets the time between batches that are not full.
func (o Options) WithGap(gap time.Duration) Options {
	o.gap = gap
	return o
}

// Proxy is proxy, for the external tests.
type Proxy = proxy

// Address is where the proxy listens.
func (p *proxy) Address() string { return p.address }

// NewProxy, Up and Down are the means of Proxy.
var (
	NewProxy = newProxy
	Up       = (*proxy).up
	Down     = (*proxy).down
)
