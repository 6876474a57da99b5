package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	adminARN    = "arn:aws:sts::123456789012:assumed-role/admin-role/myusername"
	adminRole   = "arn:aws:iam::123456789012:role/admin-role"
	sessionCall = "sts:GetSessionToken"
	roleCall    = "sts:AssumeRole"
	whoCall     = "sts:GetCallerIdentity"
	devicesCall = "iam:ListMFADevices"
)

// run plays all scenes, and the clean-up whatever happens.
func run(ctx context.Context, out io.Writer) (err error) {
	s, err := newStage(out)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := s.close(); cerr != nil {
			err = errors.Join(err, cerr)
		} else if _, serr := os.Stat(s.home); err == nil && serr == nil {
			err = errors.New("the throw-away home is still there")
		}
		if err == nil {
			fmt.Fprintln(out, "\nEverything was as it has to be; nothing is left behind.")
		}
	}()
	fmt.Fprintf(out, "A strict double of AWS listens on %s; home is %s, with this ~/.aws/config:\n\n%s", s.srv.URL, s.home, indent(config))
	for _, scene := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"The key goes into the vault; AWS says whose it is and which MFA device there is", s.addKey},
		{"What would be called for a role; nothing is sent", s.explain},
		{"One token code, and any AWS SDK gets the role's credentials from this", s.firstRole},
		{"The second role: the same session, no second code", s.secondRole},
		{"Both again: from the encrypted cache, no network", s.warm},
		{"A command as a role: session credentials in its environment, and no passphrase", s.exec},
		{"What is live", s.list},
		{"A mistyped profile is never another one", s.unknownProfile},
		{"The sessions are dropped, the key stays", s.drop},
		{"Without a session somebody has to give a code, and nobody is asked in the dark", s.nobodyToAsk},
	} {
		fmt.Fprintf(out, "\n== %s\n", scene.title)
		if err := scene.play(ctx); err != nil {
			return fmt.Errorf("%q went wrong: %w", scene.title, err)
		}
	}
	return nil
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}

// succeeds runs groat and wants exit code 0.
func (s *stage) succeeds(ctx context.Context, stdin string, words ...string) (played, error) {
	p, err := s.groat(ctx, stdin, words...)
	if err == nil && p.code != 0 {
		err = fmt.Errorf("exit code %d", p.code)
	}
	return p, err
}

func (s *stage) addKey(ctx context.Context) error {
	if _, err := s.succeeds(ctx, s.key.ID+" "+s.key.Secret+"\n", "add", "default", "--stdin"); err != nil {
		return err
	}
	if err := s.calls(whoCall, devicesCall); err != nil {
		return err
	}
	return s.nowhereInClear(s.key.Secret, passphrase)
}

func (s *stage) explain(ctx context.Context) error {
	p, err := s.succeeds(ctx, "", "explain", "admin")
	if err != nil {
		return err
	}
	if !strings.Contains(p.stdout, "GetSessionToken") || !strings.Contains(p.stdout, adminRole) {
		return errors.New("the steps are not named")
	}
	return s.calls()
}

// credentials is what the SDKs read.
type credentials struct {
	Version                                                int
	AccessKeyID, SecretAccessKey, SessionToken, Expiration string
}

// mint runs credential-process for the first time and judges its JSON.
func (s *stage) mint(ctx context.Context, profile string, words ...string) error {
	p, err := s.succeeds(ctx, "", append([]string{"credential-process", profile}, words...)...)
	if err != nil {
		return err
	}
	var c credentials
	if err := json.Unmarshal([]byte(p.stdout), &c); err != nil {
		return fmt.Errorf("not one JSON object: %w", err)
	}
	end, err := time.Parse(time.RFC3339, c.Expiration)
	left := time.Until(end)
	if err != nil || c.Version != 1 || !strings.HasPrefix(c.AccessKeyID, "ASIA") || c.SecretAccessKey == "" || c.SessionToken == "" || left < 50*time.Minute || left > time.Hour {
		return errors.New("the JSON is not what an SDK needs")
	}
	s.minted[profile] = p.stdout
	return s.nowhereInClear(s.key.Secret, c.SecretAccessKey, c.SessionToken)
}

