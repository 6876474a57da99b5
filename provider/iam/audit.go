package iam

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Root is the root user's name in reports and findings.
const Root = "<root_account>"

// Finding is one thing that is not as it should be.
type Finding struct {
	Account  string  `json:"account"`
	User     string  `json:"user"`
	Check    string  `json:"check"`
	Severity string  `json:"severity"` // high, medium, low
	Key      *string `json:"key"`      // "1" or "2" as in the credential report; null: none
	Detail   string  `json:"detail"`
	Rule     *string `json:"rule"` // prowler's id of the check; null where it has none
}

// Skip is a check that could not be made.
type Skip struct {
	Account string `json:"account"`
	Check   string `json:"check"`
	Why     string `json:"why"`
}

// Audited is what was found in one account.
type Audited struct {
	Account  string
	Users    int           // root left out
	Age      time.Duration // of the credential report
	Findings []Finding     // by user, in the report's order
	Skipped  []Skip
}

// Auditor looks through accounts.
type Auditor struct {
	Clock
	MaxKeyAge time.Duration // of an access key since it was made
	MaxUnused time.Duration // of a key or a password since it was used
	Progress  func(text string)
	// Learn is told when the only active key of a user was made; nil drops it.
	Learn func(account, user string, made time.Time)
}

// The checks, with their severity and prowler's id.
// https://hub.prowler.com/check
var checks = map[string]struct{ severity, rule string }{
	"root-key":             {"high", "iam_no_root_access_key"},
	"root-without-mfa":     {"high", "iam_root_mfa_enabled"},
	"password-without-mfa": {"high", "iam_user_mfa_enabled_console_access"},
	"key-without-mfa":      {"medium", ""},
	"old-key":              {"medium", "iam_rotate_access_key_90_days"},
	"unused-key":           {"medium", "iam_user_accesskey_unused"},
	"unused-password":      {"medium", "iam_user_console_access_unused"},
	"two-active-keys":      {"low", "iam_user_two_active_access_key"},
	"never-used-key":       {"low", "iam_user_no_setup_initial_access_key"},
	"api-key":              {"medium", ""},
}

// Audit reads the standing credential report and three lists that complete
// it; no call is made per user. A list that is refused is skipped and named; a
// report that is refused is an error.
func (a Auditor) Audit(ctx context.Context, c Client) (*Audited, error) {
	content, made, err := c.report(ctx, a.Clock, a.Progress)
	if err != nil {
		return nil, err
	}
	r := &reading{Auditor: a, out: &Audited{Age: a.Now().Sub(made)}}
	if err := r.summary(ctx, c); err != nil {
		return nil, err
	}
	if err := r.devices(ctx, c); err != nil {
		return nil, err
	}
	if err := eachRow(content, r.row); err != nil {
		return nil, err
	}
	if r.out.Account == "" {
		return nil, errReport
	}
	if err := r.services(ctx, c); err != nil {
		return nil, err
	}
	for i := range r.out.Skipped {
		r.out.Skipped[i].Account = r.out.Account
	}
	return r.out, nil
}

// reading is one account's audit in the making.
type reading struct {
	Auditor
	out     *Audited
	root    map[string]int32 // of the account's summary; nil: refused
	enabled map[string]bool  // ARNs of users who have a virtual device by now
}

// skip keeps a refusal as a check that was not made; other errors stay.
func (r *reading) skip(err error, check, why string) error {
	if !isDenied(err) {
		return err
	}
	r.out.Skipped = append(r.out.Skipped, Skip{Check: check, Why: why})
	return nil
}

func (r *reading) summary(ctx context.Context, c Client) error {
	out, err := c.getAccountSummary(ctx, &awsiam.GetAccountSummaryInput{})
	if err != nil {
		return r.skip(err, "root-without-mfa", "iam:GetAccountSummary is not allowed: as old as the credential report")
	}
	r.root = out.SummaryMap
	return nil
}

// devices learns who enabled a device since the report was made.
func (r *reading) devices(ctx context.Context, c Client) error {
	r.enabled = map[string]bool{}
	in := &awsiam.ListVirtualMFADevicesInput{AssignmentStatus: types.AssignmentStatusTypeAssigned, MaxItems: aws.Int32(1000)}
	for {
		out, err := c.listVirtualMFADevices(ctx, in)
		if err != nil {
			return r.skip(err, "password-without-mfa", "iam:ListVirtualMFADevices is not allowed: as old as the credential report")
		}
		for _, d := range out.VirtualMFADevices {
			if d.User != nil {
				r.enabled[aws.ToString(d.User.Arn)] = true
			}
		}
		if !out.IsTruncated || aws.ToString(out.Marker) == "" {
			return nil
		}
		in.Marker = out.Marker
		r.Progress(fmt.Sprintf("%d MFA devices", len(r.enabled)))
	}
}

