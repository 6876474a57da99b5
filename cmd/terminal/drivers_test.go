//go:build unix

package terminal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/cmd/child"
)

// fake is a UI whose PATH has one program, a script of testdata.
func fake(t *testing.T, driver, program string, env ...string) (*UI, func() string) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("testdata", program))
	if err != nil {
		t.Fatal(err)
	}
	bin, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	if err := os.Symlink(script, filepath.Join(bin, driver)); err != nil {
		t.Fatal(err)
	}
	env = append([]string{"PATH=" + bin + ":/usr/bin:/bin", "FAKE_LOG=" + log,
		"AWS_SECRET_ACCESS_KEY=not-for-dialogs", "GROAT_FILE_PASSPHRASE=not-for-dialogs"}, env...)
	return New(Options{Driver: driver, Environ: child.Dialog(env), Deadline: 20 * time.Second}), func() string {
		b, _ := os.ReadFile(log)
		return string(b)
	}
}

var evil = Question{Title: "token code", Reason: "refused", Details: []Detail{
	{"profile", `a"; do shell script "x` + "\x1b[31m\n%41"},
	{SerialDetail, `<b>&amp;\n_x`},
}}

func TestPinentryProtocol(t *testing.T) {
	u, log := fake(t, "pinentry", "pinentry", "FAKE_PIN=p%25s%0Aw+ö")
	got, err := u.Secret(t.Context(), evil)
	if err != nil || string(got) != "p%s\nw+ö" {
		t.Fatalf("%q, %v", got, err)
	}
	said := log()
	for _, want := range []string{"SETTITLE groat\n", "SETERROR refused\n", "SETPROMPT passphrase:\n", "SETTIMEOUT ", "BYE",
		`SETDESC token code%0A  profile  a"; do shell script "x %2541%0A  serial   ‹b›&amp;\n_x` + "\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("pinentry was not told %q:\n%s", want, said)
		}
	}
}

func TestPinentryEnds(t *testing.T) {
	for mode, want := range map[string]error{"cancel": ErrCancelled, "closed": ErrCancelled, "empty": ErrCancelled, "timeout": ErrTimeout,
		"notty": ErrNoTerminal, "garbage": ErrNoTerminal, "gone": ErrNoTerminal} {
		u, _ := fake(t, "pinentry", "pinentry", "FAKE_MODE="+mode)
		if _, err := u.Secret(t.Context(), evil); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", mode, err, want)
		}
	}
}

func TestDriversEndWithTheirContext(t *testing.T) {
	for driver, c := range map[string][2]string{"pinentry": {"pinentry", "FAKE_MODE=slow"}, "zenity": {"program", "FAKE_SLEEP=60"},
		"kdialog": {"program", "FAKE_SLEEP=60"}, "osascript": {"program", "FAKE_SLEEP=60"}, "ykman": {"program", "FAKE_SLEEP=60"}} {
		u, log := fake(t, driver, c[0], c[1])
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("the caller's own reason")
		go func() {
			for end := time.Now().Add(10 * time.Second); log() == "" && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			}
			cancel(cause)
		}()
		if _, err := u.Code(ctx, evil); !errors.Is(err, cause) {
			t.Errorf("%s: %v", driver, err)
		}
	}
}

func TestProgramsEnd(t *testing.T) {
	for _, c := range []struct {
		driver, stdout, stderr, code string
		want                         error // nil: 123456
	}{
		{"zenity", "123456", "Gtk-WARNING", "0", nil},
		{"zenity", "", "", "1", ErrCancelled},
		{"zenity", "", "", "5", ErrTimeout},
		{"zenity", "", "(zenity:1): Gtk-WARNING **: cannot open display: :0", "1", ErrNoTerminal},
		{"zenity", "", "", "255", ErrNoTerminal},
		{"kdialog", "123456", "", "0", nil},
		{"kdialog", "", "", "1", ErrCancelled},
		{"kdialog", "", "qt.qpa.xcb: could not connect to display", "134", ErrNoTerminal},
		{"osascript", "answer:123456", "", "0", nil},
		{"osascript", "gave-up", "", "0", ErrTimeout},
		{"osascript", "", "execution error: User canceled. (-128)", "1", ErrCancelled},
		{"osascript", "", "execution error: no user interaction allowed (-1713)", "1", ErrNoTerminal},
		{"ykman", "123456", "Touch your YubiKey...", "0", nil},
		{"ykman", "", "ERROR: No YubiKey detected!", "1", ErrNoTerminal},
		{"ykman", "no code", "", "0", ErrNoTerminal},
	} {
		u, _ := fake(t, c.driver, "program", "FAKE_STDOUT="+c.stdout, "FAKE_STDERR="+c.stderr, "FAKE_CODE="+c.code)
		got, err := u.Code(t.Context(), evil)
		if !errors.Is(err, c.want) || c.want == nil && got != "123456" {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
		if err != nil && c.driver != "ykman" && c.stderr != "" && strings.Contains(err.Error(), c.stderr) {
			t.Errorf("%s: a person is told %q", c.driver, err)
		}
	}
}

// What the programs are told is text to each of them, and none of it secret.
func TestTextsStayTexts(t *testing.T) {
	for driver, want := range map[string]string{
		"zenity":    "\n  serial   <b>&amp;\\\\n__x\n",
		"kdialog":   "&#60;b&#62;&#38;&#38;amp;&#92;n_x",
		"osascript": "\n  serial   <b>&amp;\\n_x\n",
		"ykman":     "arg <b>&amp;\\n_x\n",
	} {
		out := "123456"
		if driver == "osascript" {
			out = "answer:123456"
		}
		u, log := fake(t, driver, "program", "FAKE_STDOUT="+out, "YKMAN_OATH_DEVICE_SERIAL=42")
		if _, err := u.Code(t.Context(), evil); err != nil {
			t.Fatalf("%s: %v", driver, err)
		}
		said := log()
		if !strings.Contains(said, want) {
			t.Errorf("%s was not told %q:\n%s", driver, want, said)
		}
		if strings.Contains(said, "not-for-dialogs") || strings.Contains(said, "\x1b") {
			t.Errorf("%s learns too much:\n%s", driver, said)
		}
		if driver == "osascript" && strings.Contains(said, "stdin do shell") {
			t.Errorf("text became script:\n%s", said)
		}
	}
}

func TestYkmanTouch(t *testing.T) {
	var said strings.Builder
	u, log := fake(t, "ykman", "program", "FAKE_STDOUT= 123456 ", "FAKE_STDERR=Touch your YubiKey...", "YKMAN_OATH_DEVICE_SERIAL=42", "YKMAN_OATH_CREDENTIAL_NAME=aws")
	u.opts.Stderr = &said
	if code, err := u.Code(t.Context(), evil); err != nil || code != "123456" {
		t.Fatalf("%q, %v", code, err)
	}
	if !strings.Contains(said.String(), "Touch your YubiKey") || !u.Automatic() {
		t.Errorf("no touch hint: %q", said.String())
	}
	if !strings.Contains(log(), "arg --device\narg 42\narg oath\narg accounts\narg code\narg --single\narg --\narg aws\n") {
		t.Errorf("ykman was called otherwise:\n%s", log())
	}
}

func TestProgramsAreNotTakenFromTheCurrentDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("zenity", []byte("#!/bin/sh\necho 123456\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	u := New(Options{Driver: "zenity", Environ: []string{"PATH=.::" + filepath.Join(dir, "missing")}})
	if _, err := u.Code(t.Context(), evil); !errors.Is(err, ErrNoTerminal) {
		t.Errorf("%v", err)
	}
}
