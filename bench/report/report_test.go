package report

import (
	"strings"
	"testing"
)

func TestMedianAndGoal(t *testing.T) {
	s := &Section{Name: "x", Title: "A section"}
	for _, v := range []float64{3, 1, 2} {
		s.Add("group", "figure", "ms", v, "≤ 2")
	}
	f := s.Figures[0]
	if got := f.Median(); got != 2 {
		t.Errorf("median %v, want 2", got)
	}
	if reached, known := f.Reached(); !reached || !known {
		t.Errorf("goal ≤ 2 of median 2: reached %v, known %v", reached, known)
	}
	if f.Goal = "a word"; true {
		if _, known := f.Reached(); known {
			t.Error("a goal without a number counts as known")
		}
	}
}

func TestQuantile(t *testing.T) {
	v := make([]float64, 100)
	for i := range v {
		v[i] = float64(i + 1)
	}
	for q, want := range map[float64]float64{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := Quantile(v, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestSectionsComeBackFromTheirFiles(t *testing.T) {
	dir := t.TempDir()
	s := &Section{Name: "x", Title: "A section"}
	s.Add("group", "figure", "req/s", 63_123, "≥ 60000")
	s.Note("said %s", "once")
	s.Note("said %s", "once")
	if err := s.Save(dir); err != nil {
		t.Fatal(err)
	}
	all, err := Load(dir, []string{"missing", "x"})
	if err != nil || len(all) != 1 {
		t.Fatalf("loaded %d sections: %v", len(all), err)
	}
	var b strings.Builder
	if err := Write(&b, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| figure | 63 123 | 63 123 | req/s | ≥ 60000 |", "[x](#a-section)", "| yes |", "- said once\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the document lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Count(b.String(), "said once") != 1 {
		t.Error("a note is there twice")
	}
}
