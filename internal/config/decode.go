package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// decoder walks the parsed file and collects every mistake with its place.
type decoder struct {
	file     string
	getenv   func(string) string
	readFile func(string) ([]byte, error)
	lines    []string
	told     told
	mistakes []error
	// Of listen_ops and admin.listen, for what can only be judged with the rest.
	ops, adminListen *yaml.Node
}

// parse reads the file into nodes; nil stands for an empty one. What is no YAML at all is
// returned at once, since nothing behind that place can be trusted.
func (d *decoder) parse(data []byte) (*yaml.Node, error) {
	if line, column := controlAt(data); line > 0 {
		return nil, fmt.Errorf("%s:%d:%d: not UTF-8 text, or a control character", d.file, line, column)
	}
	d.lines = strings.Split(string(data), "\n")
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil //nolint:nilnil // An empty file is a file without settings.
	case err != nil:
		if at, ok := errors.AsType[*yaml.LoadError](err); ok {
			message := at.Message
			if strings.HasPrefix(message, "unknown anchor") {
				message = "unknown anchor" // Its name may be a secret that begins with an asterisk.
			}
			return nil, fmt.Errorf("%s:%d:%d: not YAML: %s%s", d.file, at.Mark.Line, at.Mark.Column, message, d.excerpt(at.Mark.Line, at.Mark.Column))
		}
		return nil, fmt.Errorf("%s: not YAML: %w", d.file, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		d.fail(&second, "", "a second document: write one per file")
	}
	if len(document.Content) != 1 || isNull(document.Content[0]) {
		return nil, nil //nolint:nilnil // As above.
	}
	return document.Content[0], nil
}

// controlAt finds the first byte that no text has, 0 for none.
func controlAt(data []byte) (line, column int) {
	line, column = 1, 0
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		column++
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == '\t', r == '\r':
		case status.IsControl(r), r == utf8.RuneError && size == 1:
			return line, column
		}
		data = data[size:]
	}
	return 0, 0
}

// fail notes a mistake at a node, or at a flag or variable where node is nil.
func (d *decoder) fail(node *yaml.Node, path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	if node != nil {
		text = fmt.Sprintf("%s:%d:%d: %s%s", d.file, node.Line, node.Column, text, d.excerpt(node.Line, node.Column))
	}
	d.mistakes = append(d.mistakes, errors.New(text))
}

// err joins all mistakes, in the order of the file.
func (d *decoder) err() error { return errors.Join(d.mistakes...) }

// excerpt shows the line with a caret under the place, unless it may hold a secret.
func (d *decoder) excerpt(line, column int) string {
	if line < 1 || line > len(d.lines) || column < 1 {
		return ""
	}
	text := strings.TrimRight(d.lines[line-1], "\r")
	if mayHoldSecret(text) || slices.ContainsFunc(secretKeys, func(key string) bool { return strings.Contains(text, key) }) || d.inSecrets(line) || len(text) > 160 {
		return ""
	}
	return "\n    " + text + "\n    " + strings.Repeat(" ", min(column-1, len(text))) + "^"
}

// secretKeys are settings whose values may be secrets, whatever they look like.
var secretKeys = append(check.Secrets(), "agents", "tokens", "control", "channels", "heartbeat", "server:")

// inSecrets tells whether a line stands below one of the secretKeys, or a token, that is less indented.
func (d *decoder) inSecrets(line int) bool {
	indent := func(s string) int { return len(s) - len(strings.TrimLeft(s, " -")) }
	depth := indent(d.lines[line-1])
	for i := line - 2; i >= 0 && depth > 0; i-- {
		text := d.lines[i]
		if strings.TrimSpace(text) == "" || indent(text) >= depth {
			continue
		}
		key := strings.TrimLeft(text, " -")
		if strings.HasPrefix(key, "token") || slices.ContainsFunc(secretKeys, func(secret string) bool { return strings.HasPrefix(key, secret) }) {
			return true
		}
		depth = indent(text)
	}
	return false
}

// field is a key that a mapping may have.
type field map[string]func(node *yaml.Node, path string)

// mapping hands each value of a mapping to its field. Unknown and repeated keys are mistakes.
func (d *decoder) mapping(node *yaml.Node, path string, fields field) {
	d.mappingOf(node, path, fields, nil)
}

