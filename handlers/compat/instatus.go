package compat

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/visitor"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/incident"
	"statuspage/internal/page"
	"statuspage/views"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Instatus answers with Instatus's summary. https://instatus.com/help/widgets/status-api
type Instatus struct {
	page    *page.Page
	board   *board.Board
	figures *figures.Figures
	visitor *visitor.Reader
	now     func() time.Time
	kept    answer.Cache // By version of the board.
}

// NewInstatus returns the summary of a page.
func NewInstatus(p *page.Page, b *board.Board, f *figures.Figures, v *visitor.Reader, now func() time.Time) *Instatus {
	return &Instatus{page: p, board: b, figures: f, visitor: v, now: now}
}

// Routes adds the addresses of the summary and of the components.
func (s *Instatus) Routes(r fiber.Router) {
	r.Get("/summary.json", s.summary)
	r.Get("/v2/components.json", s.components)
}

// instatusStates are the words of Instatus for states.
var instatusStates = [...]string{
	incident.NoState: "", incident.Operational: "OPERATIONAL", incident.UnderMaintenance: "UNDERMAINTENANCE",
	incident.DegradedPerformance: "DEGRADEDPERFORMANCE", incident.PartialOutage: "PARTIALOUTAGE", incident.MajorOutage: "MAJOROUTAGE",
}

type instatusIncident struct {
	Name    string    `json:"name"`
	Started time.Time `json:"started"`
	Status  string    `json:"status"`
	Impact  string    `json:"impact"`
	URL     string    `json:"url"`
}

type instatusMaintenance struct {
	Name     string    `json:"name"`
	Start    time.Time `json:"start"`
	Status   string    `json:"status"`
	Duration string    `json:"duration"` // Minutes.
	URL      string    `json:"url"`
}

// instatusSoon is how far ahead maintenance is told of.
const instatusSoon = 14 * 24 * time.Hour

// said is what people say now.
func (s *Instatus) said(words *incident.Outlook, base string, now time.Time) (incidents []instatusIncident, maintenances []instatusMaintenance) {
	incidents, maintenances = []instatusIncident{}, []instatusMaintenance{}
	for _, i := range words.All {
		switch {
		case !i.Public(now) || i.Kind == incident.KindNotice:
		case i.Kind == incident.KindIncident:
			if i.Status.Over() {
				break
			}
			worst := incident.Operational
			for _, a := range i.Affected {
				worst = max(worst, a.State)
			}
			incidents = append(incidents, instatusIncident{i.Title, i.StartedAt.UTC(), strings.ToUpper(string(i.Status)), instatusStates[worst], base + incident.Path(i.ID)})
		default:
			for _, o := range i.Occurrences(now, now.Add(instatusSoon), now) {
				phase := map[incident.Status]string{incident.Scheduled: "NOTSTARTEDYET", incident.InProgress: "INPROGRESS", incident.Verifying: "INPROGRESS"}[o.Phase]
				if phase == "" {
					continue
				}
				minutes := int(o.Planned.To.Sub(o.Planned.From) / time.Minute)
				maintenances = append(maintenances, instatusMaintenance{i.Title, o.Planned.From.UTC(), phase, strconv.Itoa(minutes), base + incident.Path(i.ID)})
				if o.Phase == incident.Scheduled {
					break // Of one that comes again the next.
				}
			}
		}
	}
	return incidents, maintenances
}

// summary answers GET /summary.json in the form of Instatus, which aggregators read. An outage that nobody has written about is
// IDENTIFIED, by what was measured: nobody says that it is being investigated.
func (s *Instatus) summary(c *fiber.Ctx) error {
	base, now := s.visitor.Base(c), s.now()
	words := s.figures.Words(now)
	// By the second, as states change by time alone, too.
	key := answer.Key("summary", base, strconv.FormatInt(now.Unix(), 10), strconv.FormatUint(words.Number, 10))
	e, err := s.kept.Get(s.board.Version(), key, func() ([]byte, error) {
		incidents, maintenances := s.said(words, base, now)
		last := s.board.LastOutages(s.board.Services(), now) // Only the newest of a service can go on.
		slices.SortStableFunc(last, func(x, y board.OutageOf) int { return y.Outage.Begin.Compare(x.Outage.Begin) })
		for _, o := range last {
			if o.Outage.Ongoing() && !slices.ContainsFunc(words.Around(o.Outage.Begin, now), func(t incident.Told) bool { return t.To.IsZero() && t.Explains(o.Outage) }) {
				incidents = append(incidents, instatusIncident{o.Service.Name + " is down", o.Outage.Begin.UTC(), "IDENTIFIED", "MAJOROUTAGE", base + views.OutagePath(o.Outage)})
			}
		}
		state := map[string]string{"up": "UP", "maintenance": "UNDERMAINTENANCE"}[s.figures.Standing(s.figures.Page(), now).Word()]
		return json.Marshal(fiber.Map{
			"page":            fiber.Map{"name": s.page.Title, "url": base, "status": cmp.Or(state, "HASISSUES")},
			"activeIncidents": incidents, "activeMaintenances": maintenances,
		})
	})
	if err != nil {
		return fmt.Errorf("encode summary: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, s.visitor.Caching("no-cache"))
	return answer.Send(c, fiber.MIMEApplicationJSON, e)
}

// components answers GET /v2/components.json in the form of Instatus: groups with their services, and services without a group.
func (s *Instatus) components(c *fiber.Ctx) error {
	type component struct {
		ID          string      `json:"id"`
		Name        string      `json:"name"`
		Description string      `json:"description"`
		Status      string      `json:"status"`
		IsParent    bool        `json:"isParent"`
		Children    []component `json:"children"`
	}
	now := s.now()
	key := answer.Key("components", strconv.FormatInt(now.Unix(), 10), strconv.FormatUint(s.figures.Words(now).Number, 10))
	e, err := s.kept.Get(s.board.Version(), key, func() ([]byte, error) {
		all := []component{}
		for _, g := range s.page.Groups {
			group, worst := component{ID: g.ID, Name: g.Name, Description: g.Description, IsParent: true, Children: []component{}}, incident.NoState
			for _, id := range g.Services {
				svc, is := s.board.Find(id)
				if !is {
					continue
				}
				state := s.figures.Shown(svc, now)
				worst = max(worst, state)
				group.Children = append(group.Children, component{ID: id, Name: svc.Name, Description: svc.PublicURL(), Status: instatusStates[state], Children: []component{}})
			}
			if g.Name == "" {
				all = append(all, group.Children...)
				continue
			}
			group.Status = instatusStates[worst]
			all = append(all, group)
		}
		return json.Marshal(fiber.Map{"components": all})
	})
	if err != nil {
		return fmt.Errorf("encode components: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return answer.Send(c, fiber.MIMEApplicationJSON, e)
}
