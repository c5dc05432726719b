package handlers

import (
	"statuspage/handlers/answer"
	"statuspage/views"
	"statuspage/views/card"
	"statuspage/views/lang"
	"time"

	"github.com/gofiber/fiber/v2"
)

// cardEvery is for how long a drawn card is shown: previews are looked at once, and drawing
// takes some 20 ms.
const cardEvery = 10 * time.Second

// card answers /card.png, the picture that other sites show of the page.
func (s *Server) card(c *fiber.Ctx) error {
	now := s.now()
	e, err := s.cards.Get(uint64(now.UnixNano()/int64(cardEvery)), "card", func() ([]byte, error) {
		all := s.stand(s.live.every, now)
		picture := card.Card{Title: s.site.Title, Headline: views.Headline(lang.Default(), all), State: all.Worst()}
		for _, h := range s.hours(s.live.every, now) {
			picture.Hours = append(picture.Hours, h.State)
		}
		if newest := s.board.Newest(); !newest.IsZero() {
			picture.Detail = "Last signal " + newest.Format("2 January 2006, 15:04 UTC")
		}
		return picture.PNG()
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=60")
	return answer.Send(c, "image/png", e)
}
