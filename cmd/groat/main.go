// Command groat mints short-lived AWS credentials from a locked vault.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"groat/cmd"
)

func main() {
	debug.SetTraceback("none") // stacks hold secrets; GOTRACEBACK=all brings them back
	os.Exit(cmd.Main(context.Background(), os.Args, cmd.ProcessEnviron(), cmd.StandardStreams()))
}
