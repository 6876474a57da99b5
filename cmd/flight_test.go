package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// 100 processes find nothing cached: one question, one session token, one
// call for each role, and everybody has the same valid answer.
func TestColdProcessesShareOneQuestion(t *testing.T) {
	o := newOutside(t)
	repeats := 2
	if os.Getenv("GROAT_TEST_LONG") != "" {
		repeats = 20
	}
	var profiles []string
	for range 50 {
		profiles = append(profiles, "admin", "readonly")
	}
	for range repeats {
		o.cold()
		o.slow()
		answers := o.together(profiles...)
		o.ClearFaults()
		for i, a := range answers {
			if a != answers[i%2] {
				t.Errorf("process %d has another answer", i)
			}
		}
		if answers[0].AccessKeyID == answers[1].AccessKeyID {
			t.Error("two roles have the same answer")
		}
		if o.asked() != 1 || o.Count("sts:GetSessionToken") != 1 || o.Count("sts:AssumeRole") != 2 || o.Count("") != 3 {
			t.Errorf("asked %d times, calls %v", o.asked(), o.Names())
		}
	}
}

// A cold role costs two calls over one connection.
func TestColdRoleUsesOneConnection(t *testing.T) {
	o := newOutside(t)
	o.cold()
	o.credentials("admin")
	if o.Connections() != 1 || o.Count("") != 2 || o.asked() != 1 {
		t.Errorf("%d connections, calls %v, asked %d times", o.Connections(), o.Names(), o.asked())
	}
	o.ResetCalls()
	first := o.credentials("readonly")
	if again := o.credentials("readonly"); again != first || o.Count("") != 1 || o.asked() != 1 {
		t.Errorf("calls %v, asked %d times", o.Names(), o.asked())
	}
}

// A cached session that was damaged, cut, emptied or exchanged for another
// is a miss with a warning, and replaced.
func TestDamagedSessionIsMintedAnew(t *testing.T) {
	o := newOutside(t)
	o.cold()
	o.credentials("admin")
	o.credentials("readonly")
	sessions, err := filepath.Glob(filepath.Join(o.home, ".local/share/groat/vault/session.*"))
	if err != nil || len(sessions) != 3 {
		t.Fatalf("sessions %q, %v", sessions, err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"bit":   func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut":   func(b []byte) []byte { return b[:len(b)/2] },
		"empty": func([]byte) []byte { return nil },
		"other": func([]byte) []byte { b, _ := os.ReadFile(sessions[0]); return b },
		"null":  func([]byte) []byte { return []byte("null") },
	} {
		o.cold()
		admin, readonly := o.credentials("admin"), o.credentials("readonly")
		for _, file := range sessions {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o.device.Forget()
		_ = os.Remove(filepath.Join(o.home, ".local/share/groat/vault/locks/state/used-codes.json"))
		for profile, before := range map[string]processOutput{"admin": admin, "readonly": readonly} {
			c := o.command("credential-process", profile)
			var stderr strings.Builder
			c.Stderr = &stderr
			out, err := c.Output()
			if err != nil {
				t.Fatalf("%s, %s: %v: %s", name, profile, err, stderr.String())
			}
			if now := o.parse(out); now == before && name != "other" {
				t.Errorf("%s: %s was served from a damaged session", name, profile)
			}
			if again := o.credentials(profile); again != o.parse(out) {
				t.Errorf("%s: the damaged session of %s was not replaced", name, profile)
			}
		}
	}
}
