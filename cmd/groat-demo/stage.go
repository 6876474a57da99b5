package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"groat/provider/ststest"
)

// config is what people have in ~/.aws/config: one key, two roles.
const config = `[default]
region=eu-west-1
[profile readonly]
role_arn=arn:aws:iam::123456789012:role/readonly-role
source_profile=default
mfa_serial=arn:aws:iam::123456789012:mfa/myusername
[profile admin]
role_arn=arn:aws:iam::123456789012:role/admin-role
source_profile=default
mfa_serial=arn:aws:iam::123456789012:mfa/myusername
`

const passphrase = "a passphrase for the demo"

// stage is the double, the throw-away home and the actor.
type stage struct {
	out    io.Writer
	srv    *ststest.Server
	key    *ststest.AccessKey
	device *ststest.Device
	minted map[string]string // profile → its credential_process JSON
	home   string
	self   string
	env    []string
}

// newStage sets everything up; close takes it down again.
func newStage(out io.Writer) (*stage, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("could not find this program: %w", err)
	}
	home, err := os.MkdirTemp("", "groat-demo-*")
	if err != nil {
		return nil, fmt.Errorf("could not make a home: %w", err)
	}
	s := &stage{out: out, home: home, self: self, minted: map[string]string{}, srv: ststest.New(ststest.Options{})}
	if err := s.srv.Start(); err != nil {
		_ = os.RemoveAll(home)
		return nil, err
	}
	user := s.srv.AddUser("123456789012", "myusername")
	s.key, s.device = user.AddAccessKey(), user.AddMFA()
	for _, role := range []string{"readonly-role", "admin-role"} {
		s.srv.AddRole("arn:aws:iam::123456789012:role/"+role, ststest.RoleOptions{RequireMFA: true})
	}
	s.env = s.environment()
	if err := errors.Join(os.Mkdir(filepath.Join(home, ".aws"), 0o700), os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(config), 0o600)); err != nil {
		return nil, errors.Join(fmt.Errorf("could not write the config: %w", err), s.close())
	}
	return s, nil
}

// environment is a whole one, so that nothing of the caller's own AWS or
// groat settings plays a part.
func (s *stage) environment() []string {
	env := []string{
		"HOME=" + s.home, "USERPROFILE=" + s.home, "LOCALAPPDATA=" + s.home, "APPDATA=" + s.home, "TMPDIR=" + s.home, "TEMP=" + s.home, "TMP=" + s.home,
		"AWS_ENDPOINT_URL_STS=" + s.srv.URL, "AWS_ENDPOINT_URL_IAM=" + s.srv.URL,
		"GROAT_BACKEND=file", "GROAT_FILE_PASSPHRASE=" + passphrase, "GROAT_NO_INPUT=true",
	}
	for _, name := range []string{"PATH", "PATHEXT", "SYSTEMROOT", "COMSPEC", "LANG"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func (s *stage) close() error {
	s.srv.Close()
	err := os.RemoveAll(s.home)
	for i := 0; err != nil && runtime.GOOS == "windows" && i < 20; i++ { // a file just closed may still be held for a moment
		time.Sleep(50 * time.Millisecond)
		err = os.RemoveAll(s.home)
	}
	if err != nil {
		return fmt.Errorf("could not clean up: %w", err)
	}
	return nil
}

// played is how a run of groat ended.
type played struct {
	code           int
	stdout, stderr string
}

// groat shows and runs one command line of the real program, and shows what
// it said.
func (s *stage) groat(ctx context.Context, stdin string, words ...string) (played, error) {
	p, err := s.quietly(ctx, stdin, words...)
	for _, text := range []string{p.stdout, p.stderr} {
		for line := range strings.Lines(text) {
			fmt.Fprintf(s.out, "  %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return p, err
}

// quietly shows and runs one command line, as a process of its own and
// without a terminal.
func (s *stage) quietly(ctx context.Context, stdin string, words ...string) (played, error) {
	fmt.Fprintf(s.out, "\n$ groat %s\n", strings.ReplaceAll(strings.Join(words, " "), s.self, "groat-demo"))
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, s.self)
	c.Args, c.Env, c.Dir = append([]string{"groat"}, words...), s.env, s.home
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &stdout, &stderr
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		return played{}, fmt.Errorf("could not run groat: %w", err)
	}
	return played{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}, ctx.Err()
}

// calls says which AWS calls were made since the last look, and checks that
// they are the ones that had to be.
func (s *stage) calls(want ...string) error {
	made := s.srv.Calls()
	connections := s.srv.Connections()
	s.srv.ResetCalls()
	got := make([]string, 0, len(made))
	for _, c := range made {
		fmt.Fprintf(s.out, "  AWS: %s\n", c)
		name := c.Name()
		if c.Code != "" {
			name += " " + c.Code
		}
		got = append(got, name)
	}
	if len(made) == 0 {
		fmt.Fprintf(s.out, "  AWS: no call, %d connections\n", connections)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("calls %v were made, %v had to be", got, want)
	}
	if len(want) == 0 && connections != 0 {
		return fmt.Errorf("%d connections were made, and none had to be", connections)
	}
	return nil
}

// nowhereInClear fails if one of the secrets stands in any file of the home.
func (s *stage) nowhereInClear(secrets ...string) error {
	files := 0
	err := filepath.WalkDir(s.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				return fmt.Errorf("a secret is readable in %s", path)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "  disk: %d files, none holds a secret in clear\n", files)
	return nil
}
