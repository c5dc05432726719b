package importer

import (
	"cmp"
	"regexp"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
)

// gatusConditions are the conditions of one endpoint of Gatus, on their way to ours.
type gatusConditions struct {
	s       *service
	kind    string
	slow    bool
	codes   codes         // That all conditions on the status allow.
	exact   string        // The status where a variable tells it.
	latency time.Duration // 0 for none.
	alive   bool          // Some condition is false where nobody answers.
	cert    time.Duration // For how long a certificate must be good.
	hasCert bool
}

var gatusOperators = []string{"==", "!=", "<=", ">=", "<", ">"}

// gatusCondition is a placeholder, an operator and a value.
type gatusCondition struct{ left, op, right string }

// parseGatus reads one condition; what stands on the wrong side is swapped.
func parseGatus(text string) (c gatusCondition, ok bool) {
	at, op := -1, ""
	for _, o := range gatusOperators {
		if n := strings.Index(text, o); n >= 0 && (at < 0 || n < at) {
			at, op = n, o
		}
	}
	if at < 0 {
		return c, false
	}
	c = gatusCondition{strings.TrimSpace(text[:at]), op, strings.TrimSpace(text[at+len(op):])}
	if !strings.Contains(c.left, "[") && strings.Contains(c.right, "[") {
		flipped := map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<="}
		c.left, c.right, c.op = c.right, c.left, cmp.Or(flipped[c.op], c.op)
	}
	return c, c.left != ""
}

// lose says of a condition that it isn't carried over. Its value isn't told: it may be a secret.
func (g *gatusConditions) lose(c gatusCondition, why string) {
	g.s.lost("condition %s %s …: %s", cut(c.left), c.op, why)
}

func (g *gatusConditions) add(text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	for _, joint := range []string{" || ", " && "} {
		if strings.Contains(text, joint) && g.joined(text, joint) {
			return
		}
	}
	c, ok := parseGatus(text)
	if !ok {
		g.s.lost("a condition without an operator")
		return
	}
	g.one(c)
}

// joined takes several conditions on one placeholder as they were meant: Gatus reads neither || nor &&.
func (g *gatusConditions) joined(text, joint string) bool {
	var all []gatusCondition
	for part := range strings.SplitSeq(text, joint) {
		c, ok := parseGatus(part)
		switch {
		case ok || len(all) == 0:
		case c.op != "": // [STATUS] >= 200 && < 400
			c.left, ok = all[0].left, true
		default: // [STATUS] == 200 || 201
			c, ok = gatusCondition{all[0].left, all[0].op, strings.TrimSpace(part)}, true
		}
		if !ok || len(all) > 0 && c.left != all[0].left {
			return false
		}
		all = append(all, c)
	}
	g.s.changed("%q joined conditions that Gatus takes for one text, never or always true: taken as meant", strings.TrimSpace(joint))
	g.alive = true
	if joint == " && " {
		for _, c := range all {
			g.one(c)
		}
		return true
	}
	if all[0].left != "[STATUS]" {
		g.lose(all[0], "only those on the status can be joined by ||")
		return true
	}
	var some codes
	for _, c := range all {
		does, ok := statusIs(c)
		if !ok {
			g.lose(c, "not a number")
			continue
		}
		some = some.or(does)
	}
	g.codes = g.codes.and(some)
	return true
}

