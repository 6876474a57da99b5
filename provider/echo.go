package provider

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// withoutEcho takes out of an error's answer what the request sent: endpoints,
// AWS's own among them, quote it ("Value '123456' at 'tokenCode' failed to
// satisfy constraint"), and an error's text goes to the screen. It does so
// before anybody reads the answer, for every service and every call.
func withoutEcho(resp *http.Response, sent *http.Request, body []byte) {
	if resp.StatusCode < 300 {
		return
	}
	secrets := sentSecrets(sent, body)
	for _, values := range resp.Header {
		for i := range values {
			values[i] = string(hide([]byte(values[i]), secrets))
		}
	}
	answer := &boundedBody{body: resp.Body, left: maxResponse}
	data, err := io.ReadAll(answer)
	_ = resp.Body.Close()
	data = hide(data, secrets)
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{err}))
	resp.ContentLength = -1
	resp.Header.Del("Content-Length")
}

// failing ends a body as it ended on the way here.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// harmlessField are the fields whose values may be repeated, by the end of
// their names: who and what is asked for. Any other is taken for a secret.
var harmlessField = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(name|arn|id|number|seconds|action|version|status|uri|url|type|marker|scopes)(\.member\.\d+)?$`)
})

// minSecret is the length of the shortest secret that is sent, a token code.
const minSecret = 6

// sentSecrets are the values of a request, in its header and its body, that
// must not come back, the longest first.
func sentSecrets(r *http.Request, body []byte) []string {
	var found []string
	for name, values := range r.Header {
		if name != "Content-Type" && name != "User-Agent" {
			found = append(found, values...)
		}
	}
	if form, err := url.ParseQuery(string(body)); err == nil && !bytes.HasPrefix(body, []byte("{")) {
		for name, values := range form {
			for _, v := range values {
				found = append(found, fieldSecrets(name, v)...)
			}
		}
	} else {
		found = append(found, fieldSecrets("", string(body))...)
	}
	var out []string
	for _, s := range found {
		if len(s) >= minSecret {
			out = append(out, s, url.QueryEscape(s), strings.ReplaceAll(s, "/", `\/`))
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(out)
}

// fieldSecrets are the secrets in one field: all of it, and where it is a
// JSON document, what stands in that.
func fieldSecrets(name, value string) []string {
	var document map[string]any
	if json.Unmarshal([]byte(value), &document) != nil {
		if harmlessField().MatchString(name) {
			return nil
		}
		return []string{value}
	}
	var found []string
	for name, v := range document {
		if s, ok := v.(string); ok {
			found = append(found, fieldSecrets(name, s)...)
		}
	}
	return found
}

func hide(data []byte, secrets []string) []byte {
	for _, s := range secrets {
		data = bytes.ReplaceAll(data, []byte(s), []byte("…"))
	}
	return data
}
