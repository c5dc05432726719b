package views

import (
	"slices"
	"statuspage/internal/status"
	"statuspage/static"
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// swapBoard makes a link or form bring the board alone, with the address of the whole page.
func swapBoard(address string) templ.OrderedAttributes {
	return templ.OrderedAttributes{
		{Key: "hx-get", Value: address},
		{Key: "hx-target", Value: "#board"},
		{Key: "hx-select", Value: "#board"},
		{Key: "hx-select-oob", Value: "#f-window,#found"},
		{Key: "hx-swap", Value: "outerHTML"},
		{Key: "hx-push-url", Value: "true"},
	}
}

// swapChart does the same for the chart.
func swapChart(address string) templ.OrderedAttributes {
	return templ.OrderedAttributes{
		{Key: "hx-get", Value: address},
		{Key: "hx-target", Value: "#chart"},
		{Key: "hx-select", Value: "#chart"},
		{Key: "hx-swap", Value: "outerHTML"},
		{Key: "hx-push-url", Value: "true"},
	}
}

// IconPath is the path of the icon that shows a state; without one, the neutral icon.
func IconPath(state string) string {
	switch state {
	case status.Up.String(), status.Degraded.String(), status.Down.String(), "maintenance":
		return static.Path("icon-" + state + ".svg")
	default:
		return static.Path("icon.svg")
	}
}

func scheme(head Head) string {
	if head.Kiosk {
		return "dark"
	}
	return "light dark"
}

func outageState(o OutageRow) string {
	if o.Ongoing {
		return status.Down.String()
	}
	return status.Unknown.String()
}

// howTexts are the paragraphs of the page that explains the figures.
func howTexts(regions bool) []string {
	all := []string{"signal", "uptime", "coverage", "rounding", "cells", "outages", "latency"}
	if regions {
		all = append(all, "regions")
	}
	return all
}

// pollingText says how a page is kept fresh where no stream passes.
func pollingText(head Head) string {
	return head.Lang.T("live.polling", head.Lang.Duration(time.Duration(head.Refresh)*time.Second))
}

// bodyRows is how many rows are laid out together, or not at all while they are far from the screen: the style
// sheet knows the height of that many.
const bodyRows = 10

func bodies(rows []templ.Component) [][]templ.Component {
	return slices.Collect(slices.Chunk(rows, bodyRows))
}

func itoa(n int) string { return strconv.Itoa(n) }
