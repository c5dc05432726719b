package config

import (
	"maps"
	"path/filepath"
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

// keyTree is keys by the words of their dotted names.
type keyTree struct {
	key   *ownKey // What may stand here, nil for a mapping alone.
	words map[string]*keyTree
}

func (t *keyTree) at(name string) *keyTree {
	for word := range strings.SplitSeq(name, ".") {
		if t.words == nil {
			t.words = map[string]*keyTree{}
		}
		if t.words[word] == nil {
			t.words[word] = new(keyTree)
		}
		t = t.words[word]
	}
	return t
}

// own adds the settings that these kinds have of their own to the fields of a mapping. It returns those that only others
// have, each with what to say of it.
func (d *decoder) own(fields field, p *probing, of []*check.Kind) (foreign map[string]string) {
	var root, others keyTree
	add := func(k *check.Kind, key check.Key, name string) {
		at := root.at(name)
		if at.key == nil {
			at.key = &ownKey{Key: key}
		}
		at.key.checks = append(at.key.checks, p.own[k])
	}
	for _, k := range of {
		for _, key := range k.Keys {
			add(k, key, key.Name)
			if key.Short != "" {
				add(k, key, key.Short)
			}
		}
	}
	if len(of) == 1 { // Of one that is none of all kinds, nobody knows what is foreign to it.
		for _, k := range check.Kinds() {
			for _, key := range k.Keys {
				others.at(key.Name)
			}
		}
	}
	own, foreign := d.ownFields(&root, &others, "", of[0])
	maps.Copy(fields, own)
	return foreign
}

// ownFields makes fields of a tree, and says of what stands in the tree of all kinds alone whose it is.
func (d *decoder) ownFields(t, all *keyTree, path string, of *check.Kind) (fields field, foreign map[string]string) {
	fields, foreign = field{}, map[string]string{}
	for word := range all.words {
		if t.words[word] == nil {
			foreign[word] = "a setting of " + check.WhoHas(join(path, word)) + " checks, and the address is one of " + of.Name + ": leave it out"
		}
	}
	for word, sub := range t.words {
		whole := all.words[word]
		if whole == nil {
			whole = new(keyTree)
		}
		if len(sub.words) == 0 {
			fields[word] = d.ownKey(sub.key)
			continue
		}
		inner, others := d.ownFields(sub, whole, join(path, word), of)
		fields[word] = func(node *yaml.Node, path string) {
			if sub.key != nil && node.Kind != yaml.MappingNode {
				d.ownKey(sub.key)(node, path)
				return
			}
			d.mappingOf(node, path, inner, others)
		}
	}
	return fields, foreign
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
	switch k.Form {
	case check.One:
		return set
	case check.Matcher:
		return func(node *yaml.Node, path string) {
			for _, c := range k.checks {
				k.Begin(c)
			}
			d.matcher(node, path, k, "")
		}
	case check.File:
		return func(node *yaml.Node, path string) { d.keyFile(node, path, k) }
	case check.List, check.Map, check.Matchers:
	}
	return func(node *yaml.Node, path string) {
		for _, c := range k.checks {
			k.Begin(c)
		}
		switch {
		case k.Form == check.Map:
			d.mapping(node, path, d.names(node, k))
		case k.Form == check.Matchers:
			d.matchers(node, path, k)
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

// keyFile reads a file beside the configuration into a key of its checks.
func (d *decoder) keyFile(node *yaml.Node, path string, k *ownKey) {
	var name string
	value(d, &name, parsePath)(node, path)
	if name == "" {
		return
	}
	at := name
	if !filepath.IsAbs(at) {
		at = filepath.Join(filepath.Dir(d.file), at)
	}
	body, err := d.readFile(at)
	if err != nil {
		d.fail(node, path, "the file can't be read: create it, or name another")
		return
	}
	for _, c := range k.checks {
		if err := k.Load(c, name, body); err != nil {
			d.fail(node, path, "in the file: %v", err)
			return
		}
	}
}

// matcher reads a value, a list of values, or operators with theirs.
func (d *decoder) matcher(node *yaml.Node, path string, k *ownKey, name string) {
	if node.Kind != yaml.MappingNode {
		d.matchValues(node, path, k, name, k.Ops[0])
		return
	}
	var root keyTree
	for _, op := range k.Ops {
		root.at(op)
	}
	d.refuseNulls(node, path)
	if len(node.Content) == 0 {
		d.fail(node, path, "expects nothing: give a value, or an operator such as %s", k.Ops[0])
		return
	}
	d.mapping(node, path, d.operators(&root, "", k, name))
}

// operators makes fields of the operators in a tree.
func (d *decoder) operators(t *keyTree, above string, k *ownKey, name string) field {
	fields := field{}
	for word, sub := range t.words {
		op := join(above, word)
		fields[word] = func(node *yaml.Node, path string) {
			switch {
			case len(sub.words) == 0:
				d.matchValues(node, path, k, name, op)
			case node.Kind == yaml.MappingNode:
				d.refuseNulls(node, path)
				d.mapping(node, path, d.operators(sub, op, k, name))
			case sub.words["equals"] != nil:
				d.matchValues(node, path, k, name, op+".equals")
			default:
				d.fail(node, path, "must be a mapping, such as {below: 100}")
			}
		}
	}
	return fields
}

// matchValues reads one value of an operator, or several.
func (d *decoder) matchValues(node *yaml.Node, path string, k *ownKey, name, op string) {
	one := func(node *yaml.Node, path string) {
		if isNull(node) {
			d.fail(node, path, "expects nothing: write {present: false} for what must not be there, or leave it out")
			return
		}
		text, ok := d.text(node, path)
		if !ok {
			return
		}
		quoted := node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		for _, c := range k.checks {
			if err := k.Match(c, name, op, text, quoted); err != nil {
				d.fail(node, path, "%v", err)
				return
			}
		}
	}
	if node.Kind == yaml.ScalarNode {
		one(node, path)
		return
	}
	d.sequence(node, path, one)
	if node.Kind == yaml.SequenceNode && len(node.Content) == 0 {
		d.fail(node, path, "must name at least one value")
	}
}

// matchers reads a mapping whose names are not ours, each with a matcher.
func (d *decoder) matchers(node *yaml.Node, path string, k *ownKey) {
	fields := field{}
	if node.Kind == yaml.MappingNode {
		d.refuseNulls(node, path)
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i]
			fields[key.Value] = func(node *yaml.Node, path string) {
				err := k.Names(key.Value)
				for _, c := range k.checks {
					if err == nil {
						err = k.Clear(c, key.Value)
					}
				}
				if err != nil {
					d.fail(key, path, "%v", err)
					return
				}
				d.matcher(node, path, k, key.Value)
			}
		}
	}
	d.mapping(node, path, fields)
}

// refuseNulls refuses what would be read as not written: an expectation that nobody has is green that nobody measured.
func (d *decoder) refuseNulls(node *yaml.Node, path string) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if isNull(node.Content[i+1]) {
			d.fail(node.Content[i+1], join(path, node.Content[i].Value), "expects nothing: write {present: false} for what must not be there, or leave it out")
		}
	}
}
