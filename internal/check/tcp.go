package check

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// TCP is the settings of a check that connects: none so far.
type TCP struct{}

var tcpKind = Kind{
	Name:    "tcp",
	About:   "connects, and hangs up; a name with several addresses is up when one of them accepts",
	Schemes: []Scheme{{"tcp", "tcp://host:port", false}},
	Keys:    append(matchers(latency), degradedAfter),
	Example: `- name: Database
  url: tcp://db.example.org:5432
  degraded_after: 200ms
`,
	blank:   func() How { return new(TCP) },
	begin:   func() How { return new(TCP) },
	address: hostAndPort,
}

func (*TCP) kind() string      { return "tcp" }
func (*TCP) clone() How        { return new(TCP) }
func (*TCP) valid() error      { return nil }
func (*TCP) secrets() []string { return nil }

// hostAndPort takes addresses that have nothing else, and brings them into their one form.
func hostAndPort(u *url.URL) error {
	switch {
	case u.User != nil:
		return errors.New("has a user, whom nobody is told: write " + u.Scheme + "://host:port")
	case u.Port() == "":
		return errors.New("no port: write " + u.Scheme + "://host:port")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery:
		return errors.New("has a path or a query, which nobody asks for: write " + u.Scheme + "://host:port")
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return err
	}
	*u = url.URL{Scheme: u.Scheme, Host: net.JoinHostPort(strings.ToLower(u.Hostname()), strconv.Itoa(port))}
	return nil
}
