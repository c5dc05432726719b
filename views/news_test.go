package views

import (
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBannerNamesWhatIsDownSinceWhen(t *testing.T) {
	t.Parallel()
	down := status.Sample{Outcome: status.Down, Reason: status.UnexpectedStatus, HTTPStatus: 503}
	input := func(id string, state status.Outcome, begin time.Time) NewsInput {
		in := NewsInput{Service: status.Service{ID: id, Name: "The " + id}, State: state, Last: down}
		if !begin.IsZero() {
			in.Outage = status.Outage{Service: id, Begin: begin, Last: now}
		}
		return in
	}
	yesterday := now.Add(-26 * time.Hour)
	news := News{Now: now, Items: []NewsInput{
		input("shop", status.Down, now.Add(-36*time.Minute-20*time.Second)), input("mail", status.Down, yesterday), input("api", status.Degraded, time.Time{}),
	}}
	states := []status.Outcome{status.Down, status.Down, status.Down, status.Degraded, status.Up, status.Unknown}
	b := BuildBanner("Acme", stand(states, false), now, NoNote, news, english)
	want := []NewsItem{
		{State: "down", Name: "The shop", Href: "/outages/shop-20260329T112410Z", Text: "HTTP 503", At: "2026-03-29T11:24:10Z", Since: "since 11:24", Long: "36 min"},
		{State: "down", Name: "The mail", Href: "/outages/mail-20260328T100030Z", Text: "HTTP 503", At: "2026-03-28T10:00:30Z", Since: "since 28 Mar 10:00", Long: "1 d 2 h"},
		{State: "degraded", Name: "The api", Href: "/services/api", Text: "Slow"},
	}
	if diff := cmp.Diff(want, b.News); diff != "" {
		t.Errorf("the banner tells other news:\n%s", diff)
	}
	if b.More == nil || b.More.Text != "and 2 more" || b.More.Href != "/?state=down" {
		t.Errorf("what the banner has no room for is %+v, want 2 more", b.More)
	}

	one := BuildBanner("Acme", stand([]status.Outcome{status.Down, status.Up}, false), now, NoNote, News{Now: now, Items: news.Items[:1]}, english)
	if one.Title != "The shop is down · Acme" || one.More != nil {
		t.Errorf("the tab says %q, and there are more: %v", one.Title, one.More)
	}
}

func TestBannerOfQuietTimes(t *testing.T) {
	t.Parallel()
	up := stand([]status.Outcome{status.Up, status.Up}, false)
	if b := BuildBanner("Acme", up, now, NoNote, News{Now: now, Quiet: now.Add(-75 * time.Hour)}, english); b.Detail != "No outage for 3 d 3 h" {
		t.Errorf("three days after an outage the banner says %q", b.Detail)
	}
	if b := BuildBanner("Acme", up, now, NoNote, News{Now: now}, english); b.Detail != "" || strings.Contains(string(render(t, BannerView(b))), "sep") {
		t.Errorf("without any outage the banner says %q", b.Detail)
	}
	nobody := stand([]status.Outcome{status.Unknown, status.Unknown}, false)
	if got := nobody.Affected(); got != nil {
		t.Errorf("where nothing is measured there is news of %v", got)
	}
}

func TestRowSaysSinceWhenItIsWatched(t *testing.T) {
	t.Parallel()
	in := rowInput("new", "New", "uuu")
	in.Service.Terms = []status.Term{in.Service.Now(now.Add(-4 * time.Minute))}
	for i := range in.Cells {
		in.Cells[i].Before = in.Cells[i].Start.Before(now.Add(-5 * time.Minute))
	}
	row := BuildStripRow(in, status.LastHour, english)
	if !strings.HasSuffix(row.Coverage, " since 11:56") {
		t.Errorf("the row says %q", row.Coverage)
	}
	if !strings.Contains(row.Strip.Text, "55 not watched yet") {
		t.Errorf("the strip says %q", row.Strip.Text)
	}
	in.Sum.Expected = 0
	if row := BuildStripRow(in, status.LastHour, english); row.Coverage != "since 11:56" {
		t.Errorf("before the first check is due the row says %q", row.Coverage)
	}
}
