package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"statuspage/internal/config"
	"statuspage/monitor/probe"
)

// network is what an agent believes of the network it stands in, as its flags say.
func (o *outpost) network(ca string, guard bool, allow, canary string) (err error) {
	if o.roots, err = rootsOf(ca); err != nil {
		return fmt.Errorf("agent: --ca: %w", err)
	}
	if o.canary, err = config.ParseCanaries(canary); err != nil {
		return fmt.Errorf("agent: --canary: %w", err)
	}
	if !guard && allow == "" {
		return nil
	}
	o.guard = &probe.Guard{}
	if o.guard.Allow, err = config.ParseRanges(allow); err != nil {
		return fmt.Errorf("agent: --allow: %w", err)
	}
	return nil
}

// rootsOf is those of the system and of a file; nil without one.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // Those of the system.
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return roots, nil
}
