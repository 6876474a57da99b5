package provider_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/ststest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// planRow is one row of the table of plans.
type planRow struct {
	serial  string // where the MFA serial is known: own, source, both, different, none
	hops    int
	long    bool // 12 h asked for, else nothing
	session bool // not --no-session
	code    string
}

const planTableHead = `# Every shape of a plan over a long-lived key: written by TestPlanTable with -update, and each row
# carried out against the strict double, which counted the questions.
#
# serial   where the MFA serial is known: "own" on the profile asked for, "source" on the profile that holds the
#          key, "different" = another device on each. Without a role, "source" is what is known of the key itself.
# asked    "-" = no duration asked for, "12h" = --duration 12h
# mode     session, or --no-session
# plan     the calls in order; +own, +src: the device whose code goes into the call
# (!)      the plan came with a warning, listed below the table
`

func TestPlanTable(t *testing.T) {
	var b strings.Builder
	b.WriteString(planTableHead)
	warnings := map[string]bool{}
	var order []string
	for _, serial := range []string{"own", "source", "both", "different", "none"} {
		fmt.Fprintf(&b, "\n%-9s %5s %5s %-12s %-11s %5s  %s\n", "serial", "roles", "asked", "mode", "code from", "codes", "plan")
		for hops := range 4 {
			for _, long := range []bool{false, true} {
				for _, session := range []bool{true, false} {
					for _, code := range []string{"prompt", "mfa_process"} {
						row := planRow{serial, hops, long, session, code}
						plan, codes, warned := row.run(t)
						mark := ""
						for _, w := range warned {
							mark = " (!)"
							if !warnings[w] {
								warnings[w] = true
								order = append(order, w)
							}
						}
						fmt.Fprintf(&b, "%-9s %5d %5s %-12s %-11s %5d  %s%s\n", serial, hops, row.asked(), row.mode(), code, codes, plan, mark)
					}
				}
			}
		}
	}
	b.WriteString("\nwarnings\n")
	for _, w := range order {
		b.WriteString("  " + w + "\n")
	}
	compareGolden(t, "plan.golden", b.String())
}

func (r planRow) asked() string {
	if r.long {
		return "12h"
	}
	return "-"
}

func (r planRow) mode() string {
	if r.session {
		return "session"
	}
	return "--no-session"
}

func (r planRow) name() string { return []string{"default", "one", "two", "three"}[r.hops] }

// run plans the row and carries the plan out, twice: the second time nothing
// may be called or asked.
func (r planRow) run(t *testing.T) (plan string, codes int, warnings []string) {
	t.Helper()
	w := newWorld(t)
	other := w.user.AddDevice("arn:aws:iam::" + account + ":mfa/alice-other")
	w.prompt.devices = map[string]*ststest.Device{w.device.Serial: w.device, other.Serial: other}
	w.config = r.config(w.device.Serial, other.Serial)
	if r.hops == 0 {
		card := w.vault.cards["default"]
		card.MFASerial = map[string]string{"source": other.Serial, "both": w.device.Serial, "different": other.Serial}[r.serial]
		w.vault.cards["default"] = card
	}
	for i, name := range []string{"one", "two", "three"} {
		w.role(name, ststest.RoleOptions{MaxSession: 12 * time.Hour, RequireMFA: i == 0 && r.serial != "none"})
	}
	var o provider.Options
	if r.long {
		o.SessionTTL, o.AssumeRoleTTL = 12*time.Hour, 12*time.Hour
	}
	o.NoSession = !r.session
	p := w.plan(r.name(), o)

	var processes int
	for again := range 2 {
		m := w.newMinter()
		m.Run = func(cmd *exec.Cmd) error {
			processes++
			_, err := fmt.Fprintln(cmd.Stdout, w.prompt.devices[p.Steps[0].MFASerial].FreshCode())
			return err
		}
		creds, err := m.Credentials(t.Context(), p)
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		if again == 0 {
			r.checkCalls(w, p)
		}
		w.srv.ResetCalls()
		id, err := provider.CallerIdentity(t.Context(), provider.CallOptions{Endpoints: at(w.srv.URL), HTTP: m.HTTP}, creds)
		want := ":user/alice"
		if r.hops > 0 {
			want = ":assumed-role/" + r.name() + "/alice"
		}
		if err != nil || !strings.HasSuffix(id.ARN, want) {
			t.Errorf("%+v: credentials are those of %s, %v", r, id.ARN, err)
		}
		if again == 1 && len(w.srv.Calls()) != 1 {
			t.Errorf("%+v: the second answer was not served from the cache: %v", r, w.srv.Names())
		}
		w.srv.ResetCalls()
	}
	codes = w.prompt.count() + processes
	if (r.code == "prompt") != (processes == 0) && codes > 0 {
		t.Errorf("%+v: %d prompts and %d processes", r, w.prompt.count(), processes)
	}
	return describePlan(p, w.device.Serial), codes, p.Warnings
}

