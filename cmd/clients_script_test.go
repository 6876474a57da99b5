package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"groat/provider/ststest"
)

// startMoto starts an S3 with its data in memory, and returns its URL and
// what ends it.
func startMoto(dir string) (url string, stop func(), err error) {
	interpreter, err := python("moto.server")
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, interpreter, "-m", "moto.server", "-H", "127.0.0.1", "-p", port)
	c.Dir = dir
	detach(c)
	if err := c.Start(); err != nil {
		cancel()
		return "", nil, err
	}
	stop = func() { cancel(); _ = c.Wait() }
	url = "http://127.0.0.1:" + port
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if resp, err := http.Get(url + "/moto-api/"); err == nil {
			_ = resp.Body.Close()
			return url, stop, nil
		}
		time.Sleep(100 * time.Millisecond) // until it listens
	}
	stop()
	return "", nil, errors.New("moto did not start")
}

// scriptS3 starts an S3 and puts its URL into $S3.
func scriptS3(ts *testscript.TestScript, _ bool, _ []string) {
	url, stop, err := startMoto(ts.MkAbs("."))
	if err != nil {
		ts.Fatalf("s3: %v", err)
	}
	ts.Defer(stop)
	ts.Setenv("S3", url)
}

// scriptAsked looks among the calls since the last `calls` for one that the
// words describe.
func scriptAsked(ts *testscript.TestScript, neg bool, args []string) {
	want := regexp.MustCompile(strings.Join(args, ".*"))
	var all []string
	found := false
	for _, c := range theAWS(ts).Calls() {
		line := fmt.Sprintf("%s role=%s name=%s serial=%s code=%v duration=%s", c.Name(), c.RoleARN, c.SessionName, c.MFASerial, c.HasCode, c.Duration)
		all = append(all, line)
		found = found || want.MatchString(line)
	}
	if found == neg {
		ts.Fatalf("asked: %s among\n%s", want, strings.Join(all, "\n"))
	}
}

// scriptRole adds a role of the user's account that wants MFA and what the
// words say.
func scriptRole(ts *testscript.TestScript, _ bool, args []string) {
	o := ststest.RoleOptions{RequireMFA: true, MaxSession: time.Hour}
	for _, word := range args[1:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "external-id":
			o.ExternalID = value
		case "source-identity":
			o.RequireSourceIdentity = true
		case "tags":
			o.RequireTags = strings.Split(value, ",")
		default:
			ts.Fatalf("role: what is %s?", word)
		}
	}
	theAWS(ts).AddRole("arn:aws:iam::123456789012:role/"+args[0], o)
}

// scriptClient is the condition [client:NAME].
func scriptClient(condition string) (on, known bool) {
	name, known := strings.CutPrefix(condition, "client:")
	return known && switchedOn(name), known
}
