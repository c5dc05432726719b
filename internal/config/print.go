package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"

	"go.yaml.in/yaml/v4"
)

// printed is the file form of the settings as they work out.
type printed struct {
	Title      string           `yaml:"title"`
	Listen     string           `yaml:"listen"`
	ListenOps  string           `yaml:"listen_ops,omitempty"`
	Database   string           `yaml:"database"`
	Outbox     string           `yaml:"outbox"`
	Queue      string           `yaml:"queue,omitempty"`
	Region     string           `yaml:"region,omitempty"`
	Retention  string           `yaml:"retention"`
	Timezone   string           `yaml:"timezone"`
	PageID     string           `yaml:"page_id,omitempty"`
	BaseURL    string           `yaml:"base_url,omitempty"`
	MaxViewers int              `yaml:"max_viewers"`
	Limits     printedLimits    `yaml:"limits"`
	Proxies    []string         `yaml:"trusted_proxies,omitempty"`
	CORS       *printedCORS     `yaml:"cors,omitempty"`
	Guard      any              `yaml:"guard,omitempty"`
	Canary     []string         `yaml:"canary,omitempty"`
	Agents     []printedAgent   `yaml:"agents,omitempty"`
	Control    string           `yaml:"control"`
	Admin      any              `yaml:"admin,omitempty"`
	Tokens     []printedToken   `yaml:"tokens,omitempty"`
	Mail       *printedMail     `yaml:"mail,omitempty"`
	Channels   printedService   `yaml:"channels,omitempty"`
	Alerts     []printedAlert   `yaml:"alerts,omitempty"`
	Heartbeat  string           `yaml:"heartbeat,omitempty"`
	Brand      *printedBrand    `yaml:"brand,omitempty"`
	Groups     []printedGroup   `yaml:"groups,omitempty"`
	Services   []printedService `yaml:"services"`
}

type printedCORS struct {
	AllowOrigins []string `yaml:"allow_origins"`
}

type printedBrand struct {
	Logo   string        `yaml:"logo,omitempty"`
	Icon   string        `yaml:"favicon,omitempty"`
	CSS    string        `yaml:"css,omitempty"`
	Accent string        `yaml:"accent,omitempty"`
	Header []printedLink `yaml:"header,omitempty"`
	Footer []printedLink `yaml:"footer,omitempty"`
}

type printedLink struct {
	Text string `yaml:"text"`
	URL  string `yaml:"url"`
}

type printedGroup struct {
	Name        string `yaml:"name"`
	ID          string `yaml:"id"`
	Description string `yaml:"description,omitempty"`
}

// printedService is one service: settings of its kind stand among those that all have.
type printedService []setTo

type setTo struct {
	name  string
	value any
}

// add sets a name, which may be dotted, unless there is nothing to set it to.
func (p *printedService) add(name string, value any) {
	outer, inner, nested := strings.Cut(name, ".")
	switch {
	case value == nil || value == "":
	case !nested:
		*p = append(*p, setTo{name, value})
	default:
		at := slices.IndexFunc(*p, func(s setTo) bool { return s.name == outer })
		if at < 0 {
			at = len(*p)
			*p = append(*p, setTo{outer, printedService{}})
		}
		sub := (*p)[at].value.(printedService) //nolint:forcetypeassert // As it was made above.
		sub.add(inner, value)
		(*p)[at].value = sub
	}
}

// MarshalYAML implements yaml.Marshaler: a mapping in this order.
func (p printedService) MarshalYAML() (any, error) {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range p {
		var key, value yaml.Node
		if err := errors.Join(key.Encode(s.name), value.Encode(s.value)); err != nil {
			return nil, err
		}
		node.Content = append(node.Content, &key, &value)
	}
	return node, nil
}

