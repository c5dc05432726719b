package past

import (
	"statuspage/internal/board"
	"statuspage/internal/status"
	"testing"
	"testing/synctest"
	"time"
)

func TestPageOfRegionsIsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		quorum status.Quorum
		n      int
		seed   uint64
	}{{"majority", status.Majority, 2, 5}, {"any", status.Fixed, 1, 5}, {"all", status.All, 3, 5}, {"all, a region away for parts of hours", status.All, 3, 7}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				now := atNoon()
				svc, plain := threefold(c.quorum, c.n), once("plain", time.Minute)
				signals := append(regionDays(svc, now, 3, c.seed), days(plain, now, 30*time.Hour)...)
				store := newMemory(signals...)
				live, err := board.New([]status.Service{svc, plain}, time.UTC)
				if err != nil {
					t.Fatal(err)
				}
				terms := map[string][]status.Term{}
				for _, s := range []status.Service{svc, plain} {
					term := s.Now(now.AddDate(0, 0, -4))
					terms[s.ID] = []status.Term{term}
					store.terms = append(store.terms, status.ServiceTerm{Service: s.ID, Term: term})
				}
				live.Loader().SetTerms(terms)
				live.Apply(store.signals)
				restarted := filled(t, store, svc, plain).board
				sameBoards(t, live, restarted)
				if c.quorum == status.Majority && (len(live.Services()[0].Outages(now)) < 3 || live.Services()[0].Uptime(24*time.Hour, now).Degraded == 0) {
					t.Error("the days are too quiet to show anything")
				}
			})
		})
	}
}
