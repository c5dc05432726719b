package live

import (
	"fmt"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"testing"
	"time"
)

// TestVariantsAreBounded asks for more ways to see a page than are kept.
func TestVariantsAreBounded(t *testing.T) {
	t.Parallel()
	l, _, stop := newTestLive(t, "a")
	defer stop()
	for offset := range 40 {
		zone := time.FixedZone(fmt.Sprintf("zone%d", offset), offset*60)
		for _, language := range lang.All() {
			l.Variant(page.Preferences{Window: status.LastDay, Lang: language, Zone: zone})
			l.Variant(l.page.Usual(language))
		}
	}
	if n, most := len(l.variants.all()), l.MaxRare()+len(lang.All()); n != most {
		t.Errorf("%d variants are kept, want %d", n, most)
	}
}