func (g *gatusConditions) one(c gatusCondition) {
	if n := len(c.right); n > 1 && (c.right[0] == '"' && c.right[n-1] == '"' || c.right[0] == '\'' && c.right[n-1] == '\'') {
		g.s.changed("the quotes in condition %s %s … are part of the value there: taken as meant, without", cut(c.left), c.op)
		c.right = c.right[1 : n-1]
	}
	if strings.Contains(c.right, "[BODY]") || strings.Contains(c.right, "[STATUS]") || strings.Contains(c.right, "[RESPONSE_TIME]") || strings.Contains(c.right, "[CONTEXT]") {
		g.lose(c, "two placeholders can't be compared")
		return
	}
	wrap, inner := "", c.left
	for _, w := range []string{"len", "has"} {
		if rest, is := strings.CutPrefix(c.left, w+"("); is {
			wrap, inner = w, strings.TrimSuffix(rest, ")")
		}
	}
	name, _, _ := strings.Cut(inner, "]")
	switch name += "]"; {
	case name == "[STATUS]" && wrap == "":
		g.status(c)
	case name == "[CONNECTED]":
		g.alive = true
		if (c.op == "==") != (c.right == "true") {
			g.s.drop("a target that must not answer (expect: down) isn't there yet")
		}
	case name == "[RESPONSE_TIME]" && wrap == "":
		g.responseTime(c)
	case name == "[CERTIFICATE_EXPIRATION]":
		g.certificate(c)
	case name == "[DNS_RCODE]":
		g.rcode(c)
	case name == "[BODY]" && g.kind == "dns":
		g.records(c, wrap)
	case name == "[BODY]" && g.kind == "http":
		g.body(c, wrap, strings.TrimPrefix(strings.TrimPrefix(inner, "[BODY]"), "."))
	case name == "[BODY]":
		g.lose(c, "checks of "+g.kind+" read nothing")
	default:
		g.lose(c, "isn't there yet")
	}
}

// statusIs returns the codes that a condition allows.
func statusIs(c gatusCondition) (codes, bool) {
	if values, patterns := gatusValues(c.right); c.op == "==" || c.op == "!=" {
		for _, v := range values {
			if _, err := strconv.Atoi(v); err != nil {
				return codes{}, false
			}
		}
		return where(func(code int) bool {
			text := strconv.Itoa(code)
			is := slices.Contains(values, text) || slices.ContainsFunc(patterns, func(p string) bool { return glob(p).MatchString(text) })
			return is == (c.op == "==")
		}), true
	}
	n, err := strconv.Atoi(c.right)
	if err != nil {
		return codes{}, false
	}
	return where(func(code int) bool { return compares(code, c.op, n) }), true
}

