package app

import (
	"statuspage/internal/auth"
	"statuspage/internal/config"
)

// openAuth lets operators and programs in, on a process that shows the page. The demo has neither.
func (a *app) openAuth(cfg *config.Config, demo bool) {
	if !a.roles.web || demo {
		return
	}
	a.auth = auth.New(auth.Options{Store: string(cfg.Control), Off: cfg.Admin.Off, Shared: a.node != nil, Log: a.log})
	a.setTokens(cfg)
}

// setTokens says which tokens the configuration has.
func (a *app) setTokens(cfg *config.Config) {
	if a.auth == nil {
		return
	}
	all := make([]auth.FixedToken, len(cfg.Tokens))
	for i, one := range cfg.Tokens {
		all[i] = auth.FixedToken(one)
	}
	a.auth.SetTokens(all)
}
