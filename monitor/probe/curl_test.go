package probe

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"testing"
	"time"
)

// otherwise are odd answers with which Chromium (156, by its DevTools) does not get where curl does, so that
// nobody need.
var otherwise = map[string]bool{
	"304": true, "407": true, "two lengths": true, "header of 290 KB": true, "302 to two places": true, // Refused.
	"300 with a location": true, "302 folded": true, // The answer itself; followed.
}

// notOurs are answers that both get through and we don't, on purpose.
var notOurs = map[string]string{
	"cut in a line":        "the server broke off in the header, and browsers show an empty page: nobody was served",
	"cut in the header":    "as above",
	"status line only":     "as above",
	"302 to an odd number": "127.1 is an address to some machines' resolvers only",
	"302 to a name with _": "names below .localhost are for browsers on one's own machine",
}

// tool is the path of a program that the test compares with.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("REQUIRE_ALL") == "1" || os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skip("NOT TESTED: ", err)
	}
	return path
}

// oddServer says text to who asks for /, redirects /N to /N-1, and says 203 to all other paths.
func oddServer(text string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		text := text
		if n, err := strconv.Atoi(req.URL.Path[1:]); err == nil && n > 0 {
			text = redirectTo("/" + strconv.Itoa(n-1))
		} else if req.URL.Path != "/" {
			text = "HTTP/1.1 203 There\r\nContent-Length: 2\r\n\r\nhi"
		}
		host := c.LocalAddr().String()
		_, port, _ := net.SplitHostPort(host)
		words := []string{"{host}", host, "{port}", port}
		if _, is := c.(*tls.Conn); is {
			words = append(words, "http:", "https:", "HTTP:", "HTTPS:")
		}
		_, _ = io.WriteString(c, strings.NewReplacer(words...).Replace(text))
	}
}

// told is what curl makes of a server.
type told struct{ exit, code int }

// askCurl asks servers by name, following redirects. One process does for many; it ends where its memory does.
func askCurl(t *testing.T, servers map[string]string) map[string]told {
	t.Helper()
	curl, all := tool(t, "curl"), map[string]told{}
	for len(all) < len(servers) {
		args, names := []string{"-sL", "-m", "20", "-w", `%{urlnum} %{exitcode} %{http_code}\n`}, []string(nil)
		for name, address := range servers {
			if _, asked := all[name]; !asked {
				names, args = append(names, name), append(args, "-o", os.DevNull, address)
			}
		}
		out, err := exec.CommandContext(t.Context(), curl, args...).Output() // Its status is that of the last.
		if len(out) == 0 {
			t.Fatalf("curl says nothing: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			var n int
			var of told
			if _, err := fmt.Sscan(line, &n, &of.exit, &of.code); err != nil {
				t.Fatalf("curl says %q: %v", line, err)
			}
			all[names[n]] = of
		}
	}
	return all
}

// TestNoStricterThanCurl holds that odd servers which curl and Chromium get through to are not down.
func TestNoStricterThanCurl(t *testing.T) {
	t.Parallel()
	server, roots := pair(t)
	servers := map[string]string{}
	for name, text := range odd {
		servers[name] = raw(t, oddServer(text)) + "/"
	}
	curl := askCurl(t, servers)
	for name, plain := range servers {
		of := curl[name]
		why, but := notOurs[name]
		if but && of.exit != 0 {
			t.Errorf("%s: curl does not get through either: %d (%s)", name, of.exit, why)
		}
		ln, err := tls.Listen("tcp", "127.0.0.1:0", server)
		if err != nil {
			t.Fatal(err)
		}
		accept(t, ln, oddServer(odd[name]))
		for way, check := range map[string]httpCheck{"http": checkOf(plain), "https": checkOf("https://" + ln.Addr().String() + "/"), "kept": checkOf(plain)} {
			check.Method, check.KeepAlive, check.Timeout = http.MethodGet, way == "kept", 10*time.Second
			switch r := trusting(roots).asks(t.Context(), check); {
			case but && r.Outcome != status.Down:
				t.Errorf("%s, %s: %v, though %s", name, way, r.Outcome, why)
			case !but && of.exit == 0 && !otherwise[name] && r.HTTPStatus != of.code:
				t.Errorf("%s, %s: %d (%v), curl is told %d", name, way, r.HTTPStatus, r.Err, of.code)
			}
		}
	}
}

// TestBothRefuse holds the other side: what neither curl nor Chromium takes is down.
func TestBothRefuse(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"101", "NUL in a value", "SMTP", "SSH", "a page without a header", "bad chunk", "cut chunk", "garbage", "length too great", "no last chunk",
		"last chunk without end", "nothing", "100 and no more", "302 to [::1", "302 to a bad port", "302 with a colon", "header of 400 KB",
	} {
		check := checkOf(raw(t, oddServer(odd[name])) + "/")
		check.Method = http.MethodGet
		if r := HTTP(t.Context(), check); r.Outcome != status.Down || odd[name] == "" && name != "nothing" {
			t.Errorf("%s: %v %d (%v), want down", name, r.Outcome, r.HTTPStatus, r.Err)
		}
	}
}

