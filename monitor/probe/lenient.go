package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// What net/http refuses and both curl and Chromium take, as TestNoStricterThanCurl has it: signs in headers that are
// none, letters behind a status, lengths with words, chunks that end with LF. Only what leads on is looked at.

var errNotHTTP = errors.New("malformed HTTP response")

// readLeniently reads an answer's header for its status, where it redirects to, and how long its body is.
func readLeniently(r *bufio.Reader, req *http.Request) (*http.Response, error) {
	line, err := readLine(r)
	if err != nil {
		return nil, err
	}
	code, err := statusOf(line)
	if err != nil {
		return nil, err
	}
	res := &http.Response{StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header), Request: req}
	for {
		if line, err = readLine(r); err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		if strings.ContainsRune(line, 0) {
			return nil, fmt.Errorf("%w: NUL in a header", errNotHTTP)
		}
		name, value, _ := strings.Cut(line, ":")
		switch name = http.CanonicalHeaderKey(strings.TrimSpace(name)); name {
		case "Location":
			res.Header.Add(name, mended(strings.Map(visible, strings.TrimSpace(value))))
		case "Content-Length", "Transfer-Encoding", "Set-Cookie":
			res.Header.Add(name, strings.Map(visible, strings.TrimSpace(value)))
		}
	}
	body, err := bodyOf(res, r)
	res.Body = io.NopCloser(body)
	return res, err
}

// visible drops what is no letter.
func visible(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

var (
	slashes = regexp.MustCompile(`^(?i)(https?):/+`)
	percent = regexp.MustCompile(`%([0-9A-Fa-f]{2})?`)
)

// mended has the slashes of a location, and %25 for a % that escapes nothing.
func mended(location string) string {
	return percent.ReplaceAllStringFunc(slashes.ReplaceAllString(location, "$1://"), func(found string) string {
		if found == "%" {
			return "%25"
		}
		return found
	})
}

// readLine reads a line without its end, which may be LF alone.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n') // Bounded by who reads the connection.
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return strings.TrimRight(line, "\r\n"), err
}

// statusOf reads "HTTP/", a version, and three digits.
func statusOf(line string) (int, error) {
	protocol, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimLeft(rest, " ")
	if len(protocol) < len("HTTP/1") || !strings.EqualFold(protocol[:len("HTTP/")], "HTTP/") || len(rest) < 3 || len(rest) > 3 && '0' <= rest[3] && rest[3] <= '9' {
		return 0, fmt.Errorf("%w: %q", errNotHTTP, line)
	}
	code, err := strconv.Atoi(rest[:3])
	if err != nil || code < 100 {
		return 0, fmt.Errorf("%w: %q", errNotHTTP, line)
	}
	return code, nil
}

// bodyOf is an answer's body: as chunks, of its length, or until the connection ends.
func bodyOf(res *http.Response, r *bufio.Reader) (io.Reader, error) {
	if res.Request.Method == http.MethodHead || res.StatusCode < 200 || res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusNotModified {
		return http.NoBody, nil
	}
	chunked := false
	for _, codings := range res.Header["Transfer-Encoding"] {
		for coding := range strings.SplitSeq(codings, ",") {
			switch coding = strings.ToLower(strings.TrimSpace(coding)); coding {
			case "chunked":
				chunked = true
			case "identity", "":
			default:
				return http.NoBody, fmt.Errorf("unsupported transfer encoding: %q", coding)
			}
		}
	}
	if chunked {
		return &chunks{r: r}, nil
	}
	length, err := lengthOf(res.Header["Content-Length"])
	if err != nil || length < 0 {
		return r, err
	}
	return &whole{r, length}, nil
}

// lengthOf reads lengths that agree; one beyond any measure is none, which is -1.
func lengthOf(values []string) (int64, error) {
	length := int64(-1)
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			digits := strings.TrimPrefix(strings.TrimSpace(one), "+")
			if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
				digits = digits[:end]
			}
			n, err := strconv.ParseInt(digits, 10, 64)
			switch {
			case errors.Is(err, strconv.ErrRange):
				return -1, nil
			case err != nil || length >= 0 && n != length:
				return -1, fmt.Errorf("bad Content-Length %q", values)
			}
			length = n
		}
	}
	return length, nil
}

// whole is a body of a known length; one that ends before is broken off.
type whole struct {
	r    io.Reader
	left int64
}

// Read reads from the body.
func (w *whole) Read(into []byte) (int, error) {
	if w.left == 0 {
		return 0, io.EOF
	}
	n, err := w.r.Read(into[:min(int64(len(into)), w.left)])
	if w.left -= int64(n); w.left == 0 {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunks is a body in chunks, whose lines may end with LF alone.
type chunks struct {
	r     *bufio.Reader
	chunk whole
	begun bool
	ended bool
	waste int // Bytes around chunks beyond what their size allows, as net/http counts them.
}

// Read reads from the body.
func (c *chunks) Read(into []byte) (int, error) {
	if c.ended {
		return 0, io.EOF
	}
	if c.chunk.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
		if c.ended {
			return 0, io.EOF
		}
	}
	return c.chunk.Read(into)
}

// next begins the next chunk, or ends with the trailer of the last.
func (c *chunks) next() error {
	if c.begun {
		if line, err := c.line(); err != nil || line != "" {
			return errors.Join(err, errors.New("malformed end of a chunk"))
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 62)
	if err != nil {
		return errors.New("invalid byte in chunk length")
	}
	if c.waste = max(0, c.waste+len(line)-16-2*int(min(n, bufferSize))); c.waste > maxWaste {
		return errors.New("chunked encoding contains too much non-data")
	}
	if c.chunk = (whole{c.r, int64(n)}); n > 0 {
		return nil
	}
	for range maxTrailer {
		if line, err = c.line(); err != nil || line == "" {
			c.ended = err == nil
			return err
		}
	}
	return errors.New("malformed trailer: too many lines")
}

const (
	maxTrailer = 100      // Lines behind the last chunk.
	maxWaste   = 16 << 10 // Bytes.
)

func (c *chunks) line() (string, error) {
	line, err := c.r.ReadSlice('\n') // A line that its buffer does not hold is an error.
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return strings.TrimRight(string(line), "\r\n"), err
}
