package visitor

import "testing"

// TestZonesHaveOneName holds that nobody makes up names without end for what is kept by name.
func TestZonesHaveOneName(t *testing.T) {
	t.Parallel()
	var z zones
	for _, name := range []string{"Europe//Berlin", "Europe/./Berlin", "./Europe/Berlin", "Europe/Berlin/", "/Europe/Berlin", "", ".", "Local", "Europe/../Europe/Berlin"} {
		if zone, ok := z.find(name); ok {
			t.Errorf("%q is %v", name, zone)
		}
	}
	if _, ok := z.find("Europe/Berlin"); !ok {
		t.Error("Europe/Berlin is not known")
	}
}
