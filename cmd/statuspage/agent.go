package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"statuspage/internal/agent"
	"statuspage/internal/app"
	"statuspage/internal/app/outpost"
	"statuspage/internal/config"
	"strings"
)

const (
	envAgentToken = "STATUSPAGE_AGENT_TOKEN"
	// agentOutbox is not the server's, which may run in the same folder.
	agentOutbox = "data/agent-outbox.db"
)

// agent measures here what a server elsewhere wants measured, and hands the signals in.
func (e env) agent(ctx context.Context, args []string) error {
	f := e.flags("agent")
	to := f.String("to", "", "")
	token, file := f.String("token", "", ""), f.String("token-file", "", "")
	outbox, address := f.String("outbox", agentOutbox, ""), f.String("listen", "", "")
	ca, insecure := f.String("ca", "", ""), f.Bool("insecure", false, "")
	guard, allow, canary := f.Bool("guard", false, ""), f.String("allow", "", ""), f.String("canary", "", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return errors.New("agent: more is said than flags; `statuspage help` lists them") // What it is may be a token.
	}
	if *to == "" {
		return errors.New("agent: name the server with --to https://status.example")
	}
	server, open, err := agent.ParseServer(*to)
	if err != nil {
		return fmt.Errorf("agent: --to: %w", err)
	}
	log := slog.New(slog.NewTextHandler(e.stderr, nil))
	if *token != "" {
		log.Warn("others on this machine can read a token on the command line; write it to a file and name that with --token-file, or set " + envAgentToken)
	}
	switch {
	case open && !*insecure:
		return errors.New("agent: --to: over http anybody on the way can read the token and the checks' secrets: use https, or add --insecure")
	case open:
		log.Warn("over http anybody on the way can read the token and the checks' secrets; use https")
	}
	secret, err := e.agentToken(*token, *file)
	if err != nil {
		return err
	}
	o := outpost.Options{Server: server, Token: secret, Outbox: *outbox, Log: log, Version: buildVersion()}
	if err := network(&o, *ca, *guard, *allow, *canary); err != nil {
		return err
	}
	if *address != "" {
		if o.Listener, err = app.Listen(*address); err != nil {
			return err
		}
		defer o.Listener.Close() //nolint:errcheck // Closed by the server in the usual case.
	}
	e.smallHeap()
	return outpost.Run(ctx, o)
}

// agentToken is that of the command line, of the file, or of the environment.
func (e env) agentToken(flag, file string) (string, error) {
	token, from := e.getenv(envAgentToken), envAgentToken
	switch {
	case flag != "" && file != "":
		return "", errors.New("agent: --token and --token-file both name a token: leave one out")
	case flag != "":
		token, from = flag, "--token"
	case file != "":
		body, err := os.ReadFile(file)
		if why, named := errors.AsType[*fs.PathError](err); named {
			err = why.Err // Without the name, which may be a token in the wrong place.
		}
		if err != nil {
			return "", fmt.Errorf("agent: --token-file: %w", err)
		}
		token, from = strings.TrimSpace(string(body)), "--token-file"
	case token == "":
		return "", errors.New("agent: no token: set " + envAgentToken + " or --token-file to the one that the server has for this region")
	}
	token, err := config.ParseToken(token)
	if err != nil {
		return "", fmt.Errorf("agent: %s: %w", from, err)
	}
	return token, nil
}

// network is what an agent believes of the network it stands in, as its flags say.
func network(o *outpost.Options, ca string, guard bool, allow, canary string) (err error) {
	if o.Roots, err = rootsOf(ca); err != nil {
		return fmt.Errorf("agent: --ca: %w", err)
	}
	if o.Canary, err = config.ParseCanaries(canary); err != nil {
		return fmt.Errorf("agent: --canary: %w", err)
	}
	if !guard && allow == "" {
		return nil
	}
	o.Guard = &config.Guard{}
	if o.Guard.Allow, err = config.ParseRanges(allow); err != nil {
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
