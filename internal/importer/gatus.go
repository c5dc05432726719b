package importer

import (
	"encoding/base64"
	"fmt"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// readGatus reads a configuration of Gatus: https://github.com/TwiN/gatus#configuration
func readGatus(i *importing, path string) error {
	docs, err := documents(path)
	if err != nil {
		return err
	}
	var found []value
	for n := range docs {
		inside, err := gatusIn(docs[n].value())
		if err != nil {
			return err
		}
		found = append(found, inside...)
	}
	if len(found) == 0 {
		return fmt.Errorf("%s: no configuration of Gatus: it has no endpoints%s", visible(path), otherTool(docs[0].value(), "gatus"))
	}
	for _, root := range found {
		i.gatus(root)
	}
	return nil
}

var gatusLists = []string{"endpoints", "services", "external-endpoints", "suites"}

// gatusOthers are what else a configuration has that means something there.
var gatusOthers = []string{"alerting", "announcements", "connectivity", "maintenance", "remote", "security", "storage", "tunneling", "web"}

// gatusIn finds configurations in what may be a ConfigMap, or values of a chart.
func gatusIn(root value) (found []value, err error) {
	is := func(v value) bool {
		return slices.ContainsFunc(gatusLists, func(key string) bool { return v.get(key).is(yaml.SequenceNode) })
	}
	for _, path := range [][]string{{}, {"config"}, {"gatus", "config"}, {"values", "config"}, {"spec", "values", "config"}} {
		if v := root.get(path...); is(v) {
			return []value{v}, nil
		}
	}
	if root.get("kind").str() != "ConfigMap" {
		return nil, nil
	}
	for _, f := range root.get("data").fields() {
		if !strings.HasSuffix(f.key, ".yaml") && !strings.HasSuffix(f.key, ".yml") {
			continue
		}
		docs, err := parse(root.doc.file, []byte(f.node.Value), f.line())
		if err != nil {
			return nil, err
		}
		for n := range docs {
			if v := docs[n].value(); is(v) {
				found = append(found, v)
			}
		}
	}
	return found, nil
}

// otherTool says of a file of another tool whose it is.
func otherTool(root value, not string) string {
	for _, t := range []struct{ tool, key string }{{"kuma", "monitorList"}, {"upptime", "sites"}, {"gatus", "endpoints"}, {"prometheus", "scrape_configs"}, {"blackbox", "modules"}, {"monika", "probes"}} {
		if t.tool != not && !root.get(t.key).missing() {
			return "; it looks like one of " + t.tool
		}
	}
	if root.is(yaml.SequenceNode) {
		return "; it is a list"
	}
	return ""
}

func (i *importing) gatus(root value) {
	for _, f := range root.fields() {
		switch f.key {
		case "ui":
			if title := f.get("title").str(); title != "" && i.title == "" {
				i.title, _ = gatusText(cleanName(title))
			}
			if logo := f.get("logo").str(); logo != "" {
				i.ignored = append(i.ignored, place(root.doc.file, f.line())+"  ui: only its title is read")
			}
		case "endpoints", "services":
			for _, e := range f.items() {
				i.gatusEndpoint(e)
			}
		case "external-endpoints":
			for _, e := range f.items() {
				s := i.gatusService(e)
				why := "push checks, which others report to, aren't there yet"
				if e.get("heartbeat", "interval").missing() {
					why += "; no deadline was ever in force there, so that it never went down by itself"
					if every := e.get("interval").str(); every != "" {
						why += ": what was meant is heartbeat.interval, as every: " + cut(every) + " with a grace"
					}
				}
				s.drop("%s", why)
			}
		case "suites":
			for _, e := range f.items() {
				i.gatusService(e).drop("suites of several steps aren't there yet")
			}
		default:
			if slices.Contains(gatusOthers, f.key) {
				i.ignored = append(i.ignored, fmt.Sprintf("%s  %s", place(root.doc.file, f.line()), cut(f.key)))
			}
		}
	}
}

// gatusService begins a service of an entry.
func (i *importing) gatusService(e value) *service {
	s := &service{file: e.doc.file, line: e.line()}
	var notes [3][]string
	s.name, notes[0] = gatusText(e.get("name").str())
	s.group, notes[1] = gatusText(e.get("group").str())
	for _, all := range notes {
		for _, n := range all {
			s.changed("%s", n)
		}
	}
	i.add(s)
	return s
}

// str reads a text of a service with its variables as ours.
func (s *service) str(v value) string {
	text, notes := gatusText(v.str())
	for _, n := range notes {
		s.changed("%s", n)
	}
	return text
}

// gatusText has the variables of Gatus, which reads them by os.Expand before it reads the YAML, as ours.
func gatusText(text string) (ours string, notes []string) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String(), notes
		}
		switch {
		case after == "" || !strings.HasPrefix(after, "{"):
			n := 0
			for n < len(after) && (after[n] == '_' || 'a' <= after[n]|32 && after[n]|32 <= 'z' || n > 0 && '0' <= after[n] && after[n] <= '9') {
				n++
			}
			switch {
			case n > 0:
				b.WriteString("${" + after[:n] + "}")
			case strings.HasPrefix(after, "$"):
				b.WriteString("$$")
				n = 1
			default:
				b.WriteString("$$")
			}
			text = after[n:]
		default:
			inside, rest := braced(after[1:])
			name, fallback, has := cutDefault(inside)
			switch {
			case !variable.MatchString("${" + name + "}"):
				b.WriteString("$$")
				text = after
				continue
			case strings.Contains(fallback, "$"):
				notes = append(notes, "the default of ${"+name+"} is another variable, which isn't read here: set "+name)
				b.WriteString("${" + name + "}")
			case has:
				notes = append(notes, "Gatus itself reads ${"+name+"} with a default as empty; here the default counts")
				b.WriteString("${" + name + ":-" + fallback + "}")
			default:
				b.WriteString("${" + name + "}")
			}
			text = rest
		}
	}
}

