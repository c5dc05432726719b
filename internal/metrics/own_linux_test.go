package metrics

import (
	"bytes"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// figuresOf are the numbers of a family, those of one sample in their order.
func figuresOf(f *dto.MetricFamily) []float64 {
	m := f.GetMetric()[0]
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		return []float64{m.GetCounter().GetValue()}
	case dto.MetricType_GAUGE:
		return []float64{m.GetGauge().GetValue()}
	default:
		s := m.GetSummary()
		all := []float64{float64(s.GetSampleCount()), s.GetSampleSum()}
		for _, q := range s.GetQuantile() {
			all = append(all, q.GetQuantile(), q.GetValue())
		}
		return all
	}
}

// TestProcessAndRuntimeAreTheLibrarys holds that go_ and process_ are the families of Prometheus's own library, with its texts
// and types, and that each figure lies between two that the library reads before and after. The bytes can't be compared:
// no two readings are of the same moment. Goroutines are held to the runtime's word, since the library counts those that it
// begins to read with.
func TestProcessAndRuntimeAreTheLibrarys(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	theirs := func() map[string]*dto.MetricFamily {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		for _, f := range families {
			if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
				t.Fatal(err)
			}
		}
		return parsed(t, out.String())
	}
	heads := func(families map[string]*dto.MetricFamily) (all []string) {
		for name, f := range families {
			if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
				head := []string{name, f.GetType().String(), f.GetHelp()}
				for _, l := range f.GetMetric()[0].GetLabel() {
					head = append(head, l.GetName(), l.GetValue())
				}
				all = append(all, strings.Join(head, " "))
			}
		}
		slices.Sort(all)
		return all
	}
	m := New("test")
	left := map[string]bool{}
	for name := range theirs() {
		left[name] = true
	}
	if len(left) < 35 {
		t.Fatalf("the library tells %d families only", len(left))
	}
	for try := 0; len(left) > 0; try++ {
		before, fewer := theirs(), float64(runtime.NumGoroutine())
		ours := parsed(t, written(t, m))
		more, after := float64(runtime.NumGoroutine()), theirs()
		if diff := cmp.Diff(heads(before), heads(ours)); diff != "" {
			t.Fatalf("(-library +ours):\n%s", diff)
		}
		for name := range left {
			low, got, high := figuresOf(before[name]), figuresOf(ours[name]), figuresOf(after[name])
			if name == "go_goroutines" {
				low, high = []float64{fewer}, []float64{more}
			}
			between := len(low) == len(got)
			for i := range got {
				between = between && min(low[i], high[i]) <= got[i] && got[i] <= max(low[i], high[i])
			}
			if between {
				delete(left, name)
			}
		}
		if try > 2000 {
			t.Fatalf("never between the library's before and after: %v", slices.Sorted(maps.Keys(left)))
		}
	}
}