func compares[T cmp.Ordered](a T, op string, b T) bool {
	switch op {
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

func (g *gatusConditions) status(c gatusCondition) {
	if g.kind != "http" {
		g.alive = true
		if c.op != "==" || c.right != "0" {
			g.lose(c, "checks of "+g.kind+" have no status")
		}
		return
	}
	if c.op == "==" && variable.FindString(c.right) == c.right && strings.HasPrefix(c.right, "${") {
		g.exact, g.alive = c.right, true
		return
	}
	some, ok := statusIs(c)
	if !ok {
		g.lose(c, "not a number")
		return
	}
	g.codes = g.codes.and(some)
	if n, err := strconv.Atoi(c.right); err != nil || !compares(0, c.op, n) { // Where nobody answers it is 0 there.
		g.alive = g.alive || err == nil || c.op == "=="
	}
}

// gatusDuration reads milliseconds or a duration.
func gatusDuration(text string) (time.Duration, bool) {
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 1<<40 {
		return time.Duration(n) * time.Millisecond, true
	}
	d, err := status.ParseDuration(text)
	return d, err == nil && d > 0
}

func (g *gatusConditions) responseTime(c gatusCondition) {
	d, ok := gatusDuration(c.right)
	switch {
	case c.op != "<" && c.op != "<=":
		g.lose(c, "an answer can't be expected to be slow")
	case !ok:
		g.lose(c, "not a duration")
	case g.latency == 0 || d < g.latency:
		g.latency = d.Round(time.Millisecond)
	}
}

func (g *gatusConditions) certificate(c gatusCondition) {
	d, ok := gatusDuration(c.right)
	switch {
	case g.kind != "http" && g.kind != "tls":
		g.lose(c, "checks of "+g.kind+" see no certificate")
	case c.right == "0" && (c.op == ">" || c.op == "!="):
		g.alive, g.hasCert = true, true
	case c.op != ">" && c.op != ">=" || !ok:
		g.lose(c, "only > with a duration can be expected of a certificate")
	default:
		g.alive, g.hasCert, g.cert = true, true, max(g.cert, d)
		if strings.HasSuffix(c.right, "d") || strings.HasSuffix(c.right, "w") {
			g.s.changed("Gatus knows no days in a duration, and compared with 0: taken as meant")
		}
	}
}

func (g *gatusConditions) rcode(c gatusCondition) {
	g.alive = true
	values, patterns := gatusValues(c.right)
	if g.kind != "dns" || c.op != "==" || len(patterns) > 0 {
		g.lose(c, "only == with codes of a name server can be expected, of dns")
		return
	}
	g.s.set(texts(values), "expect", "rcode")
}

func (g *gatusConditions) records(c gatusCondition, wrap string) {
	values, patterns := gatusValues(c.right)
	of, _ := g.s.settings.get("url").(string)
	switch {
	case wrap == "len" && (c.op == "==" && c.right == "0" || c.op == "<" && c.right == "1"):
		g.s.set("none", "expect", "records")
	case wrap != "" || c.op != "==" || len(patterns) > 0:
		g.alive = true
		g.lose(c, "records can be expected by == with their texts, or none by len([BODY]) == 0")
	case strings.HasSuffix(of, "type=MX") || strings.HasSuffix(of, "type=SRV"):
		g.alive = true
		g.lose(c, "Gatus compares the host alone, here a record has its preference too: write expect.records: [\"10 mail.example.org\"]")
	default:
		g.alive = true
		for n := range values {
			values[n] = strings.TrimSuffix(values[n], ".")
		}
		g.s.set(texts(values), "expect", "records")
		g.s.changed("any of the records may be the one; Gatus looks at one of them")
	}
}

// write sets what the conditions together come to.
func (g *gatusConditions) write(overTLS bool) {
	if g.kind == "http" {
		switch all := g.codes.ranges(); {
		case g.exact != "":
			g.s.set([]any{g.exact}, "expect", "status")
		case len(all) == 0:
			g.s.drop("its conditions on the status exclude each other: never true")
		default:
			g.s.set(all, "expect", "status")
		}
	}
	switch {
	case g.latency <= 0:
	case g.slow:
		g.s.set(raw(status.FormatDuration(g.latency)), "degraded_after")
		g.s.changed("slower than %s is degraded, not down", status.FormatDuration(g.latency))
	default:
		g.s.set(raw(status.FormatDuration(g.latency)), "expect", "latency")
	}
	switch {
	case g.cert > 0 && (g.kind == "tls" || overTLS):
		g.s.set(raw(status.FormatDuration(g.cert)), "expect", "certificate", "valid_for")
	case g.cert > 0:
		g.s.changed("an address without TLS has no certificate to look at")
	}
	if g.kind == "tls" {
		g.s.set(raw("0s"), "degraded_unless", "certificate", "valid_for") // Nothing is degraded there.
	}
	if !g.alive {
		g.s.changed("where nobody answers all its conditions are true in Gatus, which calls it healthy; here it is down")
	}
}

func texts(values []string) (all []any) {
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

// gatusValues are those of any(…), or the one that stands there; pat(…) is a pattern.
func gatusValues(text string) (values, patterns []string) {
	all := []string{text}
	if inside, is := strings.CutPrefix(text, "any("); is && strings.HasSuffix(inside, ")") {
		all = strings.Split(strings.TrimSuffix(inside, ")"), ",")
	}
	for _, one := range all {
		one = strings.TrimSpace(one)
		if inside, is := strings.CutPrefix(one, "pat("); is && strings.HasSuffix(inside, ")") {
			patterns = append(patterns, strings.TrimSuffix(inside, ")"))
			continue
		}
		values = append(values, one)
	}
	return values, patterns
}

// glob is a pattern of Gatus: * is anything, ? one character, and [a-z] one of those.
func glob(pattern string) *regexp.Regexp {
	compiled, err := regexp.Compile(globText(pattern))
	if err != nil {
		return regexp.MustCompile(`\z\A.`) // Never, as there.
	}
	return compiled
}

func globText(pattern string) string {
	var b strings.Builder
	b.WriteString("(?s)^")
	for _, r := range pattern {
		switch r {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return b.String() + "$"
}
