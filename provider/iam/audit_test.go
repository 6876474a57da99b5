package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/ststest"
	"groat/session"
)

// noon is now: the SDK signs by the machine's clock.
var noon = time.Now().UTC().Truncate(time.Second)

// world is the double, and a clock that stands still but for sleeping.
type world struct {
	*ststest.Server
	slept time.Duration
}

func newWorld(t *testing.T, o ststest.Options) *world {
	t.Helper()
	return &world{Server: ststest.Start(t, o)}
}

func (w *world) clock() Clock {
	return Clock{Now: func() time.Time { return noon.Add(w.slept) }, Sleep: func(ctx context.Context, d time.Duration) error {
		w.slept += d
		return ctx.Err()
	}}
}

func (w *world) client(key *ststest.AccessKey) Client {
	o := provider.CallOptions{Profile: "admin"}
	o.Endpoints.URL = map[string]string{"": w.URL}
	return Client{Options: o, Credentials: session.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret}}
}

func (w *world) auditor() Auditor {
	return Auditor{Clock: w.clock(), MaxKeyAge: 90 * day24, MaxUnused: 90 * day24, Progress: func(string) {}}
}

const day24 = 24 * time.Hour

func lines(a *Audited) []string {
	var all []string
	for _, f := range a.Findings {
		key, rule := "-", "-"
		if f.Key != nil {
			key = *f.Key
		}
		if f.Rule != nil {
			rule = *f.Rule
		}
		all = append(all, strings.Join([]string{f.User, f.Check, f.Severity, key, rule}, " "))
	}
	return all
}

const reportHeader = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
	"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n"

// reportLine is a user's line; a key is "active rotated used", in days ago.
func reportLine(user, password, mfa, key1, key2 string) string {
	ago := func(n string) string {
		var d int
		if _, err := fmt.Sscan(n, &d); err != nil {
			return n
		}
		return noon.Add(-time.Duration(d) * day24).Format(time.RFC3339)
	}
	fields := []string{user, "arn:aws:iam::123456789012:user/" + user, ago("400")}
	p := strings.Fields(password)
	fields = append(fields, p[0], ago(p[1]), ago(p[2]), "N/A", mfa)
	for _, key := range []string{key1, key2} {
		k := strings.Fields(key)
		fields = append(fields, k[0], ago(k[1]), ago(k[2]), "N/A", "N/A")
	}
	return strings.Join(append(fields, "false", "N/A", "false", "N/A"), ",") + "\n"
}

const (
	noPassword = "false N/A N/A"
	noKey      = "false N/A N/A"
)

// Each check, at its limit and beyond, and with the words that AWS writes
// where there is nothing.
func TestAuditChecks(t *testing.T) {
	w := newWorld(t, ststest.Options{})
	admin := w.AddUser(account, "admin").Admin()
	key := admin.AddAccessKey()
	w.AddRootUser(account).AddAccessKey()
	w.SetReport(account, reportHeader+
		strings.Replace(reportLine(Root, "not_supported no_information not_supported", "false", "true 10 N/A", noKey), "user/<root_account>", "root", 1)+
		reportLine("good", "true 1 10", "true", "true 90 1", noKey)+
		reportLine("nomfa", "true 1 10", "false", "true 1 1", noKey)+
		reportLine("bot", noPassword, "FALSE", "TRUE 91 1", "true 5 N/A")+
		reportLine("idle", "true 91 400", "true", "false 400 200", "true 80 91")+
		reportLine("never", "true no_information 91", "true", "true 3 N/A", noKey)+
		reportLine("fresh", "true no_information 5", "true", noKey, noKey)+
		reportLine("late", "true 1 1", "false", noKey, noKey), noon.Add(-time.Hour))
	w.AddUser(account, "late").AddMFA() // enabled since the report
	w.AddUser(account, "ml").AddServiceCredential("bedrock.amazonaws.com", time.Time{})
	w.AddUser(account, "git").AddServiceCredential("codecommit.amazonaws.com", noon).Active = false

	learnt := map[string]time.Time{}
	a := w.auditor()
	a.Learn = func(_, user string, made time.Time) { learnt[user] = made }
	got, err := a.Audit(t.Context(), w.client(key))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		Root + " root-key high - iam_no_root_access_key",
		Root + " root-without-mfa high - iam_root_mfa_enabled",
		"nomfa password-without-mfa high - iam_user_mfa_enabled_console_access",
		"nomfa key-without-mfa medium - -",
		"bot old-key medium 1 iam_rotate_access_key_90_days",
		"bot never-used-key low 2 -",
		"bot key-without-mfa medium - -",
		"bot two-active-keys low - iam_user_two_active_access_key",
		"idle unused-password medium - iam_user_console_access_unused",
		"idle unused-key medium 2 iam_user_accesskey_unused",
		"never unused-password medium - iam_user_console_access_unused",
		"never never-used-key low 1 iam_user_no_setup_initial_access_key",
		"ml api-key medium - bedrock_api_key_no_long_term_credentials",
	}
	if !slices.Equal(lines(got), want) {
		t.Errorf("findings:\n%s\nwant:\n%s", strings.Join(lines(got), "\n"), strings.Join(want, "\n"))
	}
	if got.Users != 7 || got.Account != account || got.Age != time.Hour || len(got.Skipped) != 0 {
		t.Errorf("%+v", got)
	}
	if len(learnt) != 4 || !learnt["good"].Equal(noon.Add(-90*day24)) {
		t.Errorf("learnt %v", learnt)
	}
	calls := w.Names()
	if slices.Sort(calls); strings.Join(calls, " ") != "iam:GetAccountSummary iam:GetCredentialReport iam:ListServiceSpecificCredentials iam:ListVirtualMFADevices" {
		t.Errorf("calls %v", calls)
	}
}

