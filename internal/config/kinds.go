package config

import (
	"statuspage/internal/check"
	"strings"

	"go.yaml.in/yaml/v4"
)

// copyOwn leaves p with copies of the settings of these kinds, which may be changed.
func (p *probing) copyOwn(of []*check.Kind) {
	shared := p.own
	p.own = make(map[*check.Kind]*check.Check, len(of))
	for _, k := range of {
		c := shared[k].Clone()
		p.own[k] = &c
	}
}

// kindOf looks ahead for the kind of a service's check, nil where its address does not tell. What is wrong with
// the address is said when its turn comes.
func (d *decoder) kindOf(service *yaml.Node) *check.Kind {
	if service.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(service.Content); i += 2 {
		if service.Content[i].Value != "url" || service.Content[i+1].Kind != yaml.ScalarNode {
			continue
		}
		text, err := expand(service.Content[i+1].Value, d.getenv)
		if err == nil {
			return check.OfAddress(strings.ToLower(text))
		}
	}
	return nil
}

// ownKey is a key of one or more kinds, with the checks that it sets.
type ownKey struct {
	check.Key
	checks []*check.Check
}

// own adds the settings that these kinds have of their own to the fields of a mapping. It returns those that only others
// have, each with what to say of it.
func (d *decoder) own(fields field, p *probing, of []*check.Kind) (foreign map[string]string) {
	keys := map[string]*ownKey{}
	for _, k := range of {
		for _, key := range k.Keys {
			if keys[key.Name] == nil {
				keys[key.Name] = &ownKey{Key: key}
			}
			keys[key.Name].checks = append(keys[key.Name].checks, p.own[k])
		}
	}
	inner := map[string]field{}
	for name, key := range keys {
		outer, rest, nested := strings.Cut(name, ".")
		if !nested {
			fields[name] = d.ownKey(key)
			continue
		}
		if inner[outer] == nil {
			inner[outer] = field{}
		}
		inner[outer][rest] = d.ownKey(key)
	}
	foreign, innerForeign := map[string]string{}, map[string]map[string]string{}
	if len(of) == 1 { // Of one that is none of all kinds, nobody knows what is foreign to it.
		foreign, innerForeign = foreignTo(of[0])
	}
	for outer, sub := range inner {
		others := innerForeign[outer]
		delete(foreign, outer)
		fields[outer] = func(node *yaml.Node, path string) { d.mappingOf(node, path, sub, others) }
	}
	return foreign
}

// foreignTo lists the settings that a kind does not have and others have, by name, and those in mappings of their own.
func foreignTo(k *check.Kind) (outer map[string]string, inner map[string]map[string]string) {
	has := map[string]bool{}
	for _, key := range k.Keys {
		has[key.Name] = true
	}
	outer, inner = map[string]string{}, map[string]map[string]string{}
	for _, other := range check.Kinds() {
		for _, key := range other.Keys {
			if has[key.Name] {
				continue
			}
			why := "a setting of " + other.Name + " checks, and the address is one of " + k.Name + ": leave it out"
			first, rest, nested := strings.Cut(key.Name, ".")
			outer[first] = why
			if nested {
				if inner[first] == nil {
					inner[first] = map[string]string{}
				}
				inner[first][rest] = why
			}
		}
	}
	return outer, inner
}

// ownKey makes a field that sets a key of its checks.
func (d *decoder) ownKey(k *ownKey) func(node *yaml.Node, path string) {
	set := func(node *yaml.Node, path string) {
		text, ok := d.text(node, path)
		if !ok {
			return
		}
		for _, c := range k.checks {
			if err := k.Set(c, text); err != nil {
				d.fail(node, path, "%v", err)
				return
			}
		}
	}
	if k.Form == check.One {
		return set
	}
	return func(node *yaml.Node, path string) {
		for _, c := range k.checks {
			k.Begin(c)
		}
		switch {
		case k.Form == check.Map:
			d.mapping(node, path, d.names(node, k))
		case node.Kind == yaml.ScalarNode:
			set(node, path)
		default:
			d.sequence(node, path, set)
			if len(node.Content) == 0 {
				d.fail(node, path, "must name at least one %s", k.Element)
			}
		}
	}
}

// names lists what a mapping has whose names are not ours.
func (d *decoder) names(node *yaml.Node, k *ownKey) field {
	fields := field{}
	if node.Kind != yaml.MappingNode {
		return fields
	}
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i]
		fields[key.Value] = func(node *yaml.Node, path string) {
			if err := k.Names(key.Value); err != nil {
				d.fail(key, path, "%v", err)
				return
			}
			text, ok := d.text(node, path)
			if !ok {
				return
			}
			for _, c := range k.checks {
				if err := k.Put(c, key.Value, text); err != nil {
					d.fail(node, path, "%v", err)
					return
				}
			}
		}
	}
	return fields
}
