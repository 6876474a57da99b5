//go:build unix

package cmd

import (
	"strings"
	"testing"
)

const idPrompt = "access key ID (not shown"

// ID and secret are pasted as two lines or as one: both are taken, and the
// secret is not on the screen.
func TestKeyIsPastedAtOnce(t *testing.T) {
	w := newPromptWorld(t)
	for name, between := range map[string]string{"lines": "\n", "words": " "} {
		s := w.on(t, "groat", "add", name, "--no-config")
		s.Sees(idPrompt, 1)
		s.Types(w.key.ID + between + w.key.Secret + "\n")
		s.Ends(0, "")
		if strings.Contains(s.Screen()+s.Stderr.String(), w.key.Secret) {
			t.Errorf("%s: the secret is on the screen:\n%s", name, s.Screen())
		}
		if !strings.Contains(s.Stderr.String(), "stored access key "+w.key.ID) {
			t.Errorf("%s: said %q", name, s.Stderr.String())
		}
	}
}

// What cannot be a key is asked again at once, with the reason, and is never
// shown; the title is shown once.
func TestKeyIsCheckedAsItIsTyped(t *testing.T) {
	w := newPromptWorld(t)
	s := w.on(t, "groat", "add", "other", "--no-config")
	for i, c := range [][2]string{
		{w.key.Secret, "looks like a secret access key"},
		{"ASIA" + strings.TrimPrefix(w.key.ID, "AKIA"), "temporary credentials"},
		{"", "nothing was typed: the access key ID is needed"},
		{w.key.Secret + "\n" + w.key.ID, "looks like a secret access key"},
	} {
		s.Sees(idPrompt, i+1)
		s.Types(c[0] + "\n")
		s.Sees(c[1], 1)
	}
	s.Sees(idPrompt, 5)
	s.Types(w.key.ID + "\n")
	secretPrompt := "secret access key of " + w.key.ID + " (not shown): "
	s.Sees(secretPrompt, 1)
	s.Types("short\n")
	s.Sees("the secret access key is malformed", 1)
	s.Sees(secretPrompt, 2)
	s.Types(w.key.Secret + "\n")
	s.Ends(0, "")
	if screen := s.Screen(); strings.Contains(screen, w.key.Secret) || strings.Count(screen, "Access key to store") != 1 {
		t.Errorf("the screen:\n%s", screen)
	}
}
