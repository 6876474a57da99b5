package cmd

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// talker is a client that goes on to live between two calls.
type talker struct {
	road   string
	lines  *bufio.Scanner
	stdin  io.WriteCloser
	stderr strings.Builder
	wait   func() error
}

func (w *clientWorld) talk(road string, env []string, line []string) *talker {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	c := exec.CommandContext(ctx, w.find(line[0]), line[1:]...)
	c.Env, c.Dir = slices.Concat(w.env, env, []string{sayAgain + "=1"}), w.home
	detach(c)
	k := &talker{road: road}
	c.Stderr = &k.stderr
	out, err := c.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if k.stdin, err = c.StdinPipe(); err != nil {
		w.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		w.t.Fatal(err)
	}
	k.lines, k.wait = bufio.NewScanner(out), c.Wait
	w.t.Cleanup(cancel)
	return k
}

// says reads the next ARN, "" at the end.
func (k *talker) says() string {
	for k.lines.Scan() {
		if line := arn(k.lines.Text()); strings.HasPrefix(line, "arn:") {
			return line
		}
	}
	return ""
}

// A client that lives longer than its credentials gets new ones: from the
// credential process, and from what groat serves as ECS and EC2 do.
func TestClientsOutliveTheirCredentials(t *testing.T) {
	for _, name := range []string{"boto3", "go", "js"} {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			t.Parallel() // they wait, and for nothing of one another
			w := newClientWorld(t, true)
			w.env = slices.DeleteFunc(w.env, func(e string) bool { return strings.HasPrefix(e, "AWS_EC2_METADATA_DISABLED=") })
			line := clientLine(t, w, name)
			w.CapRoleSessions(15 * time.Second)
			talkers := []*talker{
				w.talk("credential process", []string{"AWS_PROFILE=sdk-admin"}, line),
				w.talk("server", nil, slices.Concat([]string{"groat", "exec", "--server", "admin", "--"}, line)),
			}
			if name != "boto3" { // which prolongs what it has from instance metadata, see metadataMinTTL
				talkers = append(talkers, w.talk("imds", nil, slices.Concat([]string{"groat", "exec", "--imds", "admin", "--"}, line)))
			}
			for _, k := range talkers {
				if got := k.says(); got != adminARN {
					t.Fatalf("%s: %q at first: %s", k.road, got, k.stderr.String())
				}
			}
			var last time.Time
			for _, c := range w.Calls() {
				if c.Name() == assumeRole {
					last = c.Time
				}
			}
			time.Sleep(time.Until(last.Add(16 * time.Second))) // the SDKs look at the real clock
			for _, k := range talkers {
				if _, err := io.WriteString(k.stdin, "again\n"); err != nil {
					t.Fatal(err)
				}
				if got := k.says(); got != adminARN {
					t.Errorf("%s: %q afterwards: %s", k.road, got, k.stderr.String())
				}
				_ = k.stdin.Close()
				_ = k.says() // to the end, as Wait wants it
				if err := k.wait(); err != nil {
					t.Errorf("%s: %v: %s", k.road, err, k.stderr.String())
				}
			}
			if w.Count(getSessionToken) != 1 || w.Count(assumeRole) < 2 {
				t.Errorf("calls %v", w.Names())
			}
		})
	}
}