// braced returns what stands before the brace that closes, others within it counted.
func braced(text string) (inside, rest string) {
	depth := 0
	for n, r := range text {
		switch r {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return text[:n], text[n+1:]
			}
			depth--
		}
	}
	return "", text
}

func cutDefault(inside string) (name, fallback string, has bool) {
	at := strings.IndexAny(inside, ":-=?+")
	if at < 0 {
		return inside, "", false
	}
	return inside[:at], strings.TrimLeft(inside[at:], ":-=?+"), true
}

const (
	gatusInterval = time.Minute
	gatusTimeout  = 10 * time.Second
)

func (i *importing) gatusEndpoint(e value) {
	s := i.gatusService(e)
	interval := s.duration(e, "interval", gatusInterval)
	timeout := s.duration(e.get("client"), "timeout", gatusTimeout)
	target := s.str(e.get("url"))
	if !e.get("client", "headers").missing() { // Folklore: no key of client.
		s.changed("client.headers had no effect there and has none here")
	}
	kind := i.gatusAddress(s, e, target)
	if kind == "" {
		return
	}
	s.timing(interval, timeout)
	i.gatusRequest(s, e, kind)
	i.gatusClient(s, e.get("client"), kind)
	c := &gatusConditions{s: s, kind: kind, slow: i.o.Slow, codes: allCodes()}
	for _, one := range e.get("conditions").items() {
		c.add(s.str(one))
	}
	c.write(strings.HasPrefix(target, "https"))
	if e.get("ui", "hide-url").str() == "true" || e.get("ui", "hide-hostname").str() == "true" {
		s.set(raw("true"), "hide_url")
	}
	if !e.get("maintenance-windows").missing() {
		s.lost("its maintenance windows")
	}
	switch enabled := s.str(e.get("enabled")); {
	case enabled == "false":
		s.disable("disabled")
	case strings.Contains(enabled, "${"):
		s.changed("a variable told whether it is enabled; here it is")
	}
}