// Print writes the effective settings as YAML, with *** for secrets.
func (c *Config) Print(w io.Writer) error {
	p := printed{
		Title: c.Title, Listen: c.Listen, ListenOps: c.ListenOps, Database: c.Database.String(), Outbox: c.Outbox,
		Queue: c.Queue.String(), Region: c.Region,
		Retention: status.FormatDuration(c.Retention), Timezone: c.Timezone.String(), PageID: c.PageID, BaseURL: c.BaseURL,
		MaxViewers: c.MaxViewers, Limits: printedLimits{c.Limits.Requests.N, c.Limits.Streams.N}, Services: []printedService{},
	}
	for _, proxies := range c.Proxies {
		p.Proxies = append(p.Proxies, proxies.String())
	}
	if len(c.CORS) > 0 {
		p.CORS = &printedCORS{c.CORS}
	}
	p.Agents = printedAgents(c.Agents)
	p.Control, p.Admin, p.Tokens = c.Control.String(), c.Admin.printed(), printedTokens(c.Tokens)
	c.printAlerts(&p)
	p.Guard, p.Canary = c.Guard.printed(), c.Canary
	p.Brand = c.Brand.printed()
	for _, g := range c.Groups {
		p.Groups = append(p.Groups, printedGroup{g.Name, g.ID, g.Description})
	}
	for _, k := range c.Checks {
		p.Services = append(p.Services, printedCheck(k))
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	var root yaml.Node
	err := root.Encode(p)
	if err == nil {
		escape(&root)
		err = e.Encode(&root)
	}
	if err != nil {
		return fmt.Errorf("print settings: %w", err)
	}
	return e.Close()
}

func printedCheck(c check.Check) (p printedService) {
	p.add("name", c.Name)
	p.add("id", c.ID)
	if len(c.Aliases) > 0 {
		p.add("aliases", c.Aliases)
	}
	p.add("group", c.Group)
	p.add("url", printedURL(c))
	p.add("interval", status.FormatDuration(c.Interval))
	p.add("timeout", status.FormatDuration(c.Attempt().Timeout))
	if c.Retries > 0 {
		p.add("retries", c.Retries)
		p.add("retry_after", status.FormatDuration(c.RetryAfter))
	}
	for _, key := range c.Kind().Keys {
		value := key.Show(c)
		if key.Secret {
			value = masked(value)
		}
		p.add(key.Name, written(value, key.Ops))
	}
	p.add("hide_url", c.HideURL)
	if len(c.Regions) > 0 {
		p.add("regions", c.Regions)
		p.add("down_when", downWhenText(c.Service))
	}
	return p
}

// written has conditions as they are read.
func written(value any, ops []string) any {
	switch v := value.(type) {
	case []check.Match:
		return writtenMatch(v, ops)
	case map[string][]check.Match:
		names := make(map[string]any, len(v))
		for name, one := range v {
			names[name] = writtenMatch(one, ops)
		}
		return names
	default:
		return value
	}
}

func writtenMatch(all []check.Match, ops []string) any {
	if len(all) == 1 && all[0].Op == ops[0] && len(all[0].Values) == 1 {
		return plainValue(all[0].Values[0])
	}
	var p printedService
	for _, m := range all {
		values := make([]any, 0, len(m.Values))
		for _, v := range m.Values {
			values = append(values, plainValue(v))
		}
		if len(values) == 1 {
			p.add(m.Op, values[0])
			continue
		}
		p.add(m.Op, values)
	}
	return p
}

// plainValue has numbers as they were written, and texts in quotes where they look like something else.
func plainValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: v.String()}
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: v}
	default:
		return v
	}
}

var dollars = strings.NewReplacer("$$", "$$$$", "${", "$${")

// escape writes a dollar as it is read, where reading would see a variable. Names are read as they are.
func escape(node *yaml.Node) {
	for i, child := range node.Content {
		if node.Kind != yaml.MappingNode || i%2 == 1 {
			escape(child)
		}
	}
	if node.Kind == yaml.ScalarNode {
		node.Value = dollars.Replace(node.Value)
	}
}

// masked is a value of which only is seen that there is one.
func masked(value any) any {
	switch v := value.(type) {
	case nil:
		return nil
	case map[string]string:
		names := make(map[string]string, len(v))
		for name := range v {
			names[name] = mask
		}
		return names
	default:
		return mask
	}
}

// printedURL shows of a hidden address no more than the store has.
func printedURL(k check.Check) string {
	text := k.URL
	if u, err := url.Parse(k.Target); err == nil && u.User != nil {
		text = strings.Replace(text, "://", "://"+mask+"@", 1)
	}
	return text
}

func (b Brand) printed() *printedBrand {
	p := printedBrand{Logo: b.Logo.Name, Icon: b.Icon.Name, CSS: b.CSS.Name, Accent: b.Accent.Light}
	for _, l := range b.Header {
		p.Header = append(p.Header, printedLink{l.Text, l.Href})
	}
	for _, l := range b.Footer {
		p.Footer = append(p.Footer, printedLink{l.Text, l.Href})
	}
	if p.Logo+p.Icon+p.CSS+p.Accent == "" && p.Header == nil && p.Footer == nil {
		return nil
	}
	return &p
}