// checkCalls compares the plan with what reached the double.
func (r planRow) checkCalls(w *world, p *provider.Plan) {
	w.t.Helper()
	calls := w.srv.Calls()
	i := 0
	for _, step := range p.Steps {
		if step.Operation == provider.OpKey {
			continue
		}
		if i >= len(calls) {
			w.t.Fatalf("%+v: %s was planned and not called", r, step.Operation)
		}
		c := calls[i]
		i++
		if c.Operation != string(step.Operation) || c.Duration != step.Duration || c.HasCode != (step.MFASerial != "") || c.MFASerial != step.MFASerial ||
			(step.Role != nil && c.RoleARN != step.Role.RoleARN) || c.Code != "" {
			w.t.Errorf("%+v: planned %+v, called %+v", r, step, c)
		}
	}
	if i != len(calls) {
		w.t.Errorf("%+v: %d calls, %d were planned", r, len(calls), i)
	}
}

func (r planRow) config(own, source string) string {
	lines := map[string][]string{}
	set := func(profile, serial string) { lines[profile] = append(lines[profile], "mfa_serial = "+serial) }
	asked := r.name()
	switch r.serial {
	case "own":
		set(asked, own)
	case "source":
		if r.hops > 0 {
			set("default", source)
		}
	case "both":
		set(asked, own)
		if r.hops > 0 {
			set("default", own)
		}
	case "different":
		set(asked, own)
		if r.hops > 0 {
			set("default", source)
		}
	}
	if r.code == "mfa_process" {
		lines["default"] = append(lines["default"], "mfa_process = show-code")
	}
	var b strings.Builder
	before := "default"
	fmt.Fprintf(&b, "[default]\n%s\n", strings.Join(lines["default"], "\n"))
	for _, name := range []string{"one", "two", "three"} {
		fmt.Fprintf(&b, "[profile %s]\nrole_arn = %s\nsource_profile = %s\n%s\n", name, roleARN(name), before, strings.Join(lines[name], "\n"))
		before = name
	}
	return b.String()
}

// describePlan is one line for the table.
func describePlan(p *provider.Plan, own string) string {
	var steps []string
	for _, s := range p.Steps {
		text := string(s.Operation)
		if s.Role != nil {
			text += " " + s.Role.RoleARN[strings.LastIndexByte(s.Role.RoleARN, '/')+1:]
		}
		if s.Duration != 0 {
			text += " " + strings.TrimSuffix(strings.TrimSuffix(s.Duration.String(), "0s"), "0m")
		}
		switch {
		case s.MFASerial == own:
			text += " +own"
		case s.MFASerial != "":
			text += " +src"
		}
		if s.Policy != "" {
			text += " {…}"
		}
		for range s.PolicyARNs {
			text += " arn…"
		}
		steps = append(steps, text)
	}
	return strings.Join(steps, " → ")
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.ReplaceAll(string(want), "\r\n", "\n"); got != text {
		gotLines, wantLines := strings.Split(got, "\n"), strings.Split(text, "\n")
		for i := range min(len(gotLines), len(wantLines)) {
			if gotLines[i] != wantLines[i] {
				t.Errorf("%s:%d\n got: %s\nwant: %s", path, i+1, gotLines[i], wantLines[i])
			}
		}
		t.Errorf("%s: %d lines, want %d (go test ./provider -update writes it)", path, len(gotLines), len(wantLines))
	}
}
