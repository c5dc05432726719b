package importer

import (
	"encoding/base64"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// blackbox is what files of Prometheus and of blackbox_exporter have, in whatever order: what is asked stands in one, and how in the other.
type blackbox struct {
	modules map[string]value
	jobs    []value // Of scrape_configs, and Probe resources.
	seen    []string
	global  string // The interval of all jobs.
}

// readBlackbox reads files of either kind: https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md
func readBlackbox(i *importing, path string) error {
	docs, err := documents(path)
	if err != nil {
		return err
	}
	if i.blackbox == nil {
		i.blackbox = &blackbox{modules: map[string]value{}}
		i.finish = i.probes
	}
	found := false
	for n := range docs {
		if i.blackbox.take(docs[n].value()) {
			found = true
		}
	}
	if !found {
		return fmt.Errorf("%s: neither modules of blackbox_exporter nor scrape_configs of Prometheus%s", visible(path), otherTool(docs[0].value(), "blackbox"))
	}
	i.blackbox.seen = append(i.blackbox.seen, path)
	return nil
}

// take finds modules and jobs, also in values of charts, ConfigMaps and Probe resources.
func (b *blackbox) take(root value) (found bool) {
	if root.get("kind").str() == "Probe" {
		b.jobs = append(b.jobs, root)
		return true
	}
	if root.get("kind").str() == "ConfigMap" {
		for _, f := range root.get("data").fields() {
			docs, err := parse(root.doc.file, []byte(f.str()), f.line())
			for n := range docs {
				if err == nil && b.take(docs[n].value()) {
					found = true
				}
			}
		}
		return found
	}
	for _, path := range [][]string{{}, {"config"}, {"prometheus-blackbox-exporter", "config"}, {"prometheus", "prometheusSpec"}, {"serverFiles", "prometheus.yml"}, {"server"}} {
		v := root.get(path...)
		for _, f := range v.get("modules").fields() {
			if !f.get("prober").missing() {
				b.modules[f.key], found = f.value, true
			}
		}
		if every := v.get("global", "scrape_interval").str(); every != "" {
			b.global = every
		}
		for _, key := range []string{"scrape_configs", "additionalScrapeConfigs"} {
			if jobs := v.get(key); jobs.is(yaml.SequenceNode) {
				b.jobs, found = append(b.jobs, jobs.items()...), true
			}
		}
	}
	return found
}

// probes makes a service of each target of a job that asks a blackbox_exporter.
func (i *importing) probes() error {
	b := i.blackbox
	if len(b.jobs) == 0 {
		return fmt.Errorf("%s: modules alone name no targets: name the prometheus.yml too, whose jobs have them", visible(b.seen[0]))
	}
	for _, job := range b.jobs {
		interval := job.get("scrape_interval").str()
		module, name := job.get("params", "module").first(), job.get("job_name").str()
		var lists []value
		if job.get("kind").str() == "Probe" {
			spec := job.get("spec")
			interval, module, name = spec.get("interval").str(), spec.get("module").str(), job.get("metadata", "name").str()
			lists = append(lists, spec.get("targets", "staticConfig", "static"))
		} else {
			if !strings.HasSuffix(strings.TrimRight(job.get("metrics_path").str(), "/"), "/probe") {
				continue // Of another exporter.
			}
			for _, list := range job.get("static_configs").items() {
				lists = append(lists, list.get("targets"))
			}
			for _, key := range []string{"file_sd_configs", "kubernetes_sd_configs", "dns_sd_configs", "http_sd_configs", "consul_sd_configs"} {
				if at := job.get(key); !at.missing() {
					s := &service{file: at.doc.file, line: at.line(), name: literal(name), group: literal(name)}
					i.add(s)
					s.drop("targets that are discovered (%s) can't be known here", key)
				}
			}
		}
		for _, list := range lists {
			for _, target := range list.items() {
				i.probe(target, name, module, interval)
			}
		}
	}
	if len(i.services) == 0 {
		return fmt.Errorf("%s: no job asks a blackbox_exporter for targets that stand there", visible(b.seen[0]))
	}
	return nil
}

// first returns a text, or the first of a list.
func (v value) first() string {
	if all := v.items(); len(all) > 0 {
		return all[0].str()
	}
	return v.str()
}

func (i *importing) probe(target value, job, module, interval string) {
	text := target.str()
	s := &service{file: target.doc.file, line: target.line(), name: literal(probeName(text)), group: literal(job)}
	i.add(s)
	if module == "" {
		module = "http_2xx"
	}
	m, known := i.blackbox.modules[module]
	prober := m.prober(module)
	if !known {
		if prober == "" {
			s.drop("its module %s is in none of the files", cut(module))
			return
		}
		m = value{doc: target.doc}
		s.changed("its module %s is in none of the files: taken as the one that comes with blackbox_exporter", cut(module))
	}
	switch {
	case strings.Contains(text, "{{") || text == "":
		s.drop("a template, and no target")
		return
	case prober == "http":
		i.probeHTTP(s, m.get("http"), text)
	case prober == "tcp":
		s.probeTCP(m.get("tcp"), text)
	case prober == "icmp":
		s.set(literal("icmp://"+bracketed(strings.Trim(text, "[]"))), "url")
		for _, f := range m.get("icmp").fields() {
			if f.key != "preferred_ip_protocol" && f.key != "ip_protocol_fallback" {
				s.lost("%s isn't there yet", cut(f.key))
			}
		}
	case prober == "dns":
		s.probeDNS(m.get("dns"), text)
	default:
		s.drop("checks of prober %s aren't there yet", cut(prober))
		return
	}
	if choice := m.get(prober, "preferred_ip_protocol"); !choice.missing() && m.get(prober, "ip_protocol_fallback").str() == "false" {
		s.lost("the choice of %s: both kinds of address are tried", cut(choice.str()))
	}
	every, ok := gatusDuration(interval)
	if global, is := gatusDuration(i.blackbox.global); !ok && is {
		every, ok = global, true
	}
	if !ok {
		every = time.Minute
	}
	timeout, ok := gatusDuration(m.get("timeout").str())
	if !ok {
		timeout = min(10*time.Second, every-500*time.Millisecond)
	}
	s.timing(every, timeout)
}

// prober of a module; those that come with the exporter are known by their names.
func (v value) prober(module string) string {
	if v.doc != nil {
		return v.get("prober").str()
	}
	return map[string]string{"http_2xx": "http", "tcp_connect": "tcp", "icmp": "icmp"}[module]
}

// probeName names a service by its address, without what may be secret in it.
func probeName(target string) string {
	_, rest, found := strings.Cut(target, "://")
	if !found {
		rest = target
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	host, path, has := strings.Cut(rest, "/")
	host = host[strings.LastIndex(host, "@")+1:]
	if has && path != "" {
		host += "/" + strings.TrimRight(path, "/")
	}
	return host
}

func (i *importing) probeHTTP(s *service, m value, target string) {
	if !strings.Contains(target, "://") {
		target = "http://" + target
	}
	s.set(i.secrets.address(s, literal(target)), "url")
	s.set([]any{"200-299"}, "expect", "status")
	s.set(raw("GET"), "method")
	var matches, lacks []value
	for _, f := range m.fields() {
		text := f.str()
		switch f.key {
		case "method":
			if text == "HEAD" {
				s.set(raw("HEAD"), "method")
			} else if text != "GET" {
				s.drop("method %s isn't there yet", cut(text))
			}
		case "valid_status_codes":
			var codes []any
			for _, one := range f.items() {
				codes = append(codes, literal(one.str()))
			}
			if len(codes) > 0 {
				s.set(codes, "expect", "status")
			}
		case "headers":
			for _, h := range f.fields() {
				s.set(i.secrets.header(s, h.key, literal(h.str())), "headers", h.key)
			}
		case "basic_auth":
			if f.get("password").missing() {
				s.drop("a password from a file can't be looked at here: write headers.Authorization")
			} else {
				s.set("Basic "+i.secrets.hide(s, "authorization", base64.StdEncoding.EncodeToString([]byte(f.get("username").str()+":"+f.get("password").str()))), "headers", "Authorization")
			}
		case "bearer_token":
			s.set("Bearer "+i.secrets.hide(s, "authorization", literal(text)), "headers", "Authorization")
		case "authorization":
			scheme := f.get("type").str()
			if scheme == "" {
				scheme = "Bearer"
			}
			s.set(literal(scheme)+" "+i.secrets.hide(s, "authorization", literal(f.get("credentials").str())), "headers", "Authorization")
		case "no_follow_redirects", "follow_redirects":
			if (f.key == "no_follow_redirects") == (text == "true") {
				s.set(raw("false"), "follow_redirects")
			}
		case "tls_config":
			s.probeTLS(f.value)
		case "fail_if_ssl", "fail_if_not_ssl":
			if text == "true" && strings.HasPrefix(target, "https") != (f.key == "fail_if_not_ssl") {
				s.drop("the address is never what %s asks for", f.key)
			}
		case "fail_if_body_matches_regexp":
			lacks = f.items()
		case "fail_if_body_not_matches_regexp":
			matches = f.items()
		case "fail_if_header_matches", "fail_if_header_not_matches":
			for _, h := range f.items() {
				op := map[string]string{"fail_if_header_matches": "lacks_match", "fail_if_header_not_matches": "matches"}[f.key]
				name := strings.ToLower(h.get("header").str())
				if h.get("allow_missing").str() == "true" || s.settings.get("expect", "header", name, op) != nil {
					s.lost("%s of %s: a header that may be missing, or a second one", f.key, cut(name))
					continue
				}
				s.set(literal(h.get("regexp").str()), "expect", "header", name, op)
			}
		case "preferred_ip_protocol", "ip_protocol_fallback", "enable_http2", "compression", "body_size_limit":
		case "body", "body_file", "proxy_url", "oauth2", "http_headers", "bearer_token_file", "enable_http3":
			if f.missing() || text == "false" {
				continue
			}
			s.drop("%s isn't there yet, and without it something else would be measured", f.key)
		default:
			s.lost("%s isn't there yet", cut(f.key))
		}
	}
	for _, one := range lacks { // None of these may match.
		all, _ := s.settings.get("expect", "body", "lacks_match").([]any)
		s.set(append(all, literal(one.str())), "expect", "body", "lacks_match")
	}
	switch {
	case len(matches) == 1:
		s.set(literal(matches[0].str()), "expect", "body", "matches")
	case len(matches) > 1:
		s.lost("of %d expressions that must all match the body the first is kept: here one of a list is enough", len(matches))
		s.set(literal(matches[0].str()), "expect", "body", "matches")
	}
}

func (s *service) probeTLS(m value) {
	for _, f := range m.fields() {
		switch f.key {
		case "insecure_skip_verify":
			if f.str() == "true" {
				s.set(raw("false"), "tls", "verify")
			}
		case "server_name":
			s.set(literal(f.str()), "tls", "server_name")
		default:
			s.lost("tls_config.%s: the file can't be looked at here; write it as tls.%s", cut(f.key), cut(f.key))
		}
	}
}

func (s *service) probeTCP(m value, target string) {
	scheme := "tcp"
	if m.get("tls").str() == "true" {
		scheme = "tls"
		s.set(raw("0s"), "degraded_unless", "certificate", "valid_for")
		s.probeTLS(m.get("tls_config"))
	}
	s.set(literal(scheme+"://"+strings.TrimPrefix(target, "tcp://")), "url")
	if len(m.get("query_response").items()) > 0 {
		s.lost("what is said on the connection (query_response): that it is made is measured")
	}
}

var rrAddress = regexp.MustCompile(`^[0-9]+(?:\\\.[0-9]+){3}$`)

func (s *service) probeDNS(m value, server string) {
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = bracketed(strings.Trim(server, "[]"))
	}
	kind := strings.ToUpper(m.get("query_type").str())
	if kind == "" || kind == "ANY" {
		s.lost("a question for ANY record: for A here")
		kind = "A"
	}
	s.set(literal("dns://"+server+"/"+strings.TrimSuffix(m.get("query_name").str(), ".")+"?type="+kind), "url")
	for _, f := range m.fields() {
		switch f.key {
		case "query_name", "query_type", "preferred_ip_protocol", "ip_protocol_fallback", "recursion_desired":
		case "transport_protocol":
			if f.str() == "tcp" {
				s.set("tcp", "transport")
			}
		case "dns_over_tls":
			if f.str() == "true" {
				s.set("tls", "transport")
			}
		case "tls_config":
			s.probeTLS(f.value)
		case "valid_rcodes":
			var codes []any
			for _, one := range f.items() {
				codes = append(codes, literal(one.str()))
			}
			if len(codes) > 0 {
				s.set(codes, "expect", "rcode")
			}
		case "validate_answer_rrs":
			all := f.get("fail_if_none_matches_regexp").items()
			others := slices.ContainsFunc(f.fields(), func(f field) bool { return f.key != "fail_if_none_matches_regexp" })
			if others || len(all) != 1 || !rrAddress.MatchString(all[0].str()) {
				s.lost("expressions on records as text, TTL and all: write expect.records")
				continue
			}
			s.set(strings.ReplaceAll(all[0].str(), `\`, ""), "expect", "records")
		default:
			s.lost("%s isn't there yet", cut(f.key))
		}
	}
}
