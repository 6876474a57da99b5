package cmd

import (
	"errors"
	"testing"

	"groat/provider/profile"
)

func TestProcessLine(t *testing.T) {
	for _, tc := range []struct{ goos, program, name, want string }{
		{"linux", "/usr/local/bin/groat", "dev", `/usr/local/bin/groat credential-process dev`},
		{"darwin", "/Users/o'brien/my bin/groat", "team one", `"/Users/o'brien/my bin/groat" credential-process "team one"`},
		{"windows", `C:\tools\groat.exe`, "dev/ops", `C:\tools\groat.exe credential-process dev/ops`},
		{"windows", `C:\Program Files\groat.exe`, "dev", `"C:\Program Files\groat.exe" credential-process dev`},
	} {
		if got, err := processLine(tc.program, tc.name, tc.goos); err != nil || got != tc.want {
			t.Errorf("%s, %s on %s: %s, %v", tc.program, tc.name, tc.goos, got, err)
		}
	}
	for _, tc := range [][2]string{{"/x/$HOME/groat", "dev"}, {"/x/groat", `a"b`}, {"/x/groat", "-x"}, {"/x/groat", "`id`"}, {`/x\y/groat`, "dev"}} {
		if got, err := processLine(tc[0], tc[1], "linux"); !errors.Is(err, profile.ErrUnsupported) {
			t.Errorf("%v: %s, %v", tc, got, err)
		}
	}
}
