package app

import (
	"statuspage/internal/config"
	"statuspage/internal/page"
	"statuspage/views"
)

// settings are what the pages say of themselves, by the configuration.
func settings(cfg *config.Config, demo bool) page.Settings {
	b := cfg.Brand
	s := page.Settings{
		Title: cfg.Title, ID: cfg.PageID, BaseURL: cfg.BaseURL, Demo: demo, Groups: cfg.Groups,
		Logo: page.Picture(b.Logo), Icon: page.Picture(b.Icon), CSS: b.CSS.Body, Accent: page.Accent(b.Accent),
	}
	for _, l := range b.Header {
		s.Header = append(s.Header, views.Link(l))
	}
	for _, l := range b.Footer {
		s.Footer = append(s.Footer, views.Link(l))
	}
	return s
}
