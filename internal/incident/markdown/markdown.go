// Package markdown turns what people write into HTML and into plain text. The result holds nothing but text, emphasis,
// lists, quotes, code and links to the web or to mail addresses: HTML in the source is text, images are their description,
// headings are bold.
package markdown

import (
	"bytes"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	render "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// schemes are where links may lead.
var schemes = []string{"http", "https", "mailto"}

// engine has no parser of HTML: what can't be read can't be let through. Line breaks count, as they do where people
// write short texts.
var engine = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100), util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300), util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500), util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700), util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100), util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300), util.Prioritized(parser.NewEmphasisParser(), 500),
			util.Prioritized(extension.NewLinkifyParser(extension.WithLinkifyAllowedProtocols([]string{"http:", "https:"})), 999),
		),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
		parser.WithASTTransformers(util.Prioritized(plainer{}, 1000)),
	)),
	goldmark.WithRendererOptions(render.WithHardWraps()),
)

// HTML returns the text as HTML for the page, mail and feeds.
func HTML(source string) string {
	var out bytes.Buffer
	if err := engine.Convert(clean(source), &out); err != nil {
		return "<p>" + html.EscapeString(source) + "</p>\n" // A buffer refuses nothing: this is never reached.
	}
	return out.String()
}

// Text returns the text without marks, for mail, chat and screen readers. Links have their address behind them.
func Text(source string) string {
	data := clean(source)
	w := writer{source: data}
	w.blocks(engine.Parser().Parse(text.NewReader(data)), "")
	return strings.TrimRight(w.out.String(), "\n")
}

// Line returns the text as one line of at most so many letters, for previews.
func Line(source string, letters int) string {
	words := strings.Join(strings.Fields(Text(source)), " ")
	if runes := []rune(words); len(runes) > letters {
		return strings.TrimRight(string(runes[:max(0, letters-1)]), " ") + "…"
	}
	return words
}

const (
	maxNested = 12   // How many marks of quotes and lists a line may begin with.
	maxMarks  = 1000 // How many marks of emphasis and links a text may have.
)

var (
	nesting = regexp.MustCompile(`^(?:[ \t]*(?:[>+*-]|[0-9]{1,9}[.)]))+`)
	ruler   = regexp.MustCompile(`^[ \t]*[*-][ \t*-]*$`)
)

// clean takes out what is no text, and makes text of marks beyond what anybody writes: goldmark takes seconds for lists of
// thousands of lists, and for thousands of stars that belong to none.
func clean(source string) []byte {
	source = strings.ReplaceAll(strings.ToValidUTF8(source, "\uFFFD"), "\x00", "\uFFFD")
	var out strings.Builder
	marks := 0
	for line := range strings.Lines(source) {
		line = shallow(line)
		for n := range len(line) {
			if strings.IndexByte("*_[`<", line[n]) >= 0 {
				if marks++; marks > maxMarks && (n == 0 || line[n-1] != '\\') {
					out.WriteByte('\\')
				}
			}
			out.WriteByte(line[n])
		}
	}
	return []byte(out.String())
}

// shallow makes text of a line that begins with too many marks of quotes and lists: its first one is no mark then, and so
// none of them is. Of a number that is the dot.
func shallow(line string) string {
	begin := nesting.FindString(line)
	if strings.Count(begin, ">")+len(strings.Fields(begin)) <= maxNested || ruler.MatchString(strings.TrimRight(line, "\r\n")) {
		return line
	}
	text := strings.TrimLeft(line, " \t")
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	return text[:digits] + "\\" + text[digits:]
}

// allowed tells whether a link may lead there.
func allowed(address []byte) bool {
	u, err := url.Parse(string(address))
	if err != nil || !slices.Contains(schemes, strings.ToLower(u.Scheme)) {
		return false
	}
	return u.Scheme == "mailto" || u.Host != ""
}

// plainer takes out of a document what has no place in words about an incident.
type plainer struct{}

