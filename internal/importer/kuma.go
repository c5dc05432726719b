package importer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
)

// monitor is one of Uptime Kuma, of a backup or of its database. Anything of it may be missing.
type monitor struct {
	all  map[string]any // By its names in the backup; those of the database are brought to them.
	line int
}

func (m monitor) text(key string) string {
	switch v := m.all[key].(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (m monitor) number(key string) float64 {
	n, err := strconv.ParseFloat(m.text(key), 64)
	if err != nil || n < 0 || n > 1e9 {
		return 0
	}
	return n
}

func (m monitor) is(key string) bool { return m.text(key) == "true" || m.number(key) > 0 }

// readKuma reads a backup or a database of Uptime Kuma.
func readKuma(i *importing, path string) error {
	body, err := head(path, 16)
	if err != nil {
		return err
	}
	var all []monitor
	if bytes.HasPrefix(body, []byte("SQLite format 3\x00")) {
		all, err = i.kumaDatabase(path)
	} else {
		all, err = i.kumaBackup(path)
	}
	if err != nil {
		return err
	}
	byID := map[string]monitor{} // Groups.
	for _, m := range all {
		if m.text("type") == "group" {
			byID[m.text("id")] = m
		}
	}
	i.defaults.set(raw("true"), "hide_url")
	i.because = "Uptime Kuma shows an address only where a status page is told to."
	for _, m := range all {
		i.kuma(path, m, byID)
	}
	return nil
}

// kumaBackup reads the JSON that Uptime Kuma 1.x exports.
func (i *importing) kumaBackup(path string) (all []monitor, err error) {
	body, err := readFile(path)
	if err != nil {
		return nil, err
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, fmt.Errorf("%s: neither a backup (JSON) nor a kuma.db of Uptime Kuma", visible(path))
	}
	counted, line, found := 0, 1, false
	lineAt := func(offset int64) int {
		to := int(offset)
		for to < len(body) && strings.ContainsRune(", \t\r\n", rune(body[to])) {
			to++
		}
		line += bytes.Count(body[counted:to], []byte("\n"))
		counted = to
		return line
	}
	cutShort := func() error {
		return fmt.Errorf("%s:%d: not JSON, or no monitors from here on", visible(path), lineAt(d.InputOffset()))
	}
	engine := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, cutShort()
		}
		if key != "monitorList" {
			var other json.RawMessage
			if d.Decode(&other) != nil {
				return nil, cutShort()
			}
			engine = engine || key == "type"
			if key == "notificationList" || key == "proxyList" {
				if len(other) > 4 {
					i.ignored = append(i.ignored, fmt.Sprintf("%s  %s", visible(path), key))
				}
			}
			continue
		}
		if begin, err := d.Token(); err != nil || begin != json.Delim('[') {
			return nil, cutShort()
		}
		found = true
		for d.More() {
			m := monitor{line: lineAt(d.InputOffset())}
			if d.Decode(&m.all) != nil {
				return nil, cutShort()
			}
			all = append(all, m)
		}
		if _, err := d.Token(); err != nil {
			return nil, cutShort()
		}
	}
	switch {
	case found:
		if _, err := d.Token(); err != nil {
			return nil, cutShort()
		}
		return all, nil
	case engine:
		return nil, fmt.Errorf("%s: a db-config.json says where the database is: name kuma.db; a MariaDB can't be read here", visible(path))
	}
	if _, err := d.Token(); err != nil {
		return nil, cutShort()
	}
	return nil, fmt.Errorf("%s: no backup of Uptime Kuma: it has no monitorList", visible(path))
}

// head is how a file begins.
func head(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer func() { _ = f.Close() }() // Only read.
	body, err := io.ReadAll(io.LimitReader(f, n))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return body, nil
}

// kumaGroup is the heading of a monitor: the groups that it is in, from outside in.
func kumaGroup(m monitor, byID map[string]monitor) string {
	var names []string
	for at, n := m, 0; n < 10; n++ {
		parent, known := byID[at.text("parent")]
		if !known {
			break
		}
		names = append([]string{parent.text("name")}, names...)
		at = parent
	}
	if len(names) > 0 {
		return strings.Join(names, " / ")
	}
	if group, is := strings.CutSuffix(m.text("pathName"), " / "+m.text("name")); is {
		return group
	}
	return m.text("publicGroup")
}

