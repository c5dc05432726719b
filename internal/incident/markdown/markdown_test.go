package markdown

import (
	"strings"
	"testing"
	"time"

	"github.com/microcosm-cc/bluemonday"
)

// oracle is a sanitiser of somebody else, which lets through what we mean to write and nothing more.
func oracle() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "hr")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("class").Matching(bluemonday.SpaceSeparatedTokens).OnElements("code") // language-…
	p.AllowAttrs("href", "rel").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	return p
}

func TestWhatIsLeftOfMarkdown(t *testing.T) {
	t.Parallel()
	const rel = ` rel="nofollow noopener noreferrer"`
	for _, c := range []struct{ in, html, text string }{
		{"We **look** at *it*.", "<p>We <strong>look</strong> at <em>it</em>.</p>\n", "We look at it."},
		{"one\ntwo", "<p>one<br>\ntwo</p>\n", "one\ntwo"},
		{"# Big\n\ntext", "<p><strong>Big</strong></p>\n<p>text</p>\n", "Big\n\ntext"},
		{"a <b>bold</b> <script>alert(1)</script>", "<p>a &lt;b&gt;bold&lt;/b&gt; &lt;script&gt;alert(1)&lt;/script&gt;</p>\n", "a <b>bold</b> <script>alert(1)</script>"},
		{"<div onclick=x>\n\nhi", "<p>&lt;div onclick=x&gt;</p>\n<p>hi</p>\n", "<div onclick=x>\n\nhi"},
		{"![the graph](https://tracker.example/x.png)", "<p>the graph</p>\n", "the graph"},
		{"[![x](https://a.example/i.png)](https://b.example)", `<p><a href="https://b.example"` + rel + `>x</a></p>` + "\n", "x (https://b.example)"},
		{"[post](https://a.example/?a=1&b=2 \"t\")", `<p><a href="https://a.example/?a=1&amp;b=2"` + rel + `>post</a></p>` + "\n", "post (https://a.example/?a=1&b=2)"},
		{"[x](javascript:alert(1)) [y](data:image/png;base64,AA) [z](/admin) [w](//evil.example)", "<p>x y z w</p>\n", "x y z w"},
		{"[x](JaVaScRiPt:alert(1)) <vbscript:x> <javascript:alert(1)>", "<p>x vbscript:x javascript:alert(1)</p>\n", "x vbscript:x javascript:alert(1)"},
		{"see https://a.example/x.", `<p>see <a href="https://a.example/x"` + rel + `>https://a.example/x</a>.</p>` + "\n", "see https://a.example/x."},
		{"<ops@a.example>", `<p><a href="mailto:ops@a.example"` + rel + `>ops@a.example</a></p>` + "\n", "ops@a.example"},
		{"- a\n- b\n\n1. c\n2. d", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<ol>\n<li>c</li>\n<li>d</li>\n</ol>\n", "- a\n- b\n\n1. c\n2. d"},
		{"> said\n> so", "<blockquote>\n<p>said<br>\nso</p>\n</blockquote>\n", "> said\n> so"},
		{"```sh\nls <x>\n```", "<pre><code class=\"language-sh\">ls &lt;x&gt;\n</code></pre>\n", "    ls <x>"},
		{"a \\*b\\* &amp; &lt;i&gt;", "<p>a *b* &amp; &lt;i&gt;</p>\n", "a *b* & <i>"},
		{"zero\x00 and \xff", "<p>zero\uFFFD and \uFFFD</p>\n", "zero\uFFFD and \uFFFD"},
		{"", "", ""},
	} {
		if got := HTML(c.in); got != c.html {
			t.Errorf("%q as HTML\ngot  %s\nwant %s", c.in, got, c.html)
		}
		if got := Text(c.in); got != c.text {
			t.Errorf("%q as text\ngot  %q\nwant %q", c.in, got, c.text)
		}
	}
	if got := Line("We **look**\n\nat it for long", 10); got != "We look a…" {
		t.Errorf("line %q", got)
	}
}

// Without bounds stars take seconds, and lists of lists minutes.
func TestNoTextTakesLong(t *testing.T) {
	t.Parallel()
	var deep strings.Builder
	for n := 0; deep.Len() < 24_000; n++ {
		deep.WriteString(strings.Repeat("  ", n) + "- a\n")
	}
	for _, part := range []string{deep.String(), ">", "> ", "- ", "[", "](", "![", "*a_", "`", "<", "http://a.b", "a@b.c ", "&#", "1. ", "\\", "* * ", "[a](b)", "_ _*", "> 1. ", "- > ", "+ ", "1) ", "\n", "- a\n", "1. a\n\n", "> a\n", "a\n- ", "<a", "[a]: b\n", "http://", "www.a.b "} {
		began := time.Now()
		source := strings.Repeat(part, 25_000/len(part))
		HTML(source)
		Text(source)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%q takes %v", part, took)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"[a](https://x.example \"'><script>\")", "![a](javascript:x)", "<https://x.example/\"onx=1>", "# a\n- b\n> c\n```d\"e\n```", "&colon;", "[a]: x\n\n[a]", "<a@b.c>", "mailto:a@b.c?x=<>"} {
		f.Add(s)
	}
	policy := oracle()
	f.Fuzz(func(t *testing.T, source string) {
		out := HTML(source)
		// Both write the same in other letters: &#34; and &quot;, a percent sign that was none, > as it is.
		same := strings.NewReplacer("&#34;", "&quot;", "&#39;", "'", "&gt;", ">", "\r", "")
		left, want := same.Replace(policy.Sanitize(out)), same.Replace(out)
		if strip(left) != strip(want) {
			t.Errorf("%q gives\n%s\nof which a sanitiser leaves\n%s", source, want, left)
		}
		Text(source)
	})
}

// strip leaves tags alone: their names, and what they lead to.
func strip(html string) string {
	var b strings.Builder
	for rest := html; ; {
		_, after, found := strings.Cut(rest, "<")
		if !found {
			return b.String()
		}
		tag, next, _ := strings.Cut(after, ">")
		name, _, _ := strings.Cut(tag, " ")
		b.WriteString("<" + name + ">")
		rest = next
	}
}