// mappingOf is mapping that says of some unknown keys where they belong.
func (d *decoder) mappingOf(node *yaml.Node, path string, fields field, foreign map[string]string) {
	if node == nil || isNull(node) {
		return
	}
	if !d.plain(node, path) {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.fail(node, path, "must be a mapping of settings")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := join(path, key.Value)
		if key.Kind != yaml.ScalarNode {
			d.fail(key, path, "a key must be a word")
			continue
		}
		if line, twice := seen[key.Value]; twice {
			d.fail(key, at, "stands in line %d already", line)
			continue
		}
		seen[key.Value] = key.Line
		take, known := fields[key.Value]
		if why := foreign[key.Value]; !known && why != "" {
			d.fail(key, at, "%s", why)
			continue
		}
		if !known {
			d.fail(key, at, "unknown setting%s", suggest(key.Value, fields))
			continue
		}
		if !isNull(value) {
			take(value, at)
		}
	}
}

// sequence hands each element of a sequence to take.
func (d *decoder) sequence(node *yaml.Node, path string, take func(node *yaml.Node, path string)) {
	if !d.plain(node, path) {
		return
	}
	if node.Kind != yaml.SequenceNode {
		d.fail(node, path, "must be a list")
		return
	}
	for i, element := range node.Content {
		take(element, fmt.Sprintf("%s[%d]", path, i))
	}
}

// plain refuses aliases, anchors and tags of the file's own.
func (d *decoder) plain(node *yaml.Node, path string) bool {
	if node.Kind == yaml.AliasNode || node.Anchor != "" || node.Style&yaml.TaggedStyle != 0 {
		d.fail(node, path, "aliases, anchors and tags are not read; put what services share under defaults")
		return false
	}
	return true
}

// text returns the text of a scalar with its variables filled in.
func (d *decoder) text(node *yaml.Node, path string) (string, bool) {
	if !d.plain(node, path) {
		return "", false
	}
	if node.Kind != yaml.ScalarNode {
		d.fail(node, path, "must be a single value")
		return "", false
	}
	text, err := expand(node.Value, d.getenv)
	if err != nil {
		d.fail(node, path, "%v", err)
		return "", false
	}
	return text, true
}

// value makes a field that parses a scalar into dst.
func value[T any](d *decoder, dst *T, parse func(string) (T, error)) func(*yaml.Node, string) {
	return func(node *yaml.Node, path string) {
		text, ok := d.text(node, path)
		if !ok {
			return
		}
		v, err := parse(text)
		if err != nil {
			d.fail(node, path, "%v", err)
			return
		}
		*dst = v
	}
}

// list appends what parse makes of each element of a sequence.
func list[T comparable](d *decoder, dst *[]T, parse func(string) (T, error)) func(*yaml.Node, string) {
	return func(node *yaml.Node, path string) {
		d.sequence(node, path, func(node *yaml.Node, path string) {
			var v, none T
			if value(d, &v, parse)(node, path); v != none {
				*dst = append(*dst, v)
			}
		})
	}
}

// expand fills in ${VAR} and ${VAR:-default}; $$ is a dollar, and any other dollar stays.
func expand(text string, getenv func(string) string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), nil
		case strings.HasPrefix(after, "$"):
			b.WriteByte('$')
			text = after[1:]
		case strings.HasPrefix(after, "{"):
			inside, rest, closed := strings.Cut(after[1:], "}")
			name, fallback, hasFallback := strings.Cut(inside, ":-")
			if !closed || !isVariable(name) {
				return "", errors.New("write a variable as ${NAME} or ${NAME:-default}, and a dollar as $$")
			}
			v := getenv(name)
			if v == "" && !hasFallback {
				return "", fmt.Errorf("variable %s is not set: set it, or write ${%s:-default}", name, name)
			}
			if v == "" {
				v = fallback
			}
			b.WriteString(v)
			text = rest
		default:
			b.WriteByte('$')
			text = after
		}
	}
}

func isVariable(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func join(path, key string) string {
	if strings.Contains(key, "://") {
		key = mask // An address in the place of a name, which may be a secret.
	}
	if len(key) > maxNameLength {
		key = key[:maxNameLength]
	}
	if status.HasControl(key) {
		key = strconv.Quote(key) // A message is one line.
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// suggest names the known key that is at most two letters away.
func suggest(key string, fields field) string {
	best, distance := "", 3
	for name := range fields {
		if n := editDistance(key, name); n < distance || n == distance && name < best {
			best, distance = name, n
		}
	}
	if distance > 2 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
