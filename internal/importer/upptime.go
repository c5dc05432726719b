package importer

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// readUpptime reads a .upptimerc.yml: https://upptime.js.org/docs/configuration
func readUpptime(i *importing, path string) error {
	docs, err := documents(path)
	if err != nil {
		return err
	}
	root := docs[0].value()
	if !root.get("sites").is(yaml.SequenceNode) {
		return fmt.Errorf("%s: no configuration of Upptime: it has no list of sites%s", visible(path), otherTool(root, "upptime"))
	}
	if title := root.get("status-website", "name").str(); title != "" && i.title == "" {
		i.title = literal(cleanName(title))
	}
	interval, changed := upptimeInterval(root.get("workflowSchedule", "uptime").str())
	for _, site := range root.get("sites").items() {
		s := i.upptime(site, interval, root.get("user-agent").str())
		if changed {
			s.changed("its schedule is no */n * * * *: every %s", status.FormatDuration(interval))
		}
	}
	for _, f := range root.fields() {
		if f.key == "notifications" || f.key == "assignees" || f.key == "i18n" {
			i.ignored = append(i.ignored, fmt.Sprintf("%s  %s", place(path, f.line()), f.key))
		}
	}
	return nil
}

var everyMinutes = regexp.MustCompile(`^\*/([1-9][0-9]?) \* \* \* \*$`)

// upptimeInterval reads the schedule of the workflow, which is five minutes unless it says otherwise.
func upptimeInterval(cron string) (every time.Duration, changed bool) {
	if cron == "" {
		return 5 * time.Minute, false
	}
	if m := everyMinutes.FindStringSubmatch(cron); m != nil {
		n, err := strconv.Atoi(m[1])
		return time.Duration(n) * time.Minute, err != nil
	}
	return 5 * time.Minute, true
}

var upptimeVariable = regexp.MustCompile(`\$([A-Z_][A-Z0-9_]*)`)

// upptimeText has the secrets that a text names, without braces and in capitals, as variables of ours.
func upptimeText(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range upptimeVariable.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(literal(text[at:m[0]]) + "${" + text[m[2]:m[3]] + "}")
		at = m[1]
	}
	return b.String() + literal(text[at:])
}

func (i *importing) upptime(site value, interval time.Duration, agent string) *service {
	s := &service{file: site.doc.file, line: site.line(), name: literal(site.get("name").str())}
	if slug := site.get("slug").str(); slug != "" {
		s.id = idOf(slug)
	}
	i.add(s)
	target, port := upptimeText(site.get("url").str()), upptimeText(site.get("port").str())
	_, rest, hasScheme := strings.Cut(target, "://")
	host := target
	if hasScheme {
		host, _, _ = strings.Cut(rest, "/")
	}
	if h, p, err := net.SplitHostPort(plain(host)); err == nil && port == "" && !strings.Contains(host, "${") {
		host, port = literal(h), p
	}
	if site.get("type").str() == "globalping" {
		s.lost("measured from %s by Globalping: here from where this is", cut(site.get("location").str()))
	}
	kind := "tcp"
	switch what := site.get("check").str(); what {
	case "", "http":
		kind = "http"
		if !hasScheme && !strings.HasPrefix(target, "${") {
			target = "http://" + target // As curl does.
		}
		s.set(i.secrets.address(s, target), "url")
		i.upptimeHTTP(s, site, agent)
	case "tcp-ping":
		if port == "" {
			port = "80"
		}
		s.set("tcp://"+joined(host, port), "url")
	case "ssl":
		if port == "" {
			port = "443"
		}
		kind = "tls"
		s.set("tls://"+joined(host, port), "url")
		s.set(raw("7d"), "expect", "certificate", "valid_for")
		s.set(raw("0s"), "degraded_unless", "certificate", "valid_for")
	default:
		s.drop("checks of type %s aren't there yet", cut(what))
		return s
	}
	if site.get("ipv6").str() == "true" {
		s.lost("the choice of IPv6: both kinds of address are tried")
	}
	s.timing(interval, min(30*time.Second, interval/5))
	s.set(number(2), "retries")
	s.set(raw(status.FormatDuration(min(5*time.Second, interval/20))), "retry_after")
	if most := site.get("maxResponseTime").str(); most != "" {
		if n, err := strconv.Atoi(most); err == nil && n > 0 && n < 1<<30 {
			s.set(raw(status.FormatDuration(time.Duration(n)*time.Millisecond)), "degraded_after")
		} else {
			s.lost("maxResponseTime is no number of milliseconds")
		}
	}
	if kind == "http" && strings.HasPrefix(target, "${") {
		s.changed("a variable tells the address: taken for one of http")
	}
	if strings.Contains(target, "${") {
		s.set(raw("true"), "hide_url") // It is a secret there.
	}
	return s
}

// joined writes host and port, each of which may be a variable.
func joined(host, port string) string {
	if strings.Contains(host, "${") {
		return host + ":" + port
	}
	return bracketed(strings.Trim(host, "[]")) + ":" + port
}

// upptimeStatus is what counts as available there unless a site says otherwise.
var upptimeStatus = []any{"200-208", raw("226"), "300-308"}

func (i *importing) upptimeHTTP(s *service, site value, agent string) {
	switch method := strings.ToUpper(site.get("method").str()); method {
	case "", "GET", "HEAD":
		if method == "" {
			method = "GET"
		}
		s.set(raw(method), "method")
	default:
		s.drop("method %s isn't there yet", cut(method))
	}
	if site.get("body").str() != "" {
		s.drop("a body to be sent isn't there yet")
	}
	if agent != "" {
		s.set(upptimeText(agent), "headers", "User-Agent")
	}
	for _, one := range site.get("headers").items() {
		name, text, found := strings.Cut(one.str(), ":")
		if !found {
			s.lost("a header without a colon")
			continue
		}
		s.set(i.secrets.header(s, strings.TrimSpace(name), upptimeText(strings.TrimSpace(text))), "headers", strings.TrimSpace(name))
	}
	codes := upptimeStatus
	if all := site.get("expectedStatusCodes").items(); len(all) > 0 {
		codes = nil
		for _, one := range all {
			codes = append(codes, literal(one.str()))
		}
	}
	s.set(codes, "expect", "status")
	if site.get("maxRedirects").str() == "0" {
		s.set(raw("false"), "follow_redirects")
	}
	for _, word := range []string{"__dangerous__insecure", "__dangerous__disable_verify_peer", "__dangerous__disable_verify_host"} {
		if site.get(word).str() == "true" {
			s.set(raw("false"), "tls", "verify")
		}
	}
	for _, c := range []struct {
		key, block, op string
	}{
		{"__dangerous__body_down", "expect", "lacks"},
		{"__dangerous__body_down_if_text_missing", "expect", "contains"},
		{"__dangerous__body_degraded", "degraded_unless", "lacks"},
		{"__dangerous__body_degraded_if_text_missing", "degraded_unless", "contains"},
	} {
		if text := site.get(c.key).str(); text != "" {
			s.set(upptimeText(text), c.block, "body", c.op)
		}
	}
	known := []string{"name", "url", "method", "headers", "body", "expectedStatusCodes", "maxResponseTime", "maxRedirects", "check", "port", "ipv6", "slug", "type", "location", "icon", "assignees", "description", "tags"}
	for _, f := range site.fields() {
		if !slices.Contains(known, f.key) && !strings.HasPrefix(f.key, "__dangerous__") {
			s.changed("%s is not read", cut(f.key))
		}
	}
}
