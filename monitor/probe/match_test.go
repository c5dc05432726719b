package probe

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// n is a number as a configuration has it.
func n(text string) json.Number { return json.Number(text) }

func one(op string, values ...any) []check.Match { return []check.Match{{Op: op, Values: values}} }

func path(name, op string, values ...any) check.Conditions {
	return check.Conditions{JSON: map[string][]check.Match{name: one(op, values...)}}
}

// TestConditionsOfAnAnswer holds what each operator takes and what it refuses, and that both mappings judge alike.
func TestConditionsOfAnAnswer(t *testing.T) {
	t.Parallel()
	const doc = `{"status":"up","n":100,"big":12345678901234567890,"f":1.50,"exp":1e2,"yes":true,"nil":null,"a.b":"dotted","q":{"depth":7,"-x":1},
		"items":[{"id":1,"state":"ok"},{"id":2,"state":"bad"}],"none":[],"tags":["red",5],"text":"fünf!","id":"007"}`
	body := func(op string, values ...any) check.Conditions { return check.Conditions{Body: one(op, values...)} }
	header := func(name, op string, values ...any) check.Conditions {
		return check.Conditions{Header: map[string][]check.Match{name: one(op, values...)}}
	}
	codes := func(from, to int) check.Conditions {
		return check.Conditions{Status: []check.StatusRange{{From: from, To: to}}}
	}
	for _, c := range []struct {
		want   check.Conditions
		body   string
		reason status.Reason
	}{
		{body("contains", "ok"), "all ok", status.None},
		{body("contains", "ok", "fine"), "all fine", status.None},
		{body("contains", "ok"), "bad", status.UnexpectedBody},
		{body("contains", n("5")), "count 5", status.None},
		{body("lacks", "error", "fail"), "all ok", status.None},
		{body("lacks", "error", "fail"), "a fail", status.UnexpectedBody},
		{body("matches", "^a.*k$"), "all ok", status.None},
		{body("matches", "(?s)^a.*k$"), "all\nok", status.None},
		{body("matches", "^b"), "all ok", status.UnexpectedBody},
		{body("lacks_match", "[0-9]"), "all ok", status.None},
		{body("lacks_match", "[0-9]"), "all 5", status.UnexpectedBody},
		{body("equals", "ok"), "\n ok \r\n", status.None},
		{body("equals", "ok"), "okay", status.UnexpectedBody},
		{body("equals", ""), "", status.None},
		{body("size.above", n("3")), "four", status.None},
		{body("size.above", n("4")), "four", status.UnexpectedBody},
		{body("size.at_most", n("4")), "four", status.None},
		{body("size.below", n("4")), "four", status.UnexpectedBody},
		{header("X-Answer", "equals", "forty two"), "", status.None},
		{header("x-answer", "contains", "two"), "", status.None},
		{header("X-Answer", "equals", "42"), "", status.UnexpectedHeader},
		{header("X-Answer", "matches", "^f"), "", status.None},
		{header("X-Answer", "lacks", "three"), "", status.None},
		{header("X-None", "lacks", "three"), "", status.UnexpectedHeader},
		{header("X-None", "present", false), "", status.None},
		{header("X-None", "present", true), "", status.UnexpectedHeader},
		{header("X-Answer", "present", false), "", status.UnexpectedHeader},
		{codes(200, 204), "", status.None},
		{codes(201, 204), "", status.UnexpectedStatus},
		{check.Conditions{Latency: 1}, "", status.Slow},
		{path("status", "equals", "up"), doc, status.None},
		{path("status", "equals", "down"), doc, status.UnexpectedJSON},
		{path("status", "any_of", "down", "up"), doc, status.None},
		{path("status", "not", "down"), doc, status.None},
		{path("status", "not", "down", "up"), doc, status.UnexpectedJSON},
		{path("nowhere", "not", "down"), doc, status.UnexpectedJSON},
		{path("nowhere", "below", n("5")), doc, status.UnexpectedJSON},
		{path("n", "equals", n("100")), doc, status.None},
		{path("n", "equals", n("100.0")), doc, status.None},
		{path("n", "equals", n("1e2")), doc, status.None},
		{path("exp", "equals", n("100")), doc, status.None},
		{path("n", "equals", "100"), doc, status.UnexpectedJSON},
		{path("id", "equals", n("7")), doc, status.UnexpectedJSON},
		{path("id", "equals", "007"), doc, status.None},
		{path("big", "equals", n("12345678901234567890")), doc, status.None},
		{path("big", "equals", n("12345678901234567891")), doc, status.UnexpectedJSON},
		{path("f", "at_least", n("1.5")), doc, status.None},
		{path("f", "above", n("1.5")), doc, status.UnexpectedJSON},
		{path("f", "at_most", n("1.5")), doc, status.None},
		{path("n", "below", n("101")), doc, status.None},
		{path("status", "below", n("101")), doc, status.UnexpectedJSON},
		{path("yes", "equals", true), doc, status.None},
		{path("yes", "equals", "true"), doc, status.UnexpectedJSON},
		{path("nil", "present", false), doc, status.None},
		{path("nil", "present", true), doc, status.UnexpectedJSON},
		{path("nil", "equals", ""), doc, status.UnexpectedJSON},
		{path("nowhere", "present", false), doc, status.None},
		{path("status", "present", true), doc, status.None},
		{path("q.depth", "below", n("10")), doc, status.None},
		{path("q.-x", "equals", n("1")), doc, status.None},
		{path("$['a.b']", "equals", "dotted"), doc, status.None},
		{path("items[0].state", "equals", "ok"), doc, status.None},
		{path("items[-1].id", "equals", n("2")), doc, status.None},
		{path("$.items[*].state", "equals", "ok"), doc, status.UnexpectedJSON},
		{path("$.items[*].id", "below", n("3")), doc, status.None},
		{path("$.items[?@.id==2].state", "equals", "bad"), doc, status.None},
		{path("$..state", "any_of", "ok", "bad"), doc, status.None},
		{path("items", "length.equals", n("2")), doc, status.None},
		{path("items", "length.above", n("2")), doc, status.UnexpectedJSON},
		{path("none", "length.equals", n("0")), doc, status.None},
		{path("text", "length.equals", n("5")), doc, status.None},
		{path("q", "length.at_least", n("2")), doc, status.None},
		{path("n", "length.above", n("0")), doc, status.UnexpectedJSON},
		{path("tags", "contains", "red"), doc, status.None},
		{path("tags", "contains", n("5")), doc, status.None},
		{path("tags", "contains", "5"), doc, status.UnexpectedJSON},
		{path("text", "contains", "ünf"), doc, status.None},
		{path("text", "matches", "^f.*!$"), doc, status.None},
		{path("q", "contains", "depth"), doc, status.UnexpectedJSON},
		{path("$", "length.equals", n("1")), `["x"]`, status.None},
		{path("status", "equals", "up"), "<html>", status.UnexpectedJSON},
		{path("status", "present", false), "<html>", status.UnexpectedJSON},
		{path("status", "equals", "up"), "", status.UnexpectedJSON},
		{path("status", "equals", "up"), doc + "x", status.UnexpectedJSON},
		{path("n", "above", n("1")), `{"n":1e999999999}`, status.None},
		{path("n", "below", n("1")), `{"n":-` + strings.Repeat("9", 100_000) + `}`, status.None},
		{path("n", "equals", n("0")), `{"n":1e-999999999}`, status.None},
		{path("n", "equals", n("0")), `{"n":0e999999999}`, status.None},
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Answer", "forty two")
			if r.Method == http.MethodHead && c.reason != status.UnexpectedStatus && c.want.Latency == 0 && c.want.Status == nil {
				w.WriteHeader(http.StatusTeapot) // Where the answer is looked at, nobody asks with HEAD.
			}
			_, _ = io.WriteString(w, c.body)
		})
		for _, scheme := range []bool{false, true} {
			k := checkOf(url)
			k.Method, k.Timeout = http.MethodHead, 10*time.Second
			k.Expect, k.KeepAlive = c.want, scheme
			r := New(Options{}).asks(t.Context(), k)
			if r.Reason != c.reason || (r.Outcome == status.Down) != (c.reason != status.None) || (r.Err == nil) != (c.reason == status.None) || r.HTTPStatus != http.StatusOK || r.page != nil {
				t.Errorf("%+v of %.40q: %v %v %d (%v), want %v", c.want, c.body, r.Outcome, r.Reason, r.HTTPStatus, r.Err, c.reason)
			}
		}
		k := checkOf(url)
		k.Unless, k.Timeout = c.want, 10*time.Second
		if r := New(Options{}).asks(t.Context(), k); r.Reason != c.reason || (r.Outcome == status.Degraded) != (c.reason != status.None) || !r.Reason.Fits(r.Outcome) {
			t.Errorf("%+v of %.40q: %v %v (%v), want degraded for %v", c.want, c.body, r.Outcome, r.Reason, r.Err, c.reason)
		}
	}
}

