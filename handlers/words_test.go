package handlers

import (
	"html"
	"statuspage/views"
	"statuspage/views/lang"
	"strings"
	"testing"
)

// TestTroublesAreToldInTheVisitorsLanguage holds it of notes, of errors, and of a house that is full.
func TestTroublesAreToldInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	for _, l := range lang.All() {
		for _, note := range []views.Note{views.NoteAlone, views.NoteNetwork, views.NoteUnsaved, views.NoteUnread} {
			s := newSite(t, func(o *Options) { o.Note = func() views.Note { return note } })
			want := l.T("note." + string(note))
			if _, page := s.get("/", "Accept", "text/html", "Accept-Language", l.Code); want == "" || !strings.Contains(html.UnescapeString(page), want) {
				t.Errorf("%s: the page lacks the note %q", l.Code, want)
			}
		}
		s := newSite(t, nil)
		for path, keys := range map[string][]string{
			"/nope": {"error.404", "error.title.404"}, "/services/nope": {"error.service"}, "/outages/nope": {"error.outage"},
			"/services/web/1999-01-01": {"error.time"}, "/?window=x": {"error.title"},
		} {
			_, page := s.get(path, "Accept", "text/html", "Accept-Language", l.Code)
			for _, key := range keys {
				if want := l.T(key); want == "" || !strings.Contains(html.UnescapeString(page), want) {
					t.Errorf("%s: %s lacks %q", l.Code, path, want)
				}
			}
			if general := l.T("error.422"); path == "/?window=x" && l != lang.Default() && !strings.Contains(html.UnescapeString(page), general) {
				t.Errorf("%s: %s lacks %q", l.Code, path, general)
			}
		}
	}
}
