package cmd

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set in release builds by -ldflags "-X groat/cmd.version=…".
var version = ""

// versionCmd prints the version; it opens no backend.
type versionCmd struct{}

// Run writes one line to stdout.
func (versionCmd) Run(_ context.Context, a *app) error {
	_, err := fmt.Fprintln(a.streams.Out, versionLine())
	return outputError(err)
}

func versionLine() string {
	v := version
	if v == "" {
		v = "devel"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
			v = info.Main.Version
		}
	}
	return fmt.Sprintf("groat %s %s/%s %s", v, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
