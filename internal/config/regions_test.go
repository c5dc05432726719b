package config

import (
	"statuspage/internal/status"
	"testing"
)

func TestRegionsOfServices(t *testing.T) {
	t.Parallel()
	text := "region: us-east\ndefaults: {regions: [eu-west, us-east, ap-1]}\nservices:\n- {name: A, url: 'https://a.example'}\n- {name: B, url: 'https://b.example', regions: []}\n- {name: C, url: 'https://c.example', down_when: all}\n"
	c, err := Load(Overrides{}, env("STATUSPAGE_REGION", "eu-west"), file(text))
	if err != nil {
		t.Fatal(err)
	}
	if c.Region != "eu-west" {
		t.Errorf("region = %q, want that of the environment", c.Region)
	}
	a, b, all := c.Checks[0].Service, c.Checks[1].Service, c.Checks[2].Service
	if len(a.Regions) != 3 || a.DownWhen != 2 || a.Quorum != status.Majority || all.DownWhen != 3 || all.Quorum != status.All {
		t.Errorf("services = %+v, %+v; want 2 of 3, and all 3", a, all)
	}
	if len(b.Regions) != 0 || b.DownWhen != 0 {
		t.Errorf("service without regions = %+v", b)
	}
	if _, err := Load(Overrides{}, env("STATUSPAGE_REGION", "EU"), file("")); err == nil {
		t.Error("a wrong name of a region in the environment was taken")
	}
}
