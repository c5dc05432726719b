package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"statuspage/internal/status"
	"strings"
	"syscall"
)

// ourError is a failure before the target could have any part in it.
type ourError struct{ err error }

func (e *ourError) Error() string { return e.err.Error() }
func (e *ourError) Unwrap() error { return e.err }

// ours tells whether an error is a shortage on this machine or a mistake of this program.
func ours(err error) bool {
	var own *ourError
	if errors.As(err, &own) || errors.Is(err, ErrGuarded) {
		return true
	}
	for _, shortage := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOMEM, syscall.ENOBUFS, syscall.EACCES, syscall.EPERM} {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}

// classify finds the public word for an error. Order matters: a deadline shows up inside
// the errors of every phase, and there it is the deadline that counts.
func classify(err error) status.Reason {
	var (
		asked     *askedError
		address   *net.AddrError
		timeout   net.Error
		dns       *net.DNSError
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
	case errors.As(err, &dns):
		return status.DNS
	case errors.As(err, &timeout) && timeout.Timeout():
		return status.Timeout
	case errors.Is(err, errTooManyRedirects):
		return status.TooManyRedirects
	case errors.Is(err, syscall.ECONNREFUSED):
		return status.ConnectionRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return status.Unreachable
	case errors.As(err, &record), errors.As(err, &alert), errors.As(err, &verify), errors.As(err, &authority), errors.As(err, &invalid), errors.As(err, &hostname),
		strings.Contains(err.Error(), "tls: "), strings.Contains(err.Error(), "x509: "),
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return status.TLS // Some of crypto/tls's errors have a text only.
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
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
	"unsupported transfer encoding", "Location header", "chunk", "header line too long", "no Host in request URL",
	"http2: ", "stream error: ", "connection error: ",
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