// Transform implements parser.ASTTransformer.
func (plainer) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var all []ast.Node // The tree must not change below the walk.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			all = append(all, n)
		}
		return ast.WalkContinue, nil
	})
	slices.Reverse(all) // Inner ones first.
	for _, n := range all {
		switch n := n.(type) {
		case *ast.Image:
			unwrap(n)
		case *ast.Link:
			n.Title = nil
			if !allowed(n.Destination) {
				unwrap(n)
				continue
			}
			safe(n)
		case *ast.AutoLink:
			if address := n.URL(reader.Source()); n.AutoLinkType != ast.AutoLinkEmail && !allowed(address) {
				n.Parent().ReplaceChild(n.Parent(), n, ast.NewString(n.Label(reader.Source())))
				continue
			}
			safe(n)
		case *ast.Heading:
			bold, paragraph := ast.NewEmphasis(2), ast.NewParagraph()
			move(n, bold)
			paragraph.AppendChild(paragraph, bold)
			n.Parent().ReplaceChild(n.Parent(), n, paragraph)
		}
	}
}

func safe(n ast.Node) { n.SetAttributeString("rel", []byte("nofollow noopener noreferrer")) }

// move puts the children of one node into another.
func move(from, to ast.Node) {
	for c := from.FirstChild(); c != nil; {
		next := c.NextSibling()
		to.AppendChild(to, c)
		c = next
	}
}

// unwrap leaves the children of a node in its place.
func unwrap(n ast.Node) {
	parent := n.Parent()
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		parent.InsertBefore(parent, n, c)
		c = next
	}
	parent.RemoveChild(parent, n)
}

// writer writes a document as plain text.
type writer struct {
	source []byte
	out    strings.Builder
}

// blocks writes the blocks in a node, each line behind a margin.
func (w *writer) blocks(n ast.Node, margin string) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch b := c.(type) {
		case *ast.List:
			w.list(b, margin)
		case *ast.Blockquote:
			w.blocks(b, margin+"> ")
		case *ast.ThematicBreak:
			w.lines("---", margin)
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			w.lines(strings.TrimRight(string(b.Lines().Value(w.source)), "\n"), margin+"    ")
		default:
			w.lines(w.inline(b), margin)
		}
		if _, tight := c.(*ast.TextBlock); !tight && c.NextSibling() != nil {
			w.out.WriteString(strings.TrimRight(margin, " ") + "\n")
		}
	}
}

func (w *writer) list(l *ast.List, margin string) {
	number := l.Start
	for item := l.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "- "
		if l.IsOrdered() {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		inner := writer{source: w.source}
		inner.blocks(item, "")
		for n, line := range strings.Split(strings.TrimRight(inner.out.String(), "\n"), "\n") {
			if n > 0 {
				mark = strings.Repeat(" ", len(mark))
			}
			w.lines(mark+line, margin)
		}
	}
}

func (w *writer) lines(text, margin string) {
	for line := range strings.SplitSeq(text, "\n") {
		w.out.WriteString(strings.TrimRight(margin+line, " ") + "\n")
	}
}

// inline writes what stands in a block.
func (w *writer) inline(n ast.Node) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch t := c.(type) {
		case *ast.Text:
			b.WriteString(read(t.Segment.Value(w.source)))
			if t.SoftLineBreak() || t.HardLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.Write(t.Value)
		case *ast.CodeSpan:
			for s := t.FirstChild(); s != nil; s = s.NextSibling() {
				if part, is := s.(*ast.Text); is {
					b.Write(bytes.ReplaceAll(part.Segment.Value(w.source), []byte("\n"), []byte(" ")))
				}
			}
		case *ast.AutoLink:
			b.Write(t.Label(w.source))
		case *ast.Link:
			label := w.inline(t)
			b.WriteString(label)
			if address := string(t.Destination); address != label {
				b.WriteString(" (" + address + ")")
			}
		default:
			b.WriteString(w.inline(t))
		}
	}
	return b.String()
}

// read resolves escapes and entities, as the renderer of HTML does.
func read(segment []byte) string {
	return string(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(segment))))
}
