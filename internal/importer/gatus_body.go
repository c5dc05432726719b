package importer

import (
	"regexp"
	"slices"
	"strings"
)

var numeric = regexp.MustCompile(`^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?$`)

// typed has numbers, true and false as such; anything else is a text.
func typed(text string) (v any, isNumber bool) {
	switch {
	case numeric.MatchString(text):
		return raw(text), true
	case text == "true" || text == "false":
		return raw(text), false
	}
	return text, false
}

// blank is a body with nothing in it, as len([BODY]) counts: of a list its elements.
const blank = `^\s*(\[\s*\])?\s*$$`

// body takes a condition on the body, or on what stands in it.
func (g *gatusConditions) body(c gatusCondition, wrap, path string) {
	switch {
	case wrap == "has":
		g.alive = g.alive || (c.op == "==") == (c.right == "true")
		if c.op != "==" && c.op != "!=" || c.right != "true" && c.right != "false" || path == "" {
			g.lose(c, "only == true or false can be expected")
			return
		}
		g.match(c, raw(map[bool]string{true: "true", false: "false"}[(c.op == "==") == (c.right == "true")]), "expect", "json", path, "present")
	case wrap == "len":
		g.length(c, path)
	case path == "":
		g.text(c)
	default:
		g.json(c, path)
	}
}

// match sets a matcher; one that is there already would be overwritten, or become one of which either does.
func (g *gatusConditions) match(c gatusCondition, v any, at ...string) {
	switch before := g.s.settings.get(at...); {
	case before == nil:
	case slices.Contains([]string{"not", "lacks", "lacks_match"}, at[len(at)-1]): // Of these each must hold.
		v = append(listed(before), listed(v)...)
	default:
		g.lose(c, "there is one like it already, and both can't be expected")
		return
	}
	g.s.set(v, at...)
}

var gatusNumbers = map[string]string{">": "above", ">=": "at_least", "<": "below", "<=": "at_most"}

func (g *gatusConditions) length(c gatusCondition, path string) {
	op := gatusNumbers[c.op]
	if !numeric.MatchString(c.right) || op == "" && c.op != "==" {
		if path != "" || c.op != "!=" || c.right != "0" {
			g.alive = g.alive || c.op == "=="
			g.lose(c, "only a number can be expected of a length")
			return
		}
	}
	some := c.op == ">" && c.right == "0" || c.op == ">=" && c.right == "1" || c.op == "!=" && c.right == "0"
	none := c.op == "==" && c.right == "0" || c.op == "<" && c.right == "1" || c.op == "<=" && c.right == "0"
	g.alive = g.alive || !none && c.op != "<" && c.op != "<="
	switch {
	case path == "" && some:
		g.match(c, blank, "expect", "body", "lacks_match")
	case path == "" && none:
		g.match(c, blank, "expect", "body", "matches")
	case path == "":
		g.s.changed("len([BODY]) counts bytes here, also where the body is a list")
		if op == "" {
			g.match(c, raw(c.right), "expect", "body", "size", "at_least")
			op = "at_most"
		}
		g.match(c, raw(c.right), "expect", "body", "size", op)
	default:
		if op == "" {
			op = "equals"
		}
		g.match(c, raw(c.right), "expect", "json", path, "length", op)
	}
}

func (g *gatusConditions) text(c gatusCondition) {
	values, patterns := gatusValues(c.right)
	is := c.op == "=="
	g.alive = g.alive || is && c.right != ""
	if c.op != "==" && c.op != "!=" {
		g.lose(c, "a body is compared by == and != only")
		return
	}
	simple := func(p string) (string, bool) {
		inner := strings.TrimSuffix(strings.TrimPrefix(p, "*"), "*")
		return inner, len(p) > 2 && p[0] == '*' && p[len(p)-1] == '*' && inner != "" && !strings.ContainsAny(inner, "*?[\\")
	}
	contained := make([]any, 0, len(patterns))
	for _, p := range patterns {
		if inner, does := simple(p); does {
			contained = append(contained, inner)
		}
	}
	switch {
	case len(values) == 0 && len(contained) == len(patterns) && is:
		g.match(c, oneOf(contained), "expect", "body", "contains")
	case len(values) == 0 && len(contained) == len(patterns):
		g.match(c, oneOf(contained), "expect", "body", "lacks")
	case len(patterns) == 0 && is:
		g.match(c, oneOf(texts(values)), "expect", "body", "equals")
	case strings.Contains(c.right, "${"):
		g.lose(c, "a variable can't stand in a pattern")
	default:
		g.match(c, oneOf(expressions(values, patterns)), "expect", "body", map[bool]string{true: "matches", false: "lacks_match"}[is])
	}
}

// expressions are regular expressions of texts and patterns, in which white space around a text counts no more than there.
func expressions(values, patterns []string) (all []any) {
	for _, v := range values {
		all = append(all, literal(`^\s*`+regexp.QuoteMeta(plain(v))+`\s*$`))
	}
	for _, p := range patterns {
		all = append(all, literal(globText(plain(p))))
	}
	return all
}

func listed(v any) []any {
	if all, is := v.([]any); is {
		return all
	}
	return []any{v}
}

func oneOf(all []any) any {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

func (g *gatusConditions) json(c gatusCondition, path string) {
	path = plain(path)
	values, patterns := gatusValues(c.right)
	switch op := gatusNumbers[c.op]; {
	case op != "":
		if !numeric.MatchString(c.right) {
			g.lose(c, "not a number")
			return
		}
		if c.op == "<" || c.op == "<=" {
			g.s.changed("where %s is missing Gatus takes it for 0; here it is down", cut(path))
		} else {
			g.alive = true
		}
		g.match(c, raw(c.right), "expect", "json", path, op)
	case len(patterns) > 0 && (len(values) > 0 || c.op == "!=" || strings.Contains(c.right, "${")):
		g.alive = g.alive || c.op == "=="
		g.lose(c, "patterns can be expected by == alone, and without variables")
	case len(patterns) > 0:
		g.alive = true
		g.match(c, oneOf(expressions(nil, patterns)), "expect", "json", path, "matches")
	default:
		all := make([]any, 0, len(values))
		for _, text := range values {
			v, isNumber := typed(text)
			if isNumber {
				g.s.changed("%s is compared with a number, not with its text", cut(path))
			}
			all = append(all, v)
		}
		op := "equals"
		switch {
		case c.op == "!=":
			op = "not"
			g.s.changed("where %s is missing it is down; in Gatus it is fine", cut(path))
		case len(all) > 1:
			op = "any_of"
		}
		g.alive = g.alive || c.op == "=="
		g.match(c, oneOf(all), "expect", "json", path, op)
	}
}
