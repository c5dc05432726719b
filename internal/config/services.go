package config

import (
	"net/url"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"time"

	"go.yaml.in/yaml/v4"
)

// probing is what defaults and services say of how to measure.
type probing struct {
	interval, timeout time.Duration // The timeout is that of one attempt.
	retries           int
	retryAfter        time.Duration
	timeoutGiven      bool // In the mapping at hand. Any other that does not fit becomes half the interval.
	hideURL           bool
	group             string
	regions           []string
	downWhen          downWhen
	own               map[*check.Kind]*check.Check // The settings that each kind has of its own; copies of this share them.
}

func defaultProbing() probing {
	p := probing{interval: time.Minute, timeout: 10 * time.Second, retryAfter: time.Second, downWhen: downWhen{quorum: status.Majority}, own: map[*check.Kind]*check.Check{}}
	for _, k := range check.Kinds() {
		c := k.New()
		p.own[k] = &c
	}
	return p
}

// total is how long all attempts of a slot may take.
func (p *probing) total() time.Duration { return check.Total(p.timeout, p.retries, p.retryAfter) }

// settle makes a timeout that nobody asked for fit below the interval.
func (p *probing) settle() {
	if !p.timeoutGiven && p.total() >= p.interval {
		p.timeout = max(0, p.interval/2-time.Duration(p.retries)*p.retryAfter) / time.Duration(p.retries+1)
	}
}

// fits refuses a timeout that was asked for and is not below the interval, and settles any other.
func (d *decoder) fits(node *yaml.Node, path string, p *probing) {
	switch retried := p.retries > 0; {
	case !retried && p.timeoutGiven && p.timeout >= p.interval:
		d.fail(node, path+".timeout", "%v is not below the interval of %v", p.timeout, p.interval)
	case retried && p.total() >= p.interval && (p.timeoutGiven || time.Duration(p.retries)*p.retryAfter >= p.interval/2):
		d.fail(node, path+".retries", "%d attempts of %v with %v between them come to %v, which is not below the interval of %v", p.retries+1, p.timeout, p.retryAfter, p.total(), p.interval)
	}
	p.settle()
}

// check makes a check of an address of a kind, and of what is to be done with it.
func (p probing) check(id, name, group string, u *url.URL, k *check.Kind) check.Check {
	svc := status.Service{
		ID: id, Name: name, Group: group, URL: public(u, p.hideURL), HideURL: p.hideURL,
		Interval: p.interval, Timeout: p.total(),
	}
	if len(p.regions) > 0 {
		svc.Regions, svc.Quorum = p.regions, p.downWhen.quorum
		svc.DownWhen = p.downWhen.quorum.Of(len(p.regions), p.downWhen.n)
	}
	c := *p.own[k]
	c.Service, c.Target = svc, u.String()
	if p.retries > 0 {
		c.Retries, c.RetryAfter = p.retries, p.retryAfter
	}
	return c
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
		"page_id":         value(d, &c.PageID, parsePageID),
		"base_url":        value(d, &c.BaseURL, parseBaseURL),
		"queue":           value(d, &c.Queue, parseQueue),
		"region":          value(d, &c.Region, parseRegion),
		"max_viewers":     value(d, &c.MaxViewers, parseViewers),
		"limits":          func(node *yaml.Node, path string) { d.limits(node, path, &c.Limits) },
		"trusted_proxies": list(d, &c.Proxies, parseProxy),
		"cors": func(node *yaml.Node, path string) {
			d.mapping(node, path, field{"allow_origins": list(d, &c.CORS, parseOrigin)})
		},
		"guard":     func(node *yaml.Node, path string) { d.guard(node, path, &c.Guard) },
		"canary":    func(node *yaml.Node, path string) { d.canary(node, path, &c.Canary) },
		"agents":    func(node *yaml.Node, path string) { d.agents(node, path, &c.Agents) },
		"control":   value(d, &c.Control, parseControl),
		"admin":     func(node *yaml.Node, path string) { d.admin(node, path, &c.Admin) },
		"tokens":    func(node *yaml.Node, path string) { d.tokens(node, path, &c.Tokens) },
		"mail":      func(node *yaml.Node, path string) { d.mail(node, path, &c.Mail) },
		"channels":  func(node *yaml.Node, path string) { d.channels(node, path, &c.Channels) },
		"alerts":    func(node *yaml.Node, path string) { d.alerts(node, path, &c.Alerts) },
		"heartbeat": value(d, &c.Heartbeat, parseHeartbeat),
		"brand":     func(node *yaml.Node, path string) { d.brand(node, path, &c.Brand) },
		"groups":    func(node *yaml.Node, path string) { d.groups(node, path, &c.Groups) },
		"defaults": func(node *yaml.Node, path string) {
			fields := d.probing(p)
			d.own(fields, p, check.Kinds())
			d.mapping(node, path, fields)
			d.fits(node, path, p)
			p.timeoutGiven = false
		},
		"services": func(node *yaml.Node, _ string) { services = node },
	})
	return services
}

