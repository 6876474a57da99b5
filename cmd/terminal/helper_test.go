//go:build unix

package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

// The test binary is also the program under test: with helperVar set it asks
// as told and prints what it got, so that every test has a real process with
// a real controlling terminal.
const helperVar = "GROAT_TERMINAL_TEST_HELPER"

func TestMain(m *testing.M) {
	if what := os.Getenv(helperVar); what != "" {
		os.Exit(helper(what))
	}
	os.Exit(m.Run())
}

func helper(what string) int {
	o := Options{Driver: os.Getenv("HELPER_DRIVER"), Environ: os.Environ(), Stderr: os.Stderr,
		NoInput: os.Getenv("HELPER_NO_INPUT") != "",
		Debugf:  func(f string, a ...any) { fmt.Fprintf(os.Stderr, "debug: "+f+"\n", a...) }}
	if s := os.Getenv("HELPER_DEADLINE"); s != "" {
		o.Deadline, _ = time.ParseDuration(s)
	}
	u := New(o)
	q := Question{Title: "token code for the MFA device", Reason: os.Getenv("HELPER_REASON"), Default: os.Getenv("HELPER_DEFAULT"),
		Details: []Detail{{"profile", "admin\x1b[31m"}, {"role", ""}, {SerialDetail, "arn:aws:iam::111122223333:mfa/al<b>i</b>ce_x"}}}
	defer u.Release()
	ctx := context.Background()
	var answer any
	var err error
	switch what {
	case "code":
		answer, err = u.Code(ctx, q)
	case "secret":
		var b []byte
		b, err = u.Secret(ctx, q)
		answer = string(b)
	case "line":
		answer, err = u.Line(ctx, q)
	case "confirm":
		answer, err = u.Confirm(ctx, Question{Title: "remove admin?"})
	case "approve", "approve-window":
		answer, err = u.Approve(ctx, Question{Title: "Hand out <b>admin</b>?", Prompt: "allow?"}, what == "approve-window")
	case "choose":
		answer, err = u.Choose(ctx, "which profile?", []string{"dev-admin", "dev-readonly", "prod-admin", "staging"})
	case "tell":
		err = u.Tell(ctx, "open https://x.example", "compare the code \x1b[31mABCD")
	case "canask":
		err = u.CanAsk()
	case "pair":
		var a, b []byte
		a, err = u.Secret(ctx, Question{Prompt: "ID"})
		if err == nil {
			b, err = u.Secret(ctx, Question{Prompt: "key", Again: true, Pasted: true})
		}
		answer = string(a) + "," + string(b)
	case "checked": // each secret is checked until a line comes on stdin
		lines := bufio.NewReader(os.Stdin)
		for try := range 2 {
			var b []byte
			b, err = u.Secret(ctx, Question{Title: "vault", Again: try > 0})
			answer = string(b)
			fmt.Fprintf(os.Stderr, "checking %d\n", try+1)
			_, _ = lines.ReadString('\n')
		}
		if err == nil {
			answer, err = u.Code(ctx, q)
		}
	case "twice":
		var a, b string
		a, err = u.Code(ctx, q)
		if err == nil {
			b, err = u.Code(ctx, q)
		}
		answer = a + "," + b
	}
	var s *SignalError
	switch {
	case err == nil:
		fmt.Printf("answer=%v\n", answer)
		return 0
	case errors.As(err, &s):
		fmt.Printf("error=signal %v\n", err)
		return 128 + int(s.Signal.(syscall.Signal))
	case errors.Is(err, ErrNoTerminal):
		fmt.Printf("error=noterminal %v\n", err)
		return 5
	case errors.Is(err, ErrCancelled):
		fmt.Printf("error=cancelled %v\n", err)
		return 6
	case errors.Is(err, ErrTimeout):
		fmt.Printf("error=timeout %v\n", err)
		return 7
	}
	fmt.Printf("error=other %v\n", err)
	return 1
}

// onTerminal starts the helper as the leader of a session on a new pty.
func onTerminal(t *testing.T, what string, env ...string) *terminaltest.Session {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append([]string{helperVar + "=" + what, "PATH=" + os.Getenv("PATH")}, env...)
	return terminaltest.Start(t, cmd)
}