// A report is made only where none stands, and waited for; throttling is
// waited out.
func TestAuditMakesAReport(t *testing.T) {
	w := newWorld(t, ststest.Options{})
	key := w.AddUser(account, "admin").Admin().AddAccessKey()
	w.Inject(ststest.Fault{Kind: ststest.FaultStatus, Operation: "iam:GenerateCredentialReport", Times: 3, Status: 400, Code: "Throttling"})
	got, err := w.auditor().Audit(t.Context(), w.client(key))
	if err != nil || got.Users != 1 || got.Age > time.Minute {
		t.Fatalf("%+v, %v", got, err)
	}
	made := w.Count("iam:GenerateCredentialReport")
	for range 3 {
		if _, err := w.auditor().Audit(t.Context(), w.client(key)); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Count("iam:GenerateCredentialReport"); n != made {
		t.Errorf("%d more reports were asked for", n-made)
	}
	w.SetReport(account, reportHeader, noon.Add(-5*time.Hour))
	if got, err = w.auditor().Audit(t.Context(), w.client(key)); err != nil || got.Age > time.Minute {
		t.Errorf("after five hours: %+v, %v", got, err)
	}
}

// A refused list is named and skipped; a refused report is an error.
func TestAuditWithoutPermissions(t *testing.T) {
	for _, action := range []string{"iam:GetAccountSummary", "iam:ListVirtualMFADevices", "iam:ListServiceSpecificCredentials"} {
		w := newWorld(t, ststest.Options{PageSize: 1})
		admin := w.AddUser(account, "admin").Admin().Deny(action)
		admin.AddMFA()
		admin.AddMFA()
		got, err := w.auditor().Audit(t.Context(), w.client(admin.AddAccessKey()))
		if err != nil || len(got.Skipped) != 1 || !strings.Contains(got.Skipped[0].Why, action) || got.Skipped[0].Account != account {
			t.Errorf("%s: %+v, %v", action, got, err)
		}
	}
	for _, action := range []string{"iam:GetCredentialReport", "iam:GenerateCredentialReport"} {
		w := newWorld(t, ststest.Options{})
		got, err := w.auditor().Audit(t.Context(), w.client(w.AddUser(account, "admin").Admin().Deny(action).AddAccessKey()))
		if !isDenied(err) {
			t.Errorf("%s: %+v, %v", action, got, err)
		}
	}
}

func TestAuditRefusesWhatIsNoReport(t *testing.T) {
	for _, text := range []string{"", "<html>", "user,arn\nx,y\n", reportHeader, reportHeader + "\"open\n"} {
		w := newWorld(t, ststest.Options{})
		key := w.AddUser(account, "admin").Admin().AddAccessKey()
		w.SetReport(account, text, noon)
		if got, err := w.auditor().Audit(t.Context(), w.client(key)); err == nil {
			t.Errorf("%q was taken for a report: %+v", text, got)
		}
	}
}

func TestIgnored(t *testing.T) {
	findings := func() []Finding {
		return []Finding{{User: "bot", Check: "old-key"}, {User: "bot", Check: "key-without-mfa"}, {User: "alice", Check: "old-key"}}
	}
	for text, want := range map[string]int{
		"": 3, "# nobody\n\n": 3, "bot": 1, "bot # a reason": 1, "bot:old-key": 2, "bot until " + noon.Format(time.DateOnly): 1, "bot until " + noon.Add(-day24).Format(time.DateOnly): 3,
		"bot:old-key until 2099-01-01 # late\nalice": 1, "Bot": 3,
	} {
		g, err := ParseIgnored(strings.NewReader(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := len(g.Rest(findings(), noon)); got != want {
			t.Errorf("%q leaves %d findings, want %d", text, got, want)
		}
	}
	for _, text := range []string{"bot old", "bot:nothing", "bot until soon", "ok\nbot until"} {
		if _, err := ParseIgnored(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
