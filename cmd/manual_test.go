package cmd

import (
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

// The prompt pieces show the profile, and the time left or the end, in the
// real shells, and nothing elsewhere.
func TestPromptPieces(t *testing.T) {
	dir, err := filepath.Abs("../docs/shells")
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(79 * time.Minute).UTC() // some minutes for a slow machine
	for _, c := range []struct{ shell, flags, script, want string }{
		{"bash", "--norc", `. "$D/groat-prompt.sh"; PS1='$(groat_prompt)x> '; echo "${PS1@P}"`, "[admin 1h1"},
		{"zsh", "-f", `. "$D/groat-prompt.sh"; setopt prompt_subst; PROMPT='$(groat_prompt)x> '; print -P "$PROMPT"`, "[admin 1h1"},
		{"zsh", "-f", `PROMPT="x> "; source "$D/groat.plugin.zsh"; print -P "$PROMPT"`, "[admin 1h1"},
		{"zsh", "-f", `p10k() { print -r -- "$@" }; source "$D/groat.p10k.zsh"; prompt_groat`, "-t admin 1h1"},
		{"fish", "--no-config", `source "$D/fish_right_prompt.fish"; fish_right_prompt`, "[admin until " + end.Format("15:04") + " UTC]"},
	} {
		t.Run(c.shell, func(t *testing.T) {
			path := requireShell(t, c.shell)
			for set, want := range map[string]string{
				"GROAT_PROFILE=admin AWS_CREDENTIAL_EXPIRATION=" + end.Format(time.RFC3339): c.want,
				"GROAT_PROFILE=admin": "admin",
				"":                    "",
			} {
				cmd := exec.CommandContext(t.Context(), path, c.flags, "-c", c.script)
				// No PATH: whoever starts a program fails.
				cmd.Env = append(strings.Fields(set), "PATH=/nonexistent", "HOME="+t.TempDir(), "D="+dir)
				out, err := cmd.CombinedOutput()
				if want != "" && (err != nil || !strings.Contains(string(out), want)) || want == "" && strings.Contains(string(out), "[") || strings.Contains(string(out), "not found") {
					t.Errorf("with %q: %q (%v), want %q", set, out, err, want)
				}
			}
		})
	}
}

// Every code of AWS that has a hint, and every check of doctor has its entry.
func TestTroubleshootingIsComplete(t *testing.T) {
	page := readDoc(t, "troubleshooting.md")
	check := regexp.MustCompile(`(?:Check: |Lint\{|\badd\(|fromError\(|variable\(|Err\w+: +)"([a-z-]+)"`)
	code := regexp.MustCompile(`"([A-Z][A-Za-z]+)"`)
	n := map[string]int{}
	for _, room := range []string{".", "../provider", "../session", "../vault"} {
		err := filepath.WalkDir(room, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && isTestsOwn(d.Name()) && path != room {
				return cmp.Or(err, fs.SkipDir)
			}
			if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			need := func(kind, format, what string) {
				n[kind]++
				if !strings.Contains(page, fmt.Sprintf(format, what)) {
					t.Errorf("%s: %q has no entry in troubleshooting.md", path, what)
				}
			}
			if strings.HasPrefix(path, "doctor/") || strings.HasPrefix(d.Name(), "lint") {
				for _, m := range check.FindAllStringSubmatch(string(text), -1) {
					need("check", "`%s`", m[1])
				}
			}
			if d.Name() == "remedy.go" {
				for line := range strings.Lines(string(text)) {
					if codes, ok := strings.CutPrefix(strings.TrimSpace(line), "case "); ok {
						for _, m := range code.FindAllStringSubmatch(codes, -1) {
							need("code", "`%s`", m[1])
						}
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n["check"] < 40 || n["code"] < 20 {
		t.Errorf("too few were found: %v", n)
	}
}

var update = flag.Bool("update", false, "write the man page anew")

// docs/groat.1 is groat.1.md, which TestManualIsComplete holds to the command
// tree, and man renders it without a word of complaint.
func TestManPageIsComplete(t *testing.T) {
	want := md2man.Render([]byte(readDoc(t, "groat.1.md")))
	if *update {
		if err := os.WriteFile("../docs/groat.1", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if readDoc(t, "groat.1") != string(want) {
		t.Error("docs/groat.1 is not what groat.1.md says: go test ./cmd -run ManPageIsComplete -update")
	}
	man, err := exec.LookPath("man")
	if err != nil {
		t.Skip("no man here")
	}
	c := exec.CommandContext(t.Context(), man, "--warnings", "-l", "../docs/groat.1")
	c.Env = append(os.Environ(), "MANWIDTH=100", "LC_ALL=C.UTF-8", "MANPAGER=cat")
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil || errs.Len() > 0 || !strings.Contains(string(out), "keeps long-lived AWS access keys") {
		t.Errorf("%v: %s\n%.200s", err, errs.String(), out)
	}
}
