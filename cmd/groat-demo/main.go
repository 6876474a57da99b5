// Command groat-demo shows groat's main job from beginning to end on a bare
// machine: no AWS account, network, terminal or AWS tool is needed. It starts
// a strict double of AWS on loopback and a throw-away file vault, runs the
// real groat as separate processes, and checks every AWS call that is made.
// It leaves nothing behind, and ends with 1 if anything was off.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"groat/cmd"
)

// childWord makes this program play the command that `groat exec` runs.
const childWord = "who-am-i"

func main() {
	switch name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe"); {
	case name == "groat": // started by the demo itself, under that name: the real thing
		os.Exit(cmd.Main(context.Background(), os.Args, cmd.ProcessEnviron(), cmd.StandardStreams()))
	case len(os.Args) == 2 && os.Args[1] == childWord:
		os.Exit(whoAmI())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "groat-demo: %v\n", err)
		os.Exit(1)
	}
}
