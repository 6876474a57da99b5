package cmd

import (
	"os"
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
