package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/notify/channel"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

const (
	maxChannels = 100
	maxAlerts   = 1000
	maxSteps    = 10
	maxSlots    = 100 // That a rule may wait for.

	everyService = "*"
	groupPrefix  = "group:"
)

// Alert says who is told of what.
type Alert struct {
	Named    []string // Services as they are written: ids, group:NAME, *.
	Services []string // Ids of those that there are.
	On       []string
	After    int // Bad slots in a row.
	Recover  int // Good ones.
	Gather   time.Duration
	Remind   time.Duration
	To       []string
	Then     []AlertStep
}

// AlertStep is who is told when it goes on.
type AlertStep struct {
	After time.Duration
	To    []string
}

// told is where parts of the alerts stand, for what can only be judged with the rest.
type told struct {
	alerts, channels *yaml.Node
	services         [][]*yaml.Node // By rule.
	to               []namedAt
}

type namedAt struct {
	name, path string
	node       *yaml.Node
}

func (d *decoder) mail(node *yaml.Node, path string, dst **channel.Mail) {
	m := &channel.Mail{}
	before := len(d.mistakes)
	d.mapping(node, path, field{
		"server": value(d, &m.Server, channel.ParseMailServer),
		"from":   value(d, &m.From, channel.ParseMailbox),
		"dkim":   func(node *yaml.Node, path string) { d.dkim(node, path, &m.DKIM) },
	})
	switch {
	case len(d.mistakes) > before:
	case m.Server == "":
		d.fail(node, path+".server", "must not be empty: write smtp://user:password@host:587")
	case m.From == "":
		d.fail(node, path+".from", "must not be empty: write status@example.org")
	}
	*dst = m
}

func (d *decoder) dkim(node *yaml.Node, path string, dst **channel.DKIM) {
	k := &channel.DKIM{}
	before := len(d.mistakes)
	d.mapping(node, path, field{
		"domain":   value(d, &k.Domain, parseText),
		"selector": value(d, &k.Selector, parseText),
		"key_file": func(node *yaml.Node, path string) {
			k.Key, _ = d.secretFile(node, path) // A mistake is told.
			if k.Key == "" {
				return
			}
			if err := channel.CheckDKIM(k); err != nil {
				d.fail(node, path, "in the file: %v", err)
			}
		},
	})
	if len(d.mistakes) == before && (k.Domain == "" || k.Selector == "" || k.Key == "") {
		d.fail(node, path, "needs domain, selector and key_file")
	}
	*dst = k
}

// secretFile reads what is secret from a file beside the configuration; read is false after a mistake.
func (d *decoder) secretFile(node *yaml.Node, path string) (secret string, read bool) {
	var name string
	value(d, &name, parsePath)(node, path)
	if name == "" {
		return "", false
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(d.file), name)
	}
	body, err := d.readFile(name)
	if err != nil {
		d.fail(node, path, "the file can't be read: create it, or name another") // Its name may be a secret in the wrong place.
		return "", false
	}
	return strings.TrimSpace(string(body)), true
}

// channels decodes a mapping whose names are the operator's.
func (d *decoder) channels(node *yaml.Node, path string, dst *[]channel.Channel) {
	d.told.channels = node
	fields := field{}
	if node.Kind == yaml.MappingNode {
		if len(node.Content) > 2*maxChannels {
			d.fail(node, path, "too many channels: at most %d", maxChannels)
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			fields[key.Value] = func(node *yaml.Node, path string) {
				if _, err := parseID(key.Value); err != nil {
					d.fail(key, path, "%v", err)
					return
				}
				if c, ok := d.channel(node, path, key.Value); ok {
					*dst = append(*dst, c)
				}
			}
		}
	}
	d.mapping(node, path, fields)
}

func (d *decoder) channel(node *yaml.Node, path, name string) (c channel.Channel, ok bool) {
	before := len(d.mistakes)
	kinds := field{}
	var words []string
	for _, k := range channel.Kinds() {
		words = append(words, k.Name)
		kinds[k.Name] = func(node *yaml.Node, path string) {
			if c.Kind != nil {
				d.fail(node, path, "a channel is of one kind: give this one a name of its own")
				return
			}
			c = k.New(name)
			d.channelKeys(node, path, c)
		}
	}
	d.mapping(node, path, kinds)
	if len(d.mistakes) == before && c.Kind == nil {
		d.fail(node, path, "of no kind: write one of %s and its settings", strings.Join(words, ", "))
	}
	return c, len(d.mistakes) == before
}

