// Command groat mints short-lived AWS credentials from a locked vault.
package main

import (
	"context"
	"os"

	"groat/cmd"
)

func main() {
	os.Exit(cmd.Main(context.Background(), os.Args, cmd.ProcessEnviron(), cmd.StandardStreams()))
}
