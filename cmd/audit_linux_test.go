package cmd

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// randomReport is a credential report of so many users with all that can be
// in one, and the root user's line before them.
func randomReport(users int, now time.Time) string {
	r := rand.New(rand.NewPCG(1, 2))
	at := func() string {
		return now.Add(-time.Duration(r.IntN(200)*24+1) * time.Hour).Format("2006-01-02T15:04:05+00:00")
	}
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	var b strings.Builder
	b.WriteString("user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
		"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
		"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
		"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n")
	b.WriteString("<root_account>,arn:aws:iam::123456789012:root," + at() + ",not_supported," + at() + ",not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n")
	for i := range users {
		user := fmt.Sprintf("user.%04d", i)
		fields := []string{user, "arn:aws:iam::123456789012:user/team/" + user, at()}
		if r.IntN(2) == 0 {
			fields = append(fields, "true", pick("no_information", at()), at(), "N/A")
		} else {
			fields = append(fields, "false", "N/A", "N/A", "N/A")
		}
		fields = append(fields, pick("true", "false"))
		for range 2 {
			if r.IntN(3) == 0 {
				fields = append(fields, "false", "N/A", "N/A", "N/A", "N/A")
			} else {
				fields = append(fields, pick("true", "false"), at(), pick("N/A", at()), "eu-west-1", "s3")
			}
		}
		b.WriteString(strings.Join(append(fields, "false", "N/A", "false", "N/A"), ",") + "\n")
	}
	return b.String()
}

// independentReading is somebody else's reading of a report: who fails which check.
const independentReading = `
import csv, datetime, sys
now = datetime.datetime.fromisoformat(sys.argv[2])
old = lambda s: s[:2] == '20' and (now - datetime.datetime.fromisoformat(s)).total_seconds() > 90 * 86400
for u in csv.DictReader(open(sys.argv[1])):
    if u['user'] == '<root_account>': continue
    say = lambda check, key='-': print(u['user'], check, key)
    password = u['password_enabled'] == 'true'
    active = [n for n in '12' if u[f'access_key_{n}_active'] == 'true']
    if u['mfa_active'] != 'true':
        if password: say('password-without-mfa')
        if active: say('key-without-mfa')
    if password:
        used = u['password_last_used']
        if old(used if used[:2] == '20' else u['password_last_changed']): say('unused-password')
    for n in active:
        if old(u[f'access_key_{n}_last_rotated']): say('old-key', n)
        used = u[f'access_key_{n}_last_used_date']
        if used == 'N/A': say('never-used-key', n)
        elif old(used): say('unused-key', n)
    if len(active) == 2: say('two-active-keys')
`

// measured runs a command and says last how many KiB of memory it had at
// most. (A child's figure begins with its parent's, which is small here.)
const measured = `
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
`

// A full account's report is read as somebody else reads it, in little memory.
func TestAuditOfFiveThousandUsers(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatalf("an independent reading needs python3 (the setup installs it): %v", err)
	}
	const users = 5000
	now := time.Now().UTC().Truncate(time.Second)
	a := startAWS(t)
	a.user.Admin()
	root := a.AddRootUser("123456789012")
	root.AddMFA()
	report := randomReport(users, now)
	a.SetReport("123456789012", report, now.Add(-time.Hour))
	env := a.environment(t)
	mustRun(t, env, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin")
	// A vault that is locked costs what stretching its passphrase does, and no
	// more than that.
	const most, stretching = 64 << 10, 64 << 10 // KiB
	limits := []int{most, most + stretching}
	if kernelKeyring() {
		mustRun(t, env, "", "unlock", "--for", "5m")
	} else {
		limits = limits[1:]
	}
	var out []byte
	for i, limit := range limits {
		words := []string{"-c", measured, groatBinary(t), "audit", "default", "--json"}
		if i == 0 {
			words = append(words, "--mfa-code", a.device.FreshCode())
		}
		c := exec.Command(python, words...)
		c.Env = env
		var peak strings.Builder
		c.Stderr = &peak
		if out, err = c.Output(); c.ProcessState.ExitCode() != exitFound {
			t.Fatalf("exit code %d: %v %s", c.ProcessState.ExitCode(), err, peak.String())
		}
		lines := strings.Fields(peak.String())
		kib, err := strconv.Atoi(lines[len(lines)-1])
		if err != nil || kib > limit {
			t.Errorf("%d KiB of memory, want %d at most: %v", kib, limit, err)
		}
		t.Logf("%d KiB of memory of %d", kib, limit)
		mustRun(t, env, "", "lock")
	}
	var got auditing
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Users != users || !slices.Equal(got.Accounts, []string{"123456789012"}) {
		t.Errorf("%d users in %v", got.Users, got.Accounts)
	}
	var mine []string
	for _, f := range got.Findings {
		key := "-"
		if f.Key != nil {
			key = *f.Key
		}
		mine = append(mine, f.User+" "+f.Check+" "+key)
	}
	file := filepath.Join(t.TempDir(), "report.csv")
	if err := os.WriteFile(file, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	theirs, err := exec.Command(python, "-c", independentReading, file, now.Format("2006-01-02T15:04:05+00:00")).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(theirs)), "\n")
	slices.Sort(mine)
	slices.Sort(want)
	if len(want) < users || !slices.Equal(mine, want) {
		t.Errorf("%d findings, the independent reading has %d", len(mine), len(want))
	}
	t.Logf("%d findings", len(mine))
}