// duration reads one of a key.
func (s *service) duration(v value, key string, otherwise time.Duration) time.Duration {
	text := v.get(key).str()
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > status.MaxDuration {
		s.changed("%s is no duration: %s holds", key, status.FormatDuration(otherwise))
		return otherwise
	}
	return d
}

// gatusAddress writes the address, and returns the kind of check, empty where there is none.
func (i *importing) gatusAddress(s *service, e value, target string) string {
	if question := e.get("dns"); question.is(yaml.MappingNode) {
		name, of := strings.TrimSuffix(s.str(question.get("query-name")), "."), s.str(question.get("query-type"))
		server := strings.TrimPrefix(target, "dns://")
		s.set("dns://"+server+"/"+name+"?type="+strings.ToUpper(of), "url")
		return "dns"
	}
	scheme, _, found := strings.Cut(target, "://")
	switch kind := check.OfScheme(scheme); {
	case !found && strings.HasPrefix(target, "${"):
		s.set(target, "url")
		if i.o.Getenv != nil {
			if _, name, _ := strings.Cut(target, "{"); name != "" {
				name, _, _ = strings.Cut(name, "}")
				if kind := check.OfAddress(i.o.Getenv(name)); kind != nil {
					return kind.Name
				}
			}
		}
		s.changed("a variable tells the address: taken for one of http")
		return "http"
	case !found:
		s.drop("the url has no scheme, and is no address there either")
		return ""
	case kind == nil || kind.Name == "dns":
		s.drop("checks of %s:// aren't there yet", cut(scheme))
		return ""
	default:
		s.set(i.secrets.address(s, target), "url")
		return kind.Name
	}
}

// gatusRequest writes what is asked.
func (i *importing) gatusRequest(s *service, e value, kind string) {
	if kind != "http" {
		return
	}
	method := strings.ToUpper(s.str(e.get("method")))
	if method == "" {
		method = "GET"
	}
	if method != "GET" && method != "HEAD" {
		s.drop("method %s isn't there yet", cut(method))
	} else {
		s.set(raw(method), "method")
	}
	if !e.get("body").missing() && e.get("body").str() != "" {
		s.drop("a body to be sent isn't there yet")
	}
	for _, f := range e.get("headers").fields() {
		s.set(i.secrets.header(s, f.key, s.str(f.value)), "headers", f.key)
	}
}

// gatusClient writes how is asked.
func (i *importing) gatusClient(s *service, client value, kind string) {
	for _, f := range client.fields() {
		is := f.str() == "true"
		switch f.key {
		case "timeout", "headers":
		case "insecure":
			if is && (kind == "http" || kind == "tls") {
				s.set(raw("false"), "tls", "verify")
			}
		case "ignore-redirect":
			if is && kind == "http" {
				s.set(raw("false"), "follow_redirects")
			}
		case "dns-resolver":
			s.lost("the resolver of its own: that of the machine is asked")
		case "proxy-url":
			s.drop("a proxy isn't there yet, and without it something else would be measured")
		case "oauth2", "identity-aware-proxy":
			s.drop("%s isn't there yet", f.key)
		case "tls":
			if !f.get("certificate-file").missing() && (kind == "http" || kind == "tls") {
				s.drop("a certificate of its own: give tls.cert_file and tls.key_file, whose files can't be looked at here")
			}
		case "network":
			s.lost("the choice of %s: both kinds of address are tried", cut(f.str()))
		default:
			s.changed("client.%s had no effect there, or has none here", cut(f.key))
		}
	}
}

// basic is a header for a name and a password.
func (i *importing) basic(s *service, user, password string) {
	s.set("Basic "+i.secrets.hide(s, "authorization", base64.StdEncoding.EncodeToString([]byte(user+":"+password))), "headers", "Authorization")
}

// cut shortens what a source says, for a line of a report.
func cut(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:39]) + "…"
	}
	return text
}
