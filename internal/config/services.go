package config

import (
	"maps"
	"net/http"
	"net/url"
	"statuspage/internal/status"
	"time"

	"go.yaml.in/yaml/v4"
)

// probing is what defaults and services say of how to measure.
type probing struct {
	interval, timeout time.Duration
	timeoutGiven      bool // In the mapping at hand. Any other that does not fit becomes half the interval.
	method            string
	headers           map[string]string
	expect            []status.StatusRange
	degradedAfter     time.Duration
	followRedirects   bool
	keepAlive         bool
	hideURL           bool
	group             string
	regions           []string
	downWhen          downWhen
}

func defaultProbing() probing {
	return probing{interval: time.Minute, timeout: 10 * time.Second, method: http.MethodHead, followRedirects: true, downWhen: downWhen{quorum: status.Majority}}
}

// settle makes a timeout that nobody asked for fit below the interval.
func (p *probing) settle() {
	if !p.timeoutGiven && p.timeout >= p.interval {
		p.timeout = p.interval / 2
	}
}

// fits refuses a timeout that was asked for and is not below the interval, and settles any other.
func (d *decoder) fits(node *yaml.Node, path string, p *probing) {
	if p.timeoutGiven && p.timeout >= p.interval {
		d.fail(node, path+".timeout", "%v is not below the interval of %v", p.timeout, p.interval)
	}
	p.settle()
}

// check makes a check of a URL and what is to be done with it.
func (p probing) check(id, name, group string, u *url.URL) status.Check {
	svc := status.Service{
		ID: id, Name: name, Group: group, URL: public(u, p.hideURL), HideURL: p.hideURL,
		Interval: p.interval, Timeout: p.timeout,
	}
	if len(p.regions) > 0 {
		svc.Regions, svc.Quorum = p.regions, p.downWhen.quorum
		svc.DownWhen = p.downWhen.quorum.Of(len(p.regions), p.downWhen.n)
	}
	return status.Check{
		Service: svc,
		Kind:    "http", Target: u.String(), DegradedAfter: p.degradedAfter, Method: p.method,
		Headers: p.headers, ExpectStatus: p.expect, FollowRedirects: p.followRedirects, KeepAlive: p.keepAlive,
	}
}

// settings decodes the top level and defaults. It returns the node of the services, which
// are decoded when environment and flags have had their say on the defaults.
func (d *decoder) settings(root *yaml.Node, c *Config, p *probing) (services *yaml.Node) {
	d.mapping(root, "", field{
		"title":  value(d, &c.Title, parseText),
		"listen": value(d, &c.Listen, parseListen),
		"listen_ops": func(node *yaml.Node, path string) {
			d.ops = node
			value(d, &c.ListenOps, parseListen)(node, path)
		},
		"database":        value(d, &c.Database, parseDatabase),
		"outbox":          value(d, &c.Outbox, parsePath),
		"retention":       value(d, &c.Retention, parseRetention),
		"timezone":        value(d, &c.Timezone, parseTimezone),
		"base_url":        value(d, &c.BaseURL, parseBaseURL),
		"queue":           value(d, &c.Queue, parseQueue),
		"region":          value(d, &c.Region, parseRegion),
		"max_viewers":     value(d, &c.MaxViewers, parseViewers),
		"limits":          func(node *yaml.Node, path string) { d.limits(node, path, &c.Limits) },
		"trusted_proxies": list(d, &c.Proxies, parseProxy),
		"cors": func(node *yaml.Node, path string) {
			d.mapping(node, path, field{"allow_origins": list(d, &c.CORS, parseOrigin)})
		},
		"guard":  func(node *yaml.Node, path string) { d.guard(node, path, &c.Guard) },
		"canary": func(node *yaml.Node, path string) { d.canary(node, path, &c.Canary) },
		"agents": func(node *yaml.Node, path string) { d.agents(node, path, &c.Agents) },
		"brand":  func(node *yaml.Node, path string) { d.brand(node, path, &c.Brand) },
		"groups": func(node *yaml.Node, path string) { d.groups(node, path, &c.Groups) },
		"defaults": func(node *yaml.Node, path string) {
			d.mapping(node, path, d.probing(p))
			d.fits(node, path, p)
			p.timeoutGiven = false
		},
		"services": func(node *yaml.Node, _ string) { services = node },
	})
	return services
}