// channelKeys decodes the settings of one kind; those that are secret may stand in files.
func (d *decoder) channelKeys(node *yaml.Node, path string, c channel.Channel) {
	before := len(d.mistakes)
	fields := field{}
	for _, k := range c.Kind.Keys {
		set := func(node *yaml.Node, path string) {
			if text, ok := d.text(node, path); ok {
				if err := c.Set(k, text); err != nil {
					d.fail(node, path, "%v", err)
				}
			}
		}
		fields[k.Name] = set
		if k.Many {
			fields[k.Name] = func(node *yaml.Node, path string) {
				if node.Kind == yaml.ScalarNode {
					set(node, path)
					return
				}
				d.sequence(node, path, set)
			}
		}
		if !k.Secret {
			continue
		}
		fields[k.Name+"_file"] = func(node *yaml.Node, path string) {
			text, _ := d.secretFile(node, path) // A mistake is told.
			for line := range strings.Lines(text) {
				if err := c.Set(k, strings.TrimSpace(line)); err != nil {
					d.fail(node, path, "in the file: %v", err)
				}
				if !k.Many {
					return
				}
			}
		}
	}
	d.mapping(node, path, fields)
	if len(d.mistakes) > before {
		return
	}
	for _, k := range c.Kind.Keys {
		switch n := len(c.Values(k)); {
		case n > 0 || !k.Required:
		case k.Secret:
			d.fail(node, path+"."+k.Name, "must not be empty: write %s, or %s_file with the path of a file", k.Name, k.Name)
		default:
			d.fail(node, path+"."+k.Name, "must not be empty")
		}
	}
}

// words appends what a list has, or the single value in its place.
func words(d *decoder, dst *[]string, parse func(string) (string, error), each func(node *yaml.Node, path, word string)) func(*yaml.Node, string) {
	return func(node *yaml.Node, path string) {
		one := func(node *yaml.Node, path string) {
			var v string
			if value(d, &v, parse)(node, path); v != "" {
				*dst = append(*dst, v)
				if each != nil {
					each(node, path, v)
				}
			}
		}
		if node.Kind == yaml.ScalarNode {
			one(node, path)
			return
		}
		d.sequence(node, path, one)
	}
}

func (d *decoder) alerts(node *yaml.Node, path string, dst *[]Alert) {
	d.told.alerts = node
	if len(node.Content) > maxAlerts {
		d.fail(node, path, "too many rules: at most %d", maxAlerts)
		return
	}
	d.sequence(node, path, func(node *yaml.Node, path string) { *dst = append(*dst, d.alert(node, path)) })
}

func (d *decoder) alert(node *yaml.Node, path string) Alert {
	a := Alert{After: 2, Recover: 2, Gather: 20 * time.Second}
	before := len(d.mistakes)
	var at []*yaml.Node
	to := func(dst *[]string) func(*yaml.Node, string) {
		return words(d, dst, parseID, func(node *yaml.Node, path, name string) { d.told.to = append(d.told.to, namedAt{name, path, node}) })
	}
	d.mapping(node, path, field{
		"services": words(d, &a.Named, parseMatch, func(node *yaml.Node, _, _ string) { at = append(at, node) }),
		"on":       words(d, &a.On, parseTrouble, nil),
		"after":    value(d, &a.After, parseSlots),
		"recover":  value(d, &a.Recover, parseSlots),
		"gather":   value(d, &a.Gather, parseGather),
		"remind":   value(d, &a.Remind, parseRemind),
		"to":       to(&a.To),
		"then": func(node *yaml.Node, path string) {
			if len(node.Content) > maxSteps {
				d.fail(node, path, "too many steps: at most %d", maxSteps)
			}
			d.sequence(node, path, func(node *yaml.Node, path string) {
				var s AlertStep
				d.mapping(node, path, field{"after": value(d, &s.After, parseRemind), "to": to(&s.To)})
				if s.After == 0 || len(s.To) == 0 {
					d.fail(node, path, "needs after: and to:, such as {after: 15m, to: duty}")
				}
				a.Then = append(a.Then, s)
			})
		},
	})
	if len(d.mistakes) == before {
		if len(a.To) == 0 {
			d.fail(node, path+".to", "must not be empty: name a channel")
		}
		if len(a.Named) == 0 {
			d.fail(node, path+".services", `must not be empty: write ids of services, "group:NAME", or "*" for all`)
		}
	}
	if len(a.On) == 0 {
		a.On = []string{channel.Down}
	}
	d.told.services = append(d.told.services, at)
	return a
}

// settleAlerts finds the services and channels of rules, when both are known. Services of the command line take the place of those
// that the rules are about.
func (d *decoder) settleAlerts(c *Config, fromFile bool) {
	names, broken := field{}, len(d.mistakes) > 0 // A channel or service with a mistake would be blamed twice.
	for _, ch := range c.Channels {
		names[ch.Name] = nil
		if ch.Kind.Mail && c.Mail == nil {
			d.fail(d.told.channels, "channels."+ch.Name, "mail needs a server: set mail: {server: \"smtp://user:password@host:587\", from: status@example.org}")
		}
	}
	if len(c.Alerts) > 0 && c.Queue != "" && strings.HasPrefix(string(c.Control), "sqlite:") {
		d.fail(d.told.alerts, "alerts", "several processes must know what each has told: set control: postgres://user:password@host:5432/name")
	}
	for _, to := range d.told.to {
		if _, known := names[to.name]; !known && !broken {
			d.fail(to.node, to.path, "there is no such channel%s", orNames(suggest(to.name, names), names))
		}
	}
	for i := range c.Alerts {
		a := &c.Alerts[i]
		for n, match := range a.Named {
			found := matching(c, match)
			if len(found) == 0 && fromFile && !broken {
				d.fail(d.told.services[i][n], fmt.Sprintf("alerts[%d].services[%d]", i, n), "no service matches: write ids of services, \"group:NAME\", or \"*\" for all")
			}
			for _, id := range found {
				if !slices.Contains(a.Services, id) {
					a.Services = append(a.Services, id)
				}
			}
		}
	}
}

