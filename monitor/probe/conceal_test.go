package probe

import (
	"errors"
	"net/http"
	"net/url"
	"statuspage/internal/status"
	"strings"
	"syscall"
	"testing"
)

func TestErrorsConcealWhatACheckSends(t *testing.T) {
	t.Parallel()
	check := checkOf("https://user:" + url.QueryEscape("pass&word") + "@host/?token=" + url.QueryEscape("to+ken/") + "&x=1")
	check.URL = "https://host/?token=***&x=1"
	check.Headers = map[string]string{"Authorization": "Bearer bear=er", "Host": "other.example"}
	err := conceal(&url.Error{Op: "Get", URL: check.Target, Err: errors.Join(
		errors.New(`malformed: "Bearer bear=er" bear=er pass&word pass%26word to+ken/ to%2Bken%2F dXNlcjpwYXNzJndvcmQ= other.example 1`), syscall.ECONNREFUSED,
	)}, check.whole())
	const want = `GET https://host/?token=***&x=1: malformed: "***" *** *** *** *** *** *** other.example 1` + "\nconnection refused"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) || classify(err) != status.ConnectionRefused {
		t.Errorf("%v is told as %v", err, classify(err))
	}
}

// TestRedirectsDoNotTellWhereTheyCameFrom holds that no other host reads the query in Referer.
func TestRedirectsDoNotTellWhereTheyCameFrom(t *testing.T) {
	t.Parallel()
	asked := make(chan http.Header, 1)
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header.Clone() })
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(other, "127.0.0.1", "localhost", 1), http.StatusFound)
	})
	check := checkOf(first + "/?token=hidden")
	if r := HTTP(t.Context(), check); r.Outcome != status.Up {
		t.Fatalf("%v (%v)", r.Outcome, r.Err)
	}
	if got := (<-asked).Get("Referer"); got != "" {
		t.Errorf("the other host is told of %s", got)
	}
}
