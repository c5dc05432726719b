package probe

import (
	"net/http"
	"statuspage/internal/status"
	"strings"
	"testing"
)

// TestCookiesOfARedirectAreSentAlong holds that a site which sets a cookie and sends back to itself is up, each time anew, and no other
// host reads it.
func TestCookiesOfARedirectAreSentAlong(t *testing.T) {
	t.Parallel()
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	asked := 0
	shop := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		own, _ := r.Cookie("own")
		seen, err := r.Cookie("seen")
		switch {
		case own == nil || own.Value != "1":
			w.WriteHeader(http.StatusForbidden)
		case err != nil:
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes", Path: "/"})
			http.Redirect(w, r, "/", http.StatusFound)
		case seen.Value == "yes" && r.URL.Path == "/":
			http.Redirect(w, r, strings.Replace(other, "127.0.0.1", "localhost", 1), http.StatusFound)
		}
	})
	check := checkOf(shop + "/")
	check.Headers = map[string]string{"Cookie": "own=1"}
	p := New(Options{})
	for range 2 {
		if r := p.asks(t.Context(), check); r.Outcome != status.Up {
			t.Errorf("%v %v %d (%v), want up", r.Outcome, r.Reason, r.HTTPStatus, r.Err)
		}
	}
	if asked != 4 {
		t.Errorf("the shop is asked %d times in two probes, want twice in each: cookies end with their chain", asked)
	}
}
