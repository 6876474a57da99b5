package loopback

import (
	"net/http"
	"strings"
	"testing"
)

// Only this user's browser answers a sign-in, and only with what the sign-in
// has sent it out with.
func TestBrowserAnswersAreChecked(t *testing.T) {
	c, err := OpenCallback(t.Context(), "/oauth/callback", "state")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	nothing := func(*http.Request) {}
	for what, try := range map[string]struct {
		method, url string
		change      func(*http.Request)
	}{
		"wrong state": {"GET", c.URL + "?code=x&state=stat", nothing},
		"no state":    {"GET", c.URL + "?code=x", nothing},
		"other path":  {"GET", strings.Replace(c.URL, "/oauth/", "/x/", 1) + "?code=x&state=state", nothing},
		"POST":        {"POST", c.URL + "?code=x&state=state", nothing},
		"other host":  {"GET", c.URL + "?code=x&state=state", func(r *http.Request) { r.Host = "evil.example" }},
	} {
		if resp, _ := ask(t, try.method, try.url, try.change); resp.StatusCode != http.StatusNotFound || len(c.Answer) > 0 {
			t.Errorf("%s: %s, %d answers", what, resp.Status, len(c.Answer))
		}
	}
	for _, code := range []string{"first", "second"} {
		if resp, body := ask(t, "GET", c.URL+"?code="+code+"&state=state", nothing); resp.StatusCode != http.StatusOK || !strings.Contains(body, "You are signed in") {
			t.Errorf("%s %q", resp.Status, body)
		}
	}
	if got := (<-c.Answer).Get("code"); got != "first" || len(c.Answer) > 0 {
		t.Errorf("the answer is %q, and %d more", got, len(c.Answer))
	}
	if got := stranger(t, c.server.Addr)(); got != "end" {
		t.Errorf("another user got %q", got)
	}
}
