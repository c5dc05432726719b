package compat

import "testing"

func TestAllUpIsGreen(t *testing.T) {
	t.Parallel()
	if got := kumaHue(1); got != "#66c20a" {
		t.Errorf("colour of 100 %% = %s", got)
	}
}
