package public

import (
	"statuspage/handlers/answer"
	"statuspage/internal/figures"
	"statuspage/views"
	"statuspage/views/card"
	"statuspage/views/lang"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// cardEvery is for how long a drawn card is shown: previews are looked at once, and drawing
// takes some 20 ms.
const cardEvery = 10 * time.Second

// card answers /card.png, the picture that other sites show of the page.
func (s *Elsewhere) card(c *fiber.Ctx) error {
	now := s.Now()
	e, err := s.cards.Get(uint64(now.UnixNano()/int64(cardEvery)), "card", func() ([]byte, error) {
		whole := s.Figures.Page()
		all := s.Figures.Standing(whole, now)
		picture := card.Card{Title: s.Page.Title, Headline: views.Headline(lang.Default(), all), State: all.Worst()}
		var names []string
		for _, n := range s.Figures.News(all, now).Items {
			if n.State == picture.State { // Of which the headline speaks.
				names = append(names, n.Service.Name)
			}
		}
		picture.Detail = strings.Join(names, ", ")
		for _, h := range figures.Hours(whole.Services, now) {
			picture.Hours = append(picture.Hours, h.State)
		}
		if newest := s.Board.Newest(); !newest.IsZero() {
			if picture.Detail != "" {
				picture.Detail += " · "
			}
			picture.Detail += "Last signal " + newest.Format("2 January 2006, 15:04 UTC")
		}
		return picture.PNG()
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=60")
	return answer.Send(c, "image/png", e)
}
