package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"statuspage/internal/status"
	"strings"
	"syscall"
	"time"
)

// ourError is a failure before the target could have any part in it.
type ourError struct{ err error }

func (e *ourError) Error() string { return e.err.Error() }
func (e *ourError) Unwrap() error { return e.err }

// shortages are what this machine lacks or forbids when a socket fails; the target has no part in it.
var shortages = []error{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.ENOSPC, syscall.EAGAIN, // Files, memory, watched files.
	syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.ENETDOWN, syscall.EAFNOSUPPORT, // Ports, addresses of ours.
	syscall.EACCES, syscall.EPERM,
}

// short tells whether an error is a shortage on this machine.
func short(err error) bool {
	return slices.ContainsFunc(shortages, func(shortage error) bool { return errors.Is(err, shortage) })
}

// ours tells whether an error is a shortage on this machine or a mistake of this program.
func ours(err error) bool {
	var (
		own   *ourError
		roots x509.SystemRootsError
		dns   *net.DNSError
	)
	switch {
	case errors.As(err, &own), errors.As(err, &roots), errors.Is(err, ErrGuarded), short(err):
		return true
	case errors.As(err, &dns): // It wraps nothing; its text says what happened to the socket.
		return slices.ContainsFunc(shortages, func(shortage error) bool { return strings.Contains(dns.Err, ": "+shortage.Error()) })
	default:
		return false
	}
}

// classify finds the public word for an error. Order matters: a deadline shows up inside
// the errors of every phase, and there it is the deadline that counts.
func classify(err error) status.Reason {
	var (
		asked     *askedError
		address   *net.AddrError
		timeout   net.Error
		dns       *net.DNSError
		code      *rcodeError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
	)
	if errors.As(err, &asked) {
		err = asked.err // Its text has the target's address, whose words say nothing.
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return status.Timeout
	case errors.As(err, &dns), errors.As(err, &code):
		return status.DNS
	case errors.As(err, &timeout) && timeout.Timeout():
		return status.Timeout
	case errors.Is(err, errTooManyRedirects):
		return status.TooManyRedirects
	case errors.Is(err, syscall.ECONNREFUSED):
		return status.ConnectionRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return status.Unreachable
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil && time.Now().After(invalid.Cert.NotAfter), errors.Is(err, errExpired):
		return status.CertificateExpired
	case errors.As(err, &hostname):
		return status.CertificateMismatch
	case errors.As(err, &record), errors.As(err, &alert), errors.As(err, &verify), errors.As(err, &authority), errors.As(err, &invalid),
		strings.Contains(err.Error(), "tls: "), strings.Contains(err.Error(), "x509: "),
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return status.TLS // Some of crypto/tls's errors have a text only.
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errTooManyDials),
		strings.Contains(err.Error(), "http2: client conn could not be established"): // Its server went away before it was asked.
		return status.ConnectionReset
	case errors.Is(err, errRedirectScheme), errors.As(err, &address), isProtocol(err): // A redirect may name any port.
		return status.Protocol
	default:
		return status.Other
	}
}

// askedError is an error of net/http without the address as it was configured, which it puts
// in its texts: that may hold a password.
type askedError struct {
	method, url string
	err         error
}

func (e *askedError) Error() string { return e.method + " " + e.url + ": " + e.err.Error() }
func (e *askedError) Unwrap() error { return e.err }

// notHTTP are signs of net/http's errors about answers that are not HTTP; they have a text only.
var notHTTP = []string{
	"malformed", "net/http: HTTP/1.x transport connection broken", "server response headers exceeded", "bad Content-Length", "invalid header",
	"unsupported transfer encoding", "Location header", "chunk", "header line too long", "no Host in request URL", "reading trailer",
	"http2: ", "stream error: ", "connection error: ",
}

// final are signs of those for which nobody is asked again: what is too much stays too much, and HTTP/2 has no
// letters to forgive.
var final = []string{"malformed body", "exceeded", "too much", "too long", "http2: ", "stream error: ", "connection error: "}

// malformed tells whether an answer in HTTP/1 was refused for its letters, which browsers may forgive.
func malformed(err error) bool {
	return err != nil && !ours(err) && classify(err) == status.Protocol && !errors.Is(err, errRedirectScheme) &&
		!slices.ContainsFunc(final, func(sign string) bool { return strings.Contains(err.Error(), sign) })
}

func isProtocol(err error) bool {
	text := err.Error()
	for _, sign := range notHTTP {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
