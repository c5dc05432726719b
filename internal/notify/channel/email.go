package channel

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"net"
	"net/mail"
	"net/url"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Email is people who get mail.
type Email struct{ To []string }

var emailKind = Kind{
	Name: "email", About: "one mail to all addresses, through the server of `mail:`", Mail: true,
	Keys: []Key{many("to", "addresses", func(e *Email) *[]string { return &e.To }, ParseMailbox).required()},
	Example: `team:
  email: {to: [ops@example.org, boss@example.org]}
`,
	begin: func() How { return new(Email) },
}

// Mail is the server that takes mail for others.
type Mail struct {
	Server string // smtp://user:password@host:port, or smtps://.
	From   string
	DKIM   *DKIM // Nil for mail that the server signs, or nobody.

	roots   *x509.CertPool // Nil: those of the system.
	timeout time.Duration  // 0: sendTimeout.
}

// DKIM is what mail is signed with.
type DKIM struct {
	Domain, Selector string
	Key              string // PEM.
}

// ParseMailbox takes an address of mail, with a name before it or not.
func ParseMailbox(text string) (string, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || status.HasControl(text) {
		return "", errors.New("not an address of mail: write name@example.org")
	}
	if a.Name == "" {
		return a.Address, nil
	}
	return a.String(), nil
}

// ParseMailServer takes the address of a mail server.
func ParseMailServer(text string) (string, error) {
	const want = "write smtp://user:password@host:587, or smtps://user:password@host:465" //nolint:gosec // How one is written.
	u, err := url.Parse(text)
	if err != nil || status.HasControl(text) || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/")+u.RawQuery != "" {
		return "", errors.New("not a mail server: " + want + ", special characters percent-encoded")
	}
	if n, err := strconv.Atoi(cmpPort(u)); err != nil || n < 1 || n > 65535 {
		return "", errors.New("the port is not between 1 and 65535: " + want)
	}
	return text, nil
}

// CheckDKIM refuses what nothing can be signed with.
func CheckDKIM(d *DKIM) error {
	if _, err := gomail.PrivKeyFromPEM([]byte(d.Key)); err != nil {
		return errors.New("not a private key in PEM, of RSA or Ed25519: make one with `openssl genrsa 2048`")
	}
	return nil
}

func cmpPort(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "smtps":
		return "465"
	default:
		return "25"
	}
}

func (m *Mail) secrets() []string {
	u, err := url.Parse(m.Server)
	if err != nil || u.User == nil {
		return nil
	}
	password, _ := u.User.Password()
	return []string{password, u.User.String()}
}

func (e *Email) send(ctx context.Context, via *Via, m Message) error {
	if via.Mail == nil {
		return &Error{text: "there is no mail server: set mail: in the configuration"}
	}
	err := via.Mail.send(ctx, e.To, m)
	of, is := errors.AsType[*Error](err)
	if !is || !of.Final || len(e.To) == 1 {
		return err
	}
	// One who is not there keeps it from nobody else.
	var all []error
	for _, to := range e.To {
		if err := via.Mail.send(ctx, []string{to}, m); err != nil {
			all = append(all, err)
		}
	}
	if len(all) < len(e.To) {
		return nil
	}
	return errors.Join(all...)
}

// send hands one mail over. It went when the server has said so, whatever it says later.
func (s *Mail) send(ctx context.Context, to []string, m Message) error {
	letter, err := s.letter(to, m)
	if err != nil {
		return err
	}
	u, err := url.Parse(s.Server)
	if err != nil {
		return &Error{text: "the address of the mail server can't be read"}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*cmp.Or(s.timeout, sendTimeout))
	defer cancel()
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close() // The library leaves it open when the server's first words are wrong.
		}
	}()
	client, err := s.client(u, func(ctx context.Context, network, address string) (net.Conn, error) {
		d := &net.Dialer{Timeout: sendTimeout}
		c, err := d.DialContext(ctx, network, address)
		if err == nil && u.Scheme == "smtps" {
			c = tls.Client(c, &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, RootCAs: s.roots})
		}
		conn = c
		return c, err
	})
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	err = client.SendWithSMTPClient(session, letter)
	if letter.IsDelivered() {
		_ = client.CloseWithSMTPClient(session) // It has the mail.
		return nil
	}
	if of, is := errors.AsType[*gomail.SendError](err); is {
		return &Error{Final: of.ErrorCode()/100 == 5, text: reply(of)}
	}
	return err
}