func orNames(did string, names field) string {
	switch {
	case did != "":
		return did
	case len(names) == 0:
		return ": name some under channels:"
	default:
		all := make([]string, 0, len(names))
		for name := range names {
			all = append(all, name)
		}
		slices.Sort(all)
		return ": there is " + strings.Join(all, ", ")
	}
}

// matching are the ids of the services that a rule names.
func matching(c *Config, match string) (ids []string) {
	group, isGroup := strings.CutPrefix(match, groupPrefix)
	for _, g := range c.Groups {
		if isGroup && g.ID == group {
			group = g.Name
		}
	}
	for _, s := range c.Checks {
		if match == everyService || !isGroup && s.ID == match || isGroup && s.Group != "" && (strings.EqualFold(s.Group, group) || status.Slug(s.Group) == group) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func parseMatch(text string) (string, error) {
	if text == everyService {
		return text, nil
	}
	if group, is := strings.CutPrefix(text, groupPrefix); is {
		_, err := parseText(group)
		return text, err
	}
	return parseID(text)
}

func parseTrouble(text string) (string, error) {
	switch text {
	case channel.Down, channel.Slow, channel.Certificate:
		return text, nil
	}
	return "", errors.New("write down, slow or certificate")
}

func parseSlots(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxSlots {
		return 0, fmt.Errorf("not a number of measurements in a row, from 1 to %d", maxSlots)
	}
	return n, nil
}

func parseGather(text string) (time.Duration, error) {
	d, err := check.ParseMillis(text)
	if err == nil && (d < 0 || d > time.Hour) {
		err = errors.New("must be between 0s and 1h")
	}
	return d, err
}

func parseRemind(text string) (time.Duration, error) {
	d, err := check.ParseMillis(text)
	if err == nil && (d < time.Minute || d > 30*status.Day) {
		err = errors.New("must be between 1m and 30d")
	}
	return d, err
}

func parseHeartbeat(text string) (Secret, error) {
	_, err := parseURL(text)
	return Secret(text), err
}

type printedMail struct {
	Server string       `yaml:"server"`
	From   string       `yaml:"from"`
	DKIM   *printedDKIM `yaml:"dkim,omitempty"`
}

type printedDKIM struct {
	Domain   string `yaml:"domain"`
	Selector string `yaml:"selector"`
	Key      string `yaml:"key_file"`
}

type printedAlert struct {
	Services []string      `yaml:"services,flow"`
	On       []string      `yaml:"on,flow"`
	After    int           `yaml:"after"`
	Recover  int           `yaml:"recover"`
	Gather   string        `yaml:"gather"`
	Remind   string        `yaml:"remind,omitempty"`
	To       []string      `yaml:"to,flow"`
	Then     []printedStep `yaml:"then,omitempty"`
}

type printedStep struct {
	After string   `yaml:"after"`
	To    []string `yaml:"to,flow"`
}

// printAlerts shows who is told of what, without what channels are reached by.
func (c *Config) printAlerts(p *printed) {
	if c.Heartbeat != "" {
		p.Heartbeat = mask // Who knows the address can say that all is well.
	}
	if m := c.Mail; m != nil {
		p.Mail = &printedMail{Server: redactURL(m.Server), From: m.From}
		if m.DKIM != nil {
			p.Mail.DKIM = &printedDKIM{m.DKIM.Domain, m.DKIM.Selector, mask}
		}
	}
	for _, ch := range c.Channels {
		var settings printedService
		for _, k := range ch.Kind.Keys {
			switch values := ch.Values(k); {
			case len(values) == 0:
			case k.Secret:
				settings.add(k.Name, mask)
			case k.Many:
				settings.add(k.Name, values)
			default:
				settings.add(k.Name, values[0])
			}
		}
		p.Channels = append(p.Channels, setTo{ch.Name, printedService{{ch.Kind.Name, settings}}})
	}
	for _, a := range c.Alerts {
		one := printedAlert{Services: a.Named, On: a.On, After: a.After, Recover: a.Recover, Gather: status.FormatDuration(a.Gather), To: a.To}
		if a.Gather == 0 {
			one.Gather = "0s"
		}
		if a.Remind > 0 {
			one.Remind = status.FormatDuration(a.Remind)
		}
		for _, s := range a.Then {
			one.Then = append(one.Then, printedStep{status.FormatDuration(s.After), s.To})
		}
		p.Alerts = append(p.Alerts, one)
	}
}