// TestStatusIsJudgedFirst holds that an answer with a wrong status is down for that, and one that is no answer for what it was.
func TestStatusIsJudgedFirst(t *testing.T) {
	t.Parallel()
	k := checkOf(serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	k.Expect = check.Conditions{Body: one("contains", "ok")}
	if r := HTTP(t.Context(), k); r.Reason != status.UnexpectedStatus || r.HTTPStatus != http.StatusBadGateway {
		t.Errorf("%v %d", r.Reason, r.HTTPStatus)
	}
	k = checkOf("http://" + refusing(t))
	k.Expect = check.Conditions{Body: one("lacks", "error"), JSON: map[string][]check.Match{"x": one("present", false)}}
	if r := HTTP(t.Context(), k); r.Reason != status.ConnectionRefused || r.Outcome != status.Down {
		t.Errorf("no answer: %v %v", r.Outcome, r.Reason)
	}
}

// TestWhatWasFoundIsCutAndConcealed holds that the operator reads what was expected and found, without what the check sends and in one line.
func TestWhatWasFoundIsCutAndConcealed(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-and-long"
	long := strings.Repeat("x", maxTold-5) + secret + strings.Repeat("y\n\x1b[2J", 1000)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Told", secret)
		_, _ = fmt.Fprintf(w, "%s", long)
	})
	for name, want := range map[string]check.Conditions{
		"body": {Body: one("contains", "ok")}, "header": {Header: map[string][]check.Match{"X-Told": one("equals", "ok", secret+"x")}}, "json": path("x", "equals", "ok"),
	} {
		k := checkOf(url)
		k.Headers, k.Expect = map[string]string{"Authorization": "Bearer " + secret}, want
		r := HTTP(t.Context(), k)
		text := fmt.Sprint(r.Err)
		if r.Outcome != status.Down || !strings.Contains(text, "ok") || strings.Contains(text, secret[:6]) || strings.ContainsAny(text, "\n\x1b") || len(text) > 3*maxTold {
			t.Errorf("%s: %v (%s)", name, r.Outcome, text)
		}
	}
}