// probing lists the settings that defaults and each service may have, whatever the kind of its check.
func (d *decoder) probing(p *probing) field {
	return field{
		"interval": value(d, &p.interval, parseInterval),
		"timeout": func(node *yaml.Node, path string) {
			p.timeoutGiven = true
			value(d, &p.timeout, parseTimeout)(node, path)
		},
		"retries":     value(d, &p.retries, parseRetries),
		"retry_after": value(d, &p.retryAfter, check.ParseMillis),
		"hide_url":    value(d, &p.hideURL, check.ParseBool),
		"group":       value(d, &p.group, parseText),
		"regions":     func(node *yaml.Node, path string) { d.regions(node, path, p) },
		"down_when":   func(node *yaml.Node, path string) { d.downWhen(node, path, p) },
	}
}

// services decodes the list of services.
func (d *decoder) services(node *yaml.Node, base probing) []check.Check {
	if node == nil {
		return nil
	}
	if len(node.Content) > maxServices {
		d.fail(node, "services", "too many services: at most %d", maxServices)
		return nil
	}
	var checks []check.Check
	lines := map[string]int{}
	d.sequence(node, "services", func(node *yaml.Node, path string) {
		if c, ok := d.service(node, path, base, lines); ok {
			checks = append(checks, c)
		}
	})
	return checks
}

// service decodes one service; lines notes where each id stands.
func (d *decoder) service(node *yaml.Node, path string, p probing, lines map[string]int) (check.Check, bool) {
	before := len(d.mistakes)
	var id, name string
	var aliases []string
	var u *url.URL
	p.timeoutGiven = false // Only a timeout of its own must fit; one of the defaults gives way.
	p.downWhen.path = path + ".down_when"
	k, of := d.kindOf(node), check.Kinds()
	if k != nil {
		of = []*check.Kind{k}
	}
	p.copyOwn(of)
	fields := d.probing(&p)
	foreign := d.own(fields, &p, of)
	fields["id"] = value(d, &id, parseID)
	fields["aliases"] = list(d, &aliases, parseAlias)
	fields["name"] = value(d, &name, parseText)
	fields["url"] = value(d, &u, parseTarget)
	if isNull(node) {
		d.fail(node, path, "must be a mapping of settings")
		return check.Check{}, false
	}
	d.mappingOf(node, path, fields, foreign)
	if len(d.mistakes) > before {
		return check.Check{}, false // What follows would blame twice.
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
	for _, alias := range aliases {
		if line, twice := lines[alias]; twice { // No id has a colon.
			d.fail(node, path+".aliases", "%q is there in line %d already: leave one out", alias, line)
		}
		lines[alias] = node.Line
	}
	d.fits(node, path, &p)
	d.reachable(&p)
	if len(d.mistakes) > before {
		return check.Check{}, false
	}
	c := p.check(id, name, p.group, u, k)
	c.Aliases = aliases
	if err := c.Valid(); err != nil {
		d.fail(node, path, "%v", err)
		return check.Check{}, false
	}
	return c, true
}
