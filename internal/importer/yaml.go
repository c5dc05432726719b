package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const maxDepth = 60

// document is one YAML document of a file.
type document struct {
	root *yaml.Node
	file string
	add  int // To its lines: it may stand inside another.
	left *int
}

// documents reads a file of YAML.
func documents(path string) ([]document, error) {
	body, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, body, 0)
}

func parse(path string, body []byte, add int) (all []document, err error) {
	defer func() {
		if recover() != nil { // The library's own mistake, on what is no YAML.
			all, err = nil, fmt.Errorf("%s: not YAML", visible(path))
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(body))
	left := 2_000_000
	for len(all) < 1000 {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			hint := ""
			if bytes.Contains(body, []byte("{{")) {
				hint = "; it looks like a template: render it first"
			}
			if at, ok := errors.AsType[*yaml.LoadError](err); ok { // Its text may repeat what stands there.
				return nil, fmt.Errorf("%s:%d: not YAML%s", visible(path), at.Mark.Line+add, hint)
			}
			return nil, fmt.Errorf("%s: not YAML%s", visible(path), hint)
		}
		if len(doc.Content) == 1 {
			all = append(all, document{doc.Content[0], path, add, &left})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: an empty file", visible(path))
	}
	return all, nil
}

// value is a node of a source, read with its aliases and merges.
type value struct {
	node  *yaml.Node
	doc   *document
	depth int
}

func (d *document) value() value { return value{d.root, d, 0}.resolved() }

func (v value) resolved() value {
	for v.node != nil && v.node.Kind == yaml.AliasNode {
		v.node, v.depth = v.node.Alias, v.depth+1
		if v.spent() {
			return value{nil, v.doc, v.depth}
		}
	}
	return v
}

// spent bounds what aliases of aliases come to.
func (v value) spent() bool {
	*v.doc.left--
	return *v.doc.left < 0 || v.depth > maxDepth
}

func (v value) is(kind yaml.Kind) bool { return v.node != nil && v.node.Kind == kind }

// missing tells whether nothing is there.
func (v value) missing() bool {
	return v.node == nil || v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null"
}

func (v value) line() int {
	if v.node == nil {
		return 0
	}
	return v.node.Line + v.doc.add
}

// field is a key of a mapping with its value.
type field struct {
	key string
	value
}

// fields lists a mapping: its own keys before those that it merges.
func (v value) fields() []field { return v.gather(nil) }

func (v value) gather(all []field) []field {
	if !v.is(yaml.MappingNode) || v.spent() {
		return all
	}
	var merged []value
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, at := v.node.Content[i], value{v.node.Content[i+1], v.doc, v.depth + 1}.resolved()
		if key.ShortTag() == "!!merge" {
			if at.is(yaml.SequenceNode) {
				merged = append(merged, at.items()...)
			} else {
				merged = append(merged, at)
			}
			continue
		}
		if key.Kind == yaml.ScalarNode && !slices.ContainsFunc(all, func(f field) bool { return f.key == key.Value }) {
			all = append(all, field{key.Value, at})
		}
	}
	for _, m := range merged {
		all = m.gather(all)
	}
	return all
}

// get returns the value of a key, looking down a path of them.
func (v value) get(path ...string) value {
	for _, key := range path {
		found := value{nil, v.doc, v.depth}
		for _, f := range v.fields() {
			if f.key == key {
				found = f.value
				break
			}
		}
		v = found
	}
	return v
}

// items lists a sequence.
func (v value) items() (all []value) {
	if !v.is(yaml.SequenceNode) {
		return nil
	}
	for _, node := range v.node.Content {
		if v.spent() {
			return all
		}
		all = append(all, value{node, v.doc, v.depth + 1}.resolved())
	}
	return all
}

// str returns the text of a scalar, empty for anything else.
func (v value) str() string {
	if v.missing() || v.node.Kind != yaml.ScalarNode {
		return ""
	}
	if v.node.ShortTag() == "!!binary" {
		var text string
		if v.node.Decode(&text) == nil {
			return text
		}
	}
	return strings.TrimSpace(v.node.Value)
}
