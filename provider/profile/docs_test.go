package profile

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every key and variable that is read stands in the documentation.
func TestEveryKeyIsDocumented(t *testing.T) {
	text := readFile(t, filepath.Join("..", "..", "docs", "configuration.md"))
	for _, key := range slices.Concat(chainKeys, callKeys, secretKeys) {
		if !strings.Contains(text, "`"+key+"`") {
			t.Errorf("%s is not documented", key)
		}
	}
	for _, service := range endpointServices {
		if name := "AWS_ENDPOINT_URL_" + strings.ToUpper(service); !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s is not documented", name)
		}
	}
}
