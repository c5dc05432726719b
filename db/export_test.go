package db

// WithPrefix sets the prefix of QuestDB's tables.
func (o Options) WithPrefix(prefix string) Options {
	o.prefix = prefix
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