// services finds the keys of single services, which no report shows.
func (r *reading) services(ctx context.Context, c Client) error {
	in := &awsiam.ListServiceSpecificCredentialsInput{AllUsers: aws.Bool(true), MaxItems: aws.Int32(1000)}
	for {
		out, err := c.listServiceSpecificCredentials(ctx, in)
		if err != nil {
			return r.skip(err, "api-key", "iam:ListServiceSpecificCredentials is not allowed")
		}
		for _, k := range out.ServiceSpecificCredentials {
			if k.Status != types.StatusTypeActive {
				continue
			}
			end := "has no end"
			if k.ExpirationDate != nil {
				end = "ends " + day(*k.ExpirationDate)
			}
			f := r.add(aws.ToString(k.UserName), "api-key", "", fmt.Sprintf("%s of %s %s", aws.ToString(k.ServiceSpecificCredentialId), aws.ToString(k.ServiceName), end))
			if aws.ToString(k.ServiceName) == "bedrock.amazonaws.com" {
				f.Rule = aws.String("bedrock_api_key_no_long_term_credentials")
			}
		}
		if !out.IsTruncated || aws.ToString(out.Marker) == "" {
			return nil
		}
		in.Marker = out.Marker
	}
}

func (r *reading) add(user, check, key, detail string) *Finding {
	f := Finding{Account: r.out.Account, User: strings.Clone(user), Check: check, Severity: checks[check].severity, Detail: detail}
	if key != "" {
		f.Key = &key
	}
	if rule := checks[check].rule; rule != "" {
		f.Rule = &rule
	}
	r.out.Findings = append(r.out.Findings, f)
	return &r.out.Findings[len(r.out.Findings)-1]
}

// row judges one user.
func (r *reading) row(row reportRow) {
	if part := strings.SplitN(row.text("arn"), ":", 6); len(part) == 6 {
		r.out.Account = strings.Clone(part[4])
	}
	if row.text("user") == Root {
		r.rootRow(row)
		return
	}
	r.out.Users++
	user := row.text("user")
	password, mfa := row.is("password_enabled"), row.is("mfa_active") || r.enabled[row.text("arn")]
	if password && !mfa {
		r.add(user, "password-without-mfa", "", "a password opens the console without MFA")
	}
	if password {
		r.unusedPassword(user, row)
	}
	active := 0
	var made time.Time
	for _, n := range []string{"1", "2"} {
		if row.is("access_key_" + n + "_active") {
			active++
			made = row.time("access_key_" + n + "_last_rotated")
			r.key(user, n, password, row)
		}
	}
	if active > 0 && !mfa {
		r.add(user, "key-without-mfa", "", "an access key works without MFA")
	}
	if active > 1 {
		r.add(user, "two-active-keys", "", "two access keys are active")
	}
	if active == 1 && !made.IsZero() && r.Learn != nil {
		r.Learn(r.out.Account, strings.Clone(user), made)
	}
}

func (r *reading) key(user, n string, password bool, row reportRow) {
	made, used := row.time("access_key_"+n+"_last_rotated"), row.time("access_key_"+n+"_last_used_date")
	if age := r.Now().Sub(made); !made.IsZero() && age > r.MaxKeyAge {
		r.add(user, "old-key", n, fmt.Sprintf("access key %s was created %s ago, on %s", n, days(age), day(made)))
	}
	if used.IsZero() {
		f := r.add(user, "never-used-key", n, fmt.Sprintf("access key %s was never used", n))
		if !password {
			f.Rule = nil // prowler's looks at people only
		}
	} else if age := r.Now().Sub(used); age > r.MaxUnused {
		r.add(user, "unused-key", n, fmt.Sprintf("access key %s was last used %s ago, on %s", n, days(age), day(used)))
	}
}

func (r *reading) unusedPassword(user string, row reportRow) {
	what, last := "last used", row.time("password_last_used")
	if last.IsZero() {
		what, last = "set, and never used since,", row.time("password_last_changed")
	}
	if age := r.Now().Sub(last); !last.IsZero() && age > r.MaxUnused {
		r.add(user, "unused-password", "", fmt.Sprintf("the password was %s %s ago, on %s", what, days(age), day(last)))
	}
}

// rootRow judges the root user, by the summary where it is there: that is of
// this moment.
func (r *reading) rootRow(row reportRow) {
	key, mfa := row.is("access_key_1_active") || row.is("access_key_2_active"), row.is("mfa_active")
	if r.root != nil {
		key, mfa = key || r.root["AccountAccessKeysPresent"] > 0, r.root["AccountMFAEnabled"] > 0
	}
	if key {
		r.add(Root, "root-key", "", "the root user has an access key")
	}
	if !mfa {
		r.add(Root, "root-without-mfa", "", "the root user has no MFA device")
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func days(d time.Duration) string {
	n := int(d / (24 * time.Hour))
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
