package app

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen opens the address, or says in one line what to change.
func Listen(address string) (net.Listener, error) {
	return listenAs(address, "--listen, STATUSPAGE_LISTEN or listen:")
}

// listenOps opens the operator's listener, nil when there is to be none.
func listenOps(address string) (net.Listener, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // No listener is what was asked for.
	}
	return listenAs(address, "--listen-ops, STATUSPAGE_LISTEN_OPS or listen_ops:")
}

// listenAdmin opens the listener of the operators' area, nil when it has none of its own.
func listenAdmin(address string) (net.Listener, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // No listener is what was asked for.
	}
	return listenAs(address, "admin.listen:")
}

func listenAs(address, setting string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address) //nolint:noctx // Returns at once.
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken; choose another with %s in the configuration", address, setting)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("address %s needs more rights; choose a port above 1023 with %s", address, setting)
	case err != nil:
		return nil, fmt.Errorf("address %s can't be opened (%w); choose another with %s", address, err, setting)
	}
	return ln, nil
}