// kuma takes one monitor.
func (i *importing) kuma(path string, m monitor, byID map[string]monitor) {
	kind := m.text("type")
	if kind == "group" {
		return // A heading here.
	}
	s := &service{file: path, line: m.line, name: literal(m.text("name")), group: literal(kumaGroup(m, byID))}
	i.add(s)
	if id := m.text("id"); kumaID.MatchString(id) && !i.ids["kuma:"+id] {
		i.ids["kuma:"+id] = true
		s.set([]any{"kuma:" + id}, "aliases") // Badges go on answering.
	}
	switch kind {
	case "http", "keyword", "json-query":
		i.kumaHTTP(s, m, kind)
	case "port":
		s.set(literal("tcp://"+net.JoinHostPort(m.host(), m.text("port"))), "url")
	case "ping":
		s.set(literal("icmp://"+bracketed(m.host())), "url")
	case "dns":
		servers := strings.FieldsFunc(m.text("dns_resolve_server"), func(r rune) bool { return r == ',' || r == ' ' })
		if len(servers) == 0 {
			s.drop("no name server is named")
			break
		}
		if len(servers) > 1 {
			s.changed("the first of its name servers is asked, not the next where that one fails")
		}
		port := m.text("port")
		if port == "" || port == "0" {
			port = "53"
		}
		s.set(literal("dns://"+net.JoinHostPort(servers[0], port)+"/"+strings.TrimSuffix(m.host(), ".")+"?type="+m.text("dns_resolve_type")), "url")
		s.changed("a name without records of the type is up, as long as the answer is NOERROR")
	case "push":
		s.drop("push checks, which others report to, aren't there yet")
	case "gamedig", "steam", "real-browser", "radius", "sqlserver", "kafka-producer":
		s.drop("checks of type %s aren't planned: let a script measure it", cut(kind))
	default:
		s.drop("checks of type %s aren't there yet", cut(kind))
	}
	if s.settings.get("url") == nil {
		s.inactive(m)
		return
	}
	s.kumaTiming(m)
	if m.is("sendUrl") {
		s.set(raw("false"), "hide_url")
	}
	if m.is("upsideDown") {
		s.drop("upside down, where a target must not answer (expect: down), isn't there yet")
	}
	s.kumaConditions(m, kind)
	s.inactive(m)
}

func (s *service) inactive(m monitor) {
	if active := m.text("active"); active == "false" || active == "0" || m.is("forceInactive") {
		s.disable("paused")
	}
}

var kumaID = regexp.MustCompile(`^[1-9][0-9]{0,9}$`)

func (m monitor) host() string { return strings.Trim(m.text("hostname"), "[]") }

// bracketed writes an address of IPv6 as hosts of URLs have it.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func (m monitor) seconds(key string) time.Duration {
	return time.Duration(m.number(key) * float64(time.Second))
}

// kumaTiming brings retries, which are extra beats there, into one interval.
func (s *service) kumaTiming(m monitor) {
	interval := m.seconds("interval")
	if interval <= 0 {
		interval = time.Minute
	}
	timeout := m.seconds("timeout")
	if timeout <= 0 {
		timeout = interval * 4 / 5
	}
	retries := int(min(m.number("maxretries"), check.MaxRetries))
	if retries == 0 || interval > status.Day {
		s.timing(interval, timeout)
		return
	}
	after := min(m.seconds("retryInterval"), max(time.Second, interval/20)).Truncate(time.Second)
	room := interval * 9 / 10
	for retries > 1 && (room-time.Duration(retries)*after)/time.Duration(retries+1) < time.Second {
		retries--
	}
	attempt := min(timeout, (room-time.Duration(retries)*after)/time.Duration(retries+1)).Truncate(time.Millisecond)
	if attempt < 100*time.Millisecond {
		s.timing(interval, timeout)
		s.changed("its retries don't fit into the interval")
		return
	}
	s.timing(interval, attempt)
	s.set(number(retries), "retries")
	s.set(raw(status.FormatDuration(after)), "retry_after")
	s.changed("%s retries every %s become %d within one interval, with a timeout of %s", m.text("maxretries"), status.FormatDuration(m.seconds("retryInterval")), retries, status.FormatDuration(attempt))
}

