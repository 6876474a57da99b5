package vault_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// promised skips the test, visibly, unless GROAT_TEST_BACKENDS (a comma
// list) names the backend; a backend that was promised and is missing fails.
func promised(t testing.TB, backend string, programs ...string) {
	t.Helper()
	if !slices.Contains(strings.Split(os.Getenv("GROAT_TEST_BACKENDS"), ","), backend) {
		t.Skipf("the real %s is not tested: GROAT_TEST_BACKENDS does not name it", backend)
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("GROAT_TEST_BACKENDS promises %s, but %v", backend, err)
		}
	}
}