func (s *stage) firstRole(ctx context.Context) error {
	if err := s.mint(ctx, "admin", "--mfa-code", s.device.FreshCode()); err != nil {
		return err
	}
	return s.calls(sessionCall, roleCall)
}

func (s *stage) secondRole(ctx context.Context) error {
	if err := s.mint(ctx, "readonly"); err != nil {
		return err
	}
	return s.calls(roleCall)
}

func (s *stage) warm(ctx context.Context) error {
	for _, profile := range []string{"admin", "readonly"} {
		p, err := s.quietly(ctx, "", "credential-process", profile)
		switch {
		case err != nil:
			return err
		case p.code != 0 || p.stdout != s.minted[profile]:
			return fmt.Errorf("exit code %d, or other credentials than before", p.code)
		}
		fmt.Fprintln(s.out, "  the same JSON as before")
	}
	return s.calls()
}

func (s *stage) exec(ctx context.Context) error {
	p, err := s.succeeds(ctx, "", "exec", "admin", "--", s.self, childWord)
	if err != nil {
		return err
	}
	if !strings.Contains(p.stdout, adminARN) {
		return errors.New("the child is somebody else")
	}
	if strings.Contains(p.stdout, "GROAT_FILE_PASSPHRASE") || !strings.Contains(p.stdout, "AWS_SESSION_TOKEN") {
		return errors.New("the child's environment is wrong")
	}
	return s.calls(whoCall)
}

// sessions counts what `list --json` says is live.
func (s *stage) sessions(ctx context.Context) (int, error) {
	p, err := s.quietly(ctx, "", "list", "--json")
	if err != nil || p.code != 0 {
		return 0, errors.Join(err, fmt.Errorf("exit code %d", p.code))
	}
	var l struct {
		Profiles []struct{ Sessions []struct{ Kind string } }
	}
	if err := json.Unmarshal([]byte(p.stdout), &l); err != nil {
		return 0, fmt.Errorf("not one JSON object: %w", err)
	}
	n := 0
	for _, profile := range l.Profiles {
		n += len(profile.Sessions)
	}
	fmt.Fprintf(s.out, "  %d live sessions\n", n)
	return n, nil
}

func (s *stage) list(ctx context.Context) error {
	if _, err := s.succeeds(ctx, "", "list"); err != nil {
		return err
	}
	n, err := s.sessions(ctx)
	if err != nil {
		return err
	}
	if n != 3 {
		return fmt.Errorf("%d sessions are live, there should be the MFA session and two roles", n)
	}
	return s.calls()
}

// refused wants an exit code and an empty stdout.
func (s *stage) refused(ctx context.Context, code int, words ...string) (played, error) {
	p, err := s.groat(ctx, "", words...)
	switch {
	case err != nil:
		return p, err
	case p.code != code:
		return p, fmt.Errorf("exit code %d, not %d", p.code, code)
	case p.stdout != "":
		return p, errors.New("a refusal wrote to stdout")
	}
	return p, nil
}

func (s *stage) unknownProfile(ctx context.Context) error {
	p, err := s.refused(ctx, 3, "credential-process", "amdin")
	if err != nil {
		return err
	}
	if !strings.Contains(p.stderr, "admin") {
		return errors.New("the close name is not suggested")
	}
	return s.calls()
}

func (s *stage) drop(ctx context.Context) error {
	if _, err := s.succeeds(ctx, "", "remove", "--sessions-only", "default"); err != nil {
		return err
	}
	n, err := s.sessions(ctx)
	if err != nil {
		return err
	}
	if n != 0 {
		return fmt.Errorf("%d sessions are still live", n)
	}
	return s.calls()
}

func (s *stage) nobodyToAsk(ctx context.Context) error {
	if _, err := s.refused(ctx, 5, "credential-process", "admin"); err != nil {
		return err
	}
	return s.calls()
}
