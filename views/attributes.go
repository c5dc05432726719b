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

// outageIcon is the state in the icon of an outage's page.
func outageIcon(o OutageRow) string {
	if o.Ongoing {
		return status.Down.String()
	}
	return ""
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
	every := head.Lang.Duration(time.Duration(head.Refresh) * time.Second)
	if head.Plain {
		return head.Lang.T("live.plain", every)
	}
	return head.Lang.T("live.polling", every)
}

// scale is what stands above the cells of a window: how long ago, at even distances, the oldest first. It never grows old,
// as the clock would. The last of it is where now is.
func scale(head Head, window string) (ago []string) {
	l := head.Lang
	ago = []string{l.T("ago." + window)}
	switch window {
	case status.LastHour.Name:
		ago = append(ago, l.T("unit.minute", 45), l.T("unit.minute", 30), l.T("unit.minute", 15))
	case status.LastDay.Name:
		ago = append(ago, l.T("unit.hour", 18), l.T("unit.hour", 12), l.T("unit.hour", 6))
	default:
		ago = append(ago, l.T("unit.day", 60), l.T("unit.day", 30))
	}
	return ago
}

// narrowScale is the same on a phone, where it differs: it shows the newest third of 90 days.
func narrowScale(head Head, window string) []string {
	if window != status.Last90.Name {
		return nil
	}
	return []string{head.Lang.T("ago.narrow." + window), head.Lang.T("unit.day", 20), head.Lang.T("unit.day", 10)}
}

func scaleClass(head Head, window string) string {
	if narrowScale(head, window) != nil {
		return "wide"
	}
	return ""
}

// bodyRows is how many rows are laid out together, or not at all while they are far from the screen: the style
// sheet knows the height of that many.
const bodyRows = 10

func bodies(rows []templ.Component) [][]templ.Component {
	return slices.Collect(slices.Chunk(rows, bodyRows))
}

func itoa(n int) string { return strconv.Itoa(n) }