// probing lists the settings that defaults and each service may have.
func (d *decoder) probing(p *probing) field {
	return field{
		"interval": value(d, &p.interval, parseInterval),
		"timeout": func(node *yaml.Node, path string) {
			p.timeoutGiven = true
			value(d, &p.timeout, parseTimeout)(node, path)
		},
		"method":           value(d, &p.method, parseMethod),
		"headers":          func(node *yaml.Node, path string) { d.headers(node, path, p) },
		"expect":           func(node *yaml.Node, path string) { d.expect(node, path, p) },
		"degraded_after":   value(d, &p.degradedAfter, parseMillis),
		"follow_redirects": value(d, &p.followRedirects, parseBool),
		"keep_alive":       value(d, &p.keepAlive, parseBool),
		"hide_url":         value(d, &p.hideURL, parseBool),
		"group":            value(d, &p.group, parseText),
		"regions":          func(node *yaml.Node, path string) { d.regions(node, path, p) },
		"down_when":        func(node *yaml.Node, path string) { d.downWhen(node, path, p) },
	}
}

// headers adds to those of the defaults. Names are the keys, so they are read by hand.
func (d *decoder) headers(node *yaml.Node, path string, p *probing) {
	fields := field{}
	p.headers = maps.Clone(p.headers)
	if p.headers == nil {
		p.headers = map[string]string{}
	}
	if node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i]
			fields[key.Value] = func(node *yaml.Node, path string) {
				if !validHeaderName(key.Value) {
					d.fail(key, path, "not a name of a header")
					return
				}
				text, ok := d.text(node, path)
				if ok && !validHeaderValue(text) {
					d.fail(node, path, "has a line break or a control character")
					return
				}
				if ok {
					p.headers[http.CanonicalHeaderKey(key.Value)] = text
				}
			}
		}
	}
	d.mapping(node, path, fields)
}

func (d *decoder) expect(node *yaml.Node, path string, p *probing) {
	d.mapping(node, path, field{"status": func(node *yaml.Node, path string) {
		p.expect = nil
		one := func(node *yaml.Node, path string) {
			var r status.StatusRange
			value(d, &r, parseStatus)(node, path)
			p.expect = append(p.expect, r)
		}
		if node.Kind == yaml.ScalarNode {
			one(node, path)
			return
		}
		d.sequence(node, path, one)
		if len(node.Content) == 0 {
			d.fail(node, path, "must name at least one status")
		}
	}})
}

// services decodes the list of services.
func (d *decoder) services(node *yaml.Node, base probing) []status.Check {
	if node == nil {
		return nil
	}
	if len(node.Content) > maxServices {
		d.fail(node, "services", "too many services: at most %d", maxServices)
		return nil
	}
	var checks []status.Check
	lines := map[string]int{}
	d.sequence(node, "services", func(node *yaml.Node, path string) {
		if c, ok := d.service(node, path, base, lines); ok {
			checks = append(checks, c)
		}
	})
	return checks
}

// service decodes one service; lines notes where each id stands.
func (d *decoder) service(node *yaml.Node, path string, p probing, lines map[string]int) (status.Check, bool) {
	before := len(d.mistakes)
	var id, name string
	var u *url.URL
	p.timeoutGiven = false // Only a timeout of its own must fit; one of the defaults gives way.
	p.downWhen.path = path + ".down_when"
	fields := d.probing(&p)
	fields["id"] = value(d, &id, parseID)
	fields["name"] = value(d, &name, parseText)
	fields["url"] = value(d, &u, parseURL)
	if isNull(node) {
		d.fail(node, path, "must be a mapping of settings")
		return status.Check{}, false
	}
	d.mapping(node, path, fields)
	if len(d.mistakes) > before {
		return status.Check{}, false // What follows would blame twice.
	}
	if name == "" {
		d.fail(node, path+".name", "must not be empty")
	}
	if u == nil {
		d.fail(node, path+".url", "must not be empty")
	}
	if id == "" {
		id = slug(name)
	}
	switch line, twice := lines[id]; {
	case name == "":
	case id == "":
		d.fail(node, path+".id", "the name has no letter a-z or digit to make an id of: give an id")
	case id == reservedID:
		d.fail(node, path+".id", "%q is reserved for the badge of the whole page: give another id", reservedID)
	case twice:
		d.fail(node, path+".id", "%q is the id of the service in line %d already: give another id", id, line)
	}
	lines[id] = node.Line
	d.fits(node, path, &p)
	d.reachable(&p)
	if len(d.mistakes) > before {
		return status.Check{}, false
	}
	return p.check(id, name, p.group, u), true
}
