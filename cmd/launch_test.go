package cmd

import (
	"os"
	"path/filepath"
	"testing"
)

// A file that is there and is no program is another error than none, however
// it is named: Windows calls both "not found".
func TestFileThatIsNoProgram(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "notes")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"notes": file, file: file, "other": "", filepath.Join(dir, "other"): "", dir: "", filepath.Base(dir): ""} {
		if got := unexecutable(name, dir+string(filepath.ListSeparator)+filepath.Dir(dir)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
