package child

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groat/cmd/terminal/terminaltest"
)

// TestUnderWine runs this package's tests for Windows.
func TestUnderWine(t *testing.T) {
	if !slices.Contains(strings.Split(os.Getenv("GROAT_TEST_SHELLS"), ","), "cmd") {
		t.Skip("GROAT_TEST_SHELLS does not name cmd")
	}
	dir := t.TempDir()
	exe := filepath.Join(dir, "child.test.exe")
	terminaltest.ForWindows(t, "test", "-c", "-o", exe, ".")
	command, _ := terminaltest.Wine(t, dir)
	out, err := command(exe, "-test.v").CombinedOutput()
	for _, name := range []string{"TestBatchArgumentsStayArguments", "TestBatchArgumentsReadNoVariable", "TestWhatACommandLeavesRunning"} {
		if err != nil || !strings.Contains(string(out), "--- PASS: "+name) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