// TestWhatIsOverlookedIsTold holds that the private text says what was forgiven.
func TestWhatIsOverlookedIsTold(t *testing.T) {
	t.Parallel()
	check := checkOf(raw(t, oddServer(odd["name beyond ASCII"])))
	if r := HTTP(t.Context(), check); r.Outcome != status.Up || r.Err == nil || !strings.Contains(r.Err.Error(), "overlooked") || !strings.Contains(r.Err.Error(), "malformed MIME header") {
		t.Errorf("%v: %v, want up and what was wrong", r.Outcome, r.Err)
	}
}

// TestOldCiphers holds that servers which have nothing better than RSA's key exchange are no more down than in browsers.
func TestOldCiphers(t *testing.T) {
	t.Parallel()
	server, roots := pair(t)
	for _, suite := range forwardSecretLacks {
		old := server.Clone()
		old.CipherSuites, old.MaxVersion = []uint16{suite}, tls.VersionTLS12
		url, _ := target(t, hostile{behave: func(c *taken) { c.say(ok + "Content-Length: 0\r\n\r\n") }}, old)
		if r := trusting(roots).asks(t.Context(), checkOf(url)); r.Outcome != status.Up {
			t.Errorf("%s: %v (%v), want up", tls.CipherSuiteName(suite), r.Outcome, r.Err)
		}
	}
}

// TestRenegotiation has OpenSSL ask for another handshake once it knows the path, as servers do which want certificates
// for some.
func TestRenegotiation(t *testing.T) {
	t.Parallel()
	openssl := tool(t, "openssl")
	server, roots := pair(t)
	file := filepath.Join(t.TempDir(), "pair.pem")
	if err := os.WriteFile(file, pairPEM(t, server), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), openssl, "s_server", "-accept", "127.0.0.1:0", "-cert", file, "-key", file, "-tls1_2", "-naccept", "1")
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines, ready := bufio.NewScanner(out), make(chan string, 1)
	go func() {
		for lines.Scan() {
			switch text := lines.Text(); {
			case strings.HasPrefix(text, "ACCEPT"):
				ready <- strings.TrimSpace(strings.TrimPrefix(text, "ACCEPT"))
			case strings.HasPrefix(text, "HEAD "):
				_, _ = io.WriteString(in, "R\n")
			case strings.HasPrefix(text, "SSL_do_handshake"):
				_, _ = io.WriteString(in, ok+"Content-Length: 0\r\n\r\n")
			}
		}
	}()
	address := <-ready
	if r := trusting(roots).asks(t.Context(), checkOf("https://"+address+"/")); r.Outcome != status.Up {
		t.Errorf("%v (%v), want up", r.Outcome, r.Err)
	}
}

// pairPEM has a server's certificate and key as OpenSSL reads them.
func pairPEM(t *testing.T, server *tls.Config) []byte {
	t.Helper()
	both := server.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(both.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: both.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
}
