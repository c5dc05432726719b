package card

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"statuspage/internal/status"
	"strings"
	"testing"
)

func TestCardIsAPictureForPreviews(t *testing.T) {
	t.Parallel()
	hours := make([]status.Outcome, 24)
	for i := range hours {
		hours[i] = status.Outcome(1 + i%3)
	}
	var seen [][]byte
	for name, c := range map[string]Card{
		"down":    {Title: "Acme status", Headline: "2 of 12 services are down", Detail: "Last signal 12:00:30 UTC", State: status.Down, Hours: hours},
		"long":    {Title: strings.Repeat("Long title ", 50), Headline: strings.Repeat("W", 500), State: status.Up},
		"hostile": {Title: "日本語 \x00\u202e", Headline: "<b>", State: status.Unknown, Hours: make([]status.Outcome, 24)},
	} {
		body, err := c.PNG()
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(body))
		if err != nil || picture.Bounds().Dx() != Width || picture.Bounds().Dy() != Height {
			t.Errorf("%s: %v, %v", name, err, picture.Bounds())
		}
		if len(body) > 40<<10 {
			t.Errorf("%s has %d bytes", name, len(body))
		}
		seen = append(seen, body)
		if dir := os.Getenv("CARD_DIR"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if bytes.Equal(seen[0], seen[1]) || bytes.Equal(seen[1], seen[2]) {
		t.Error("different cards are the same picture")
	}
}