// kumaHTTP takes a monitor that asks over HTTP.
func (i *importing) kumaHTTP(s *service, m monitor, kind string) {
	s.set(i.secrets.address(s, literal(m.text("url"))), "url")
	switch method := strings.ToUpper(m.text("method")); method {
	case "", http.MethodGet, http.MethodHead:
		s.set(raw(cmp.Or(method, http.MethodGet)), "method")
	default:
		s.drop("method %s isn't there yet", cut(method))
	}
	if m.text("body") != "" {
		s.drop("a body to be sent isn't there yet")
	}
	i.kumaHeaders(s, m)
	if accepted := kumaCodes(m); len(accepted) > 0 {
		s.set(accepted, "expect", "status")
	} else {
		s.set([]any{"200-299"}, "expect", "status")
	}
	if _, given := m.all["maxredirects"]; given && m.text("maxredirects") == "0" {
		s.set(raw("false"), "follow_redirects")
	}
	if m.is("ignoreTls") {
		s.set(raw("false"), "tls", "verify")
	}
	if m.number("proxyId") > 0 {
		s.drop("a proxy isn't there yet, and without it something else would be measured")
	}
	switch auth := m.text("authMethod"); auth {
	case "", "null":
	case "basic":
		i.basic(s, m.text("basic_auth_user"), m.text("basic_auth_pass"))
	default:
		s.drop("%s isn't there yet", cut(auth))
	}
	switch {
	case kind == "json-query":
		s.kumaJSON(m)
	case kind == "keyword" && m.is("invertKeyword"):
		s.set(literal(m.text("keyword")), "expect", "body", "lacks")
	case kind == "keyword":
		s.set(literal(m.text("keyword")), "expect", "body", "contains")
		if strings.ContainsAny(m.text("keyword"), `{}":`) {
			s.changed("Uptime Kuma looks into JSON as it writes it itself, whose white space may differ")
		}
	}
}

// kumaConditions takes those of Uptime Kuma 2 that are one of several records, or one alone; it goes through them from left to right.
func (s *service) kumaConditions(m monitor, kind string) {
	var all []struct{ Type, Variable, Operator, Value, AndOr string }
	text := m.text("conditions")
	if text == "" || text == "[]" {
		return
	}
	err := json.Unmarshal([]byte(text), &all)
	var wanted []any
	for n, c := range all {
		if kind == "dns" && c.Type == "expression" && c.Variable == "record" && c.Operator == "equals" && c.Value != "" && (n == 0 || c.AndOr == "or") {
			wanted = append(wanted, literal(c.Value))
		}
	}
	if err != nil || len(wanted) != len(all) {
		s.lost("its conditions: only records of which one must be there are read")
		return
	}
	s.set(wanted, "expect", "records")
}

func (i *importing) kumaHeaders(s *service, m monitor) {
	text := m.text("headers")
	if text == "" {
		return
	}
	var headers map[string]any
	if json.Unmarshal([]byte(text), &headers) != nil {
		s.lost("its headers: no JSON of names and values")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		s.set(i.secrets.header(s, name, literal(fmt.Sprint(headers[name]))), "headers", name)
	}
}

// kumaCodes are the accepted statuses; in the database they are JSON in a text.
func kumaCodes(m monitor) (all []any) {
	list, _ := m.all["accepted_statuscodes"].([]any)
	if text := m.text("accepted_statuscodes"); text != "" {
		_ = json.Unmarshal([]byte(text), &list) // What is none is none.
	}
	for _, one := range list {
		if text := fmt.Sprint(one); len(all) < 100 {
			all = append(all, text)
		}
	}
	return all
}

var (
	kumaPath   = regexp.MustCompile(`^(?:\$\.)?([A-Za-z_][A-Za-z0-9_-]*(?:\[[0-9]+\])*(?:\.[A-Za-z_][A-Za-z0-9_-]*(?:\[[0-9]+\])*)*)$`)
	kumaFilter = regexp.MustCompile(`^(?:\$\.)?([A-Za-z_][A-Za-z0-9_.]*)\[\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*['"]([^'"\\]*)['"]\s*\]((?:\.[A-Za-z_][A-Za-z0-9_]*)+)$`)
)

// kumaJSON takes a query in JSONata that is a path, or has one filter; nothing is ever evaluated.
func (s *service) kumaJSON(m monitor) {
	query, want := m.text("jsonPath"), m.text("expectedValue")
	var path string
	if found := kumaPath.FindStringSubmatch(query); found != nil {
		path = found[1]
	} else if found := kumaFilter.FindStringSubmatch(query); found != nil {
		path = "$." + found[1] + "[?@." + found[2] + "=='" + found[3] + "']" + found[4]
	} else {
		s.lost("its query is more than a path or one filter [k='v'] of JSONata")
		return
	}
	ops := map[string]string{"": "equals", "==": "equals", "!=": "not", "<": "below", "<=": "at_most", ">": "above", ">=": "at_least", "contains": "contains"}
	op, known := ops[m.text("jsonPathOperator")]
	if !known {
		s.lost("operator %s of its query", cut(m.text("jsonPathOperator")))
		return
	}
	v, isNumber := typed(want)
	if text, is := v.(string); is {
		v = literal(text)
	}
	if isNumber && op == "equals" {
		s.changed("%s is compared with a number, not with its text", cut(path))
	}
	s.set(v, "expect", "json", path, op)
}