// reply is what the server said, without what we know.
func reply(e *gomail.SendError) string {
	text, _, _ := strings.Cut(e.Error(), ", affected message ID")
	return text
}

func (s *Mail) client(u *url.URL, dial gomail.DialContextFunc) (*gomail.Client, error) {
	port, err := strconv.Atoi(cmpPort(u))
	if err != nil {
		return nil, err
	}
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(cmp.Or(s.timeout, sendTimeout)), gomail.WithDialContextFunc(dial), gomail.WithTLSPolicy(gomail.TLSOpportunistic),
		gomail.WithTLSConfig(&tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, RootCAs: s.roots}), gomail.WithHELO(domain(from.Address)), gomail.WithoutNoop(),
	}
	if u.Scheme == "smtps" {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS)) // It is there already.
	}
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, gomail.WithUsername(u.User.Username()), gomail.WithPassword(password),
			// PLAIN and LOGIN refuse to show a password on a wire that others read.
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(u.Hostname(), options...)
}

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

const maxMail = 4 << 20

// letter is the mail, the same in each attempt but for the date of its signature.
func (s *Mail) letter(to []string, m Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(letter.From(s.From), letter.To(to...)); err != nil {
		return nil, &Error{Final: true, text: "an address can't be read"}
	}
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return nil, err
	}
	host := domain(from.Address)
	letter.Subject("[" + oneLine(m.Page) + "] " + m.title())
	letter.SetDateWithValue(m.At)
	letter.SetMessageIDWithValue(m.ID + "@" + host)
	if len(m.Lines) > 0 && m.Lines[0].Batch != "" {
		root := "<alert-" + m.Lines[0].Batch + "@" + host + ">"
		letter.SetGenHeader(gomail.HeaderReferences, root)
		letter.SetGenHeader(gomail.HeaderInReplyTo, root)
	}
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	letter.SetBodyString(gomail.TypeTextPlain, m.body(maxMail, plain)+"\n")
	letter.AddAlternativeString(gomail.TypeTextHTML, m.html())
	if s.DKIM != nil {
		key, err := gomail.PrivKeyFromPEM([]byte(s.DKIM.Key))
		if err != nil {
			return nil, CheckDKIM(s.DKIM)
		}
		signer := gomail.NewDKIMSigner(s.DKIM.Domain, s.DKIM.Selector, key)
		// The library folds a longer list on its way, but signs it as it was: nobody could verify that.
		signer.SignHeaders("From", "To", "Subject", "Date", "Message-ID", "Content-Type", "MIME-Version", "References")
		signer.HeaderCanonicalization(gomail.CanonicalizationRelaxed)
		signer.BodyCanonicalization(gomail.CanonicalizationRelaxed)
		letter.SetDKIM(signer)
	}
	return letter, nil
}

// html is the message as a list with links.
func (m Message) html() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!DOCTYPE html><html lang=\"en\"><body><h1 style=\"font-size:1.2em\">%s</h1><ul>", html.EscapeString(m.title()))
	for _, l := range m.Lines {
		text := html.EscapeString(l.text())
		if at := m.link(l.Service); at != "" {
			text = fmt.Sprintf(`<a href="%s">%s</a>`, html.EscapeString(at), text)
		}
		fmt.Fprintf(&b, "<li>%s</li>", text)
	}
	b.WriteString("</ul>")
	if m.Test {
		fmt.Fprintf(&b, "<p>%s</p>", html.EscapeString(m.body(maxMail, plain)))
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// Test is a message that tells nothing but that it came.
func Test(id, page, at string, now time.Time) Message {
	return Message{ID: id, At: now, Page: page, URL: at, Test: true}
}
