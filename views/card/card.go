// Package card draws the picture that other sites show when somebody shares the page: the
// state in words and the last day as a grid. https://ogp.me
package card

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"statuspage/internal/status"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Width and height of the picture: the size that previews are made for.
const (
	Width  = 1200
	Height = 630
)

const (
	margin       = 80
	headlineSize = 76
	titleSize    = 40
	smallSize    = 30
	gridTop      = 400
	gridHeight   = 110
	gridGap      = 10
)

// Card is what the picture says.
type Card struct {
	Title    string
	Headline string
	Detail   string
	State    status.Outcome
	Hours    []status.Outcome // Of the last day, oldest first.
}

var colors = [...]color.RGBA{
	status.Unknown: {0x86, 0x8f, 0x9c, 255}, status.Up: {0x1f, 0x9d, 0x63, 255}, status.Degraded: {0xd9, 0x8a, 0, 255}, status.Down: {0xd3, 0x31, 0x2f, 255},
}

var (
	ground = color.RGBA{0xf6, 0xf7, 0xf9, 255}
	ink    = color.RGBA{0x14, 0x18, 0x1f, 255}
	soft   = color.RGBA{0x5a, 0x64, 0x72, 255}
)

// fonts are parsed once; they are part of the binary.
var fonts = sync.OnceValues(func() (*opentype.Font, *opentype.Font) {
	regular, errRegular := opentype.Parse(goregular.TTF)
	bold, errBold := opentype.Parse(gobold.TTF)
	if errRegular != nil || errBold != nil {
		panic("card: the fonts in the binary can't be read")
	}
	return regular, bold
})

// PNG draws the card.
func (c Card) PNG() ([]byte, error) {
	regular, bold := fonts()
	canvas := image.NewPaletted(image.Rect(0, 0, Width, Height), palette())
	fill(canvas, canvas.Bounds(), ground)
	fill(canvas, image.Rect(0, 0, Width, 18), colors[c.State])
	for _, line := range []struct {
		font *opentype.Font
		text string
		size float64
		y    int
		ink  color.RGBA
	}{
		{regular, c.Title, titleSize, 130, soft},
		{bold, c.Headline, headlineSize, 240, ink},
		{regular, c.Detail, smallSize, 310, soft},
		{regular, "Last 24 hours", smallSize - 4, gridTop + gridHeight + 46, soft},
	} {
		if err := write(canvas, line.font, line.text, line.size, line.y, line.ink); err != nil {
			return nil, err
		}
	}
	c.grid(canvas)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, canvas); err != nil {
		return nil, fmt.Errorf("encode card: %w", err)
	}
	return b.Bytes(), nil
}

// palette is every colour of the card with shades of it on the ground, for smooth letters.
func palette() color.Palette {
	p := color.Palette{ground}
	const shades = 15
	for _, c := range append([]color.RGBA{ink, soft}, colors[:]...) {
		for i := 1; i <= shades; i++ {
			mix := func(from, to uint8) uint8 { return uint8((int(from)*(shades-i) + int(to)*i) / shades) }
			p = append(p, color.RGBA{mix(ground.R, c.R), mix(ground.G, c.G), mix(ground.B, c.B), 255})
		}
	}
	return p
}

func fill(dst draw.Image, r image.Rectangle, c color.Color) {
	draw.Draw(dst, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// grid draws the hours: full is up, lower slow, split down, a low line no data.
func (c Card) grid(canvas draw.Image) {
	if len(c.Hours) == 0 {
		return
	}
	step := (Width - 2*margin + gridGap) / len(c.Hours)
	for i, o := range c.Hours {
		x, bottom := margin+i*step, gridTop+gridHeight
		bar := func(from, to int) { fill(canvas, image.Rect(x, from, x+step-gridGap, to), colors[o]) }
		switch o {
		case status.Up:
			bar(gridTop, bottom)
		case status.Degraded:
			bar(gridTop+gridHeight/4, bottom)
		case status.Down:
			bar(gridTop, gridTop+gridHeight*2/5)
			bar(gridTop+gridHeight*3/5, bottom)
		case status.Unknown:
			bar(bottom-gridHeight/8, bottom)
		}
	}
}

// write writes one line, cut where the card ends; letters that the font lacks are left out.
func write(dst draw.Image, f *opentype.Font, text string, size float64, y int, ink color.Color) error {
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return fmt.Errorf("font of the card: %w", err)
	}
	defer face.Close() //nolint:errcheck // Nothing is open.
	line := strings.TrimSpace(strings.Map(func(r rune) rune {
		if i, err := f.GlyphIndex(nil, r); err != nil || i == 0 || r < ' ' {
			return -1
		}
		return r
	}, text))
	limit := fixed.I(Width - 2*margin)
	if font.MeasureString(face, line) > limit {
		runes := []rune(line)
		for len(runes) > 0 && font.MeasureString(face, string(runes)+"…") > limit {
			runes = runes[:len(runes)-1]
		}
		line = strings.TrimSpace(string(runes)) + "…"
	}
	d := font.Drawer{Dst: dst, Src: image.NewUniform(ink), Face: face, Dot: fixed.P(margin, y)}
	d.DrawString(line)
	return nil
}
