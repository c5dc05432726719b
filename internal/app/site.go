package app

import (
	"statuspage/handlers"
	"statuspage/internal/config"
	"statuspage/views"
)

// site is what the pages say of themselves, by the configuration.
func site(cfg *config.Config, demo bool) handlers.Site {
	b := cfg.Brand
	site := handlers.Site{
		Title: cfg.Title, BaseURL: cfg.BaseURL, Demo: demo, Groups: cfg.Groups,
		Logo: handlers.Picture(b.Logo), Icon: handlers.Picture(b.Icon), CSS: b.CSS.Body, Accent: handlers.Accent(b.Accent),
	}
	for _, l := range b.Header {
		site.Header = append(site.Header, views.Link(l))
	}
	for _, l := range b.Footer {
		site.Footer = append(site.Footer, views.Link(l))
	}
	return site
}
