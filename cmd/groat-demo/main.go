// Command groat-demo shows groat's main job from beginning to end on a bare
// machine: no AWS account, network, terminal or AWS tool is needed. It starts
// a strict double of AWS on loopback and a throw-away file vault, runs the
// real groat as separate processes, and checks every AWS call that is made.
// It leaves nothing behind, and ends with 1 if anything was off.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

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
	path := flag.String("picture", "", "also draw the run as an SVG into this `file`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var transcript strings.Builder
	out := &sureWriter{w: io.MultiWriter(os.Stdout, &transcript)}
	err := run(ctx, out)
	stop()
	if err == nil {
		err = out.err
	}
	if err == nil && *path != "" {
		err = os.WriteFile(*path, []byte(picture(transcript.String())), 0o644)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "groat-demo: %v\n", err)
		os.Exit(1)
	}
}

// sureWriter remembers that something could not be written.
type sureWriter struct {
	w   io.Writer
	err error
}

func (s *sureWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil && s.err == nil {
		s.err = err
	}
	return n, err
}
