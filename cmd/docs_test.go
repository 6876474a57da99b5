package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every command, its own flags and the common ones stand in the manual.
func TestManualIsComplete(t *testing.T) {
	manual := readDoc(t, "groat.1.md")
	flags := func(n *kong.Node) {
		for _, f := range n.Flags {
			if !f.Hidden && !strings.Contains(manual, "**--"+f.Name+"**") {
				t.Errorf("%s: --%s is not in the manual", n.FullPath(), f.Name)
			}
		}
	}
	root := model(t).Node
	flags(root)
	leaves(root, func(n *kong.Node) {
		if name := strings.Fields(commandPath(n))[0]; !strings.Contains(manual, "**"+name) {
			t.Errorf("%s is not in the manual", name)
		}
		flags(n)
	})
}

// The prompts of the documentation show the profile in the real shells.
func TestDocumentedPrompts(t *testing.T) {
	doc := readDoc(t, "daily-use.md")
	for shell, show := range map[string][]string{
		"bash": {"--norc", "-c", `PS1="x> "; source "$0"; echo "${PS1@P}"`},
		"zsh":  {"-f", "-c", `PROMPT="x> "; source "$0"; print -P "$PROMPT"`},
		"fish": {"--no-config", "-c", `source $argv[1]; fish_right_prompt`},
	} {
		t.Run(shell, func(t *testing.T) {
			path := requireShell(t, shell)
			block := regexp.MustCompile("(?s)```" + shell + "\n(.*?)```").FindStringSubmatch(doc)
			if block == nil {
				t.Fatal("no snippet")
			}
			file := filepath.Join(t.TempDir(), "snippet")
			if err := os.WriteFile(file, []byte(block[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			for profile, want := range map[string]bool{"admin": true, "": false} {
				c := exec.CommandContext(t.Context(), path, append(slices.Clone(show), file)...)
				c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
				if profile != "" {
					c.Env = append(c.Env, "GROAT_PROFILE="+profile)
				}
				out, err := c.CombinedOutput()
				if err != nil || strings.Contains(string(out), "[admin]") != want || strings.Contains(string(out), "[]") {
					t.Errorf("with %q the prompt is %q (%v)", profile, out, err)
				}
			}
		})
	}
}