// TestBodiesAreBounded holds that what is packed, endless or both costs no more than what is read, and is judged by that.
func TestBodiesAreBounded(t *testing.T) {
	packed := func(coding string, text []byte) []byte {
		var b bytes.Buffer
		var w io.WriteCloser
		switch coding {
		case "gzip":
			w = gzip.NewWriter(&b)
		case "deflate":
			w = zlib.NewWriter(&b)
		default:
			w, _ = flate.NewWriter(&b, flate.BestSpeed)
		}
		_, _ = w.Write(text)
		_ = w.Close()
		return b.Bytes()
	}
	var coding atomic.Pointer[string]
	var sent atomic.Pointer[[]byte]
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if name := *coding.Load(); name != "" {
			w.Header().Set("Content-Encoding", name)
		}
		_, _ = w.Write(*sent.Load())
	})
	noise := make([]byte, 3<<20) // Hardly packs.
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	copy(noise, "it works")
	for name, c := range map[string]struct {
		coding string
		body   []byte
		want   check.Conditions
		reason status.Reason
	}{
		"gzip":              {"gzip", packed("gzip", []byte("it works")), check.Conditions{Body: one("equals", "it works")}, status.None},
		"deflate":           {"deflate", packed("deflate", []byte("it works")), check.Conditions{Body: one("equals", "it works")}, status.None},
		"deflate without":   {"deflate", packed("raw", []byte("it works")), check.Conditions{Body: one("equals", "it works")}, status.None},
		"no gzip":           {"gzip", []byte("it works"), check.Conditions{Body: one("equals", "it works")}, status.Protocol},
		"half a gzip":       {"gzip", packed("gzip", []byte("it works"))[:15], check.Conditions{Body: one("equals", "it works")}, status.Protocol},
		"a bomb":            {"gzip", packed("gzip", make([]byte, 64<<20)), check.Conditions{Body: one("size.at_most", n("1048576"))}, status.UnexpectedBody},
		"more than is read": {"", noise, check.Conditions{Body: one("contains", "it works")}, status.None},
		"more packed":       {"gzip", packed("gzip", noise), check.Conditions{Body: one("contains", "it works")}, status.None},
		"JSON too long":     {"", append([]byte(`{"a":1,"b":"`), bytes.Repeat([]byte("x"), 2<<20)...), path("a", "equals", n("1")), status.UnexpectedJSON},
		"deep JSON":         {"", bytes.Repeat([]byte("["), 1<<19), path("a", "equals", n("1")), status.UnexpectedJSON},
		"BOM":               {"", []byte("\ufeff{\"a\":1}"), path("a", "equals", n("1")), status.None},
	} {
		coding.Store(&c.coding)
		sent.Store(&c.body)
		k := checkOf(url)
		k.Expect, k.Timeout = c.want, 10*time.Second
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := HTTP(t.Context(), k)
		runtime.ReadMemStats(&after)
		if r.Reason != c.reason {
			t.Errorf("%s: %v %v (%.300v), want %v", name, r.Outcome, r.Reason, r.Err, c.reason)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 60<<20 {
			t.Errorf("%s: %d bytes allocated", name, took)
		}
	}
}

func FuzzConditions(f *testing.F) {
	f.Add(`{"a":[1,"x",null]}`, "a[1]", "x")
	f.Add(`[1e999]`, "$[?@>1]", "0")
	f.Fuzz(func(t *testing.T, body, name, value string) {
		if _, err := check.Path(name); err != nil || len(name) > 100 {
			return
		}
		p := &page{body: body, size: len(body), header: http.Header{}}
		for _, op := range []string{"equals", "not", "contains", "above", "length.equals", "present"} {
			for _, v := range []any{value, json.Number("5"), true} {
				_ = p.unmetJSON(teller{}, map[string][]check.Match{name: one(op, v)})
			}
		}
	})
}
