package ststest

import (
	"encoding/base64"
	"encoding/csv"
	"strings"
	"time"
)

// reportState is the account's credential report.
type reportState struct {
	asked     int       // how often it was asked for since it was started
	generated time.Time // zero: there is none
	content   string
}

// reportLag is how many GenerateCredentialReport calls find it in the making
// before it is there; AWS takes seconds.
const reportLag = 2

type generateResult struct {
	State       string
	Description string `xml:",omitempty"`
}

// generateCredentialReport: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html
func (s *Server) generateCredentialReport(c *iamCall) (any, *Error) {
	r := &s.report
	if !r.generated.IsZero() {
		return generateResult{State: "COMPLETE"}, nil
	}
	if r.asked++; r.asked == 1 {
		return generateResult{State: "STARTED", Description: "No report exists. Starting a new report generation task"}, nil
	}
	if r.asked <= reportLag {
		return generateResult{State: "INPROGRESS"}, nil
	}
	*r = reportState{generated: s.now(), content: s.credentialReport(c.p.account)}
	return generateResult{State: "COMPLETE"}, nil
}

type reportResult struct {
	Content       string
	ReportFormat  string
	GeneratedTime string
}

// getCredentialReport: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
func (s *Server) getCredentialReport(*iamCall) (any, *Error) {
	r := &s.report
	switch {
	case r.generated.IsZero() && r.asked > 0:
		return nil, errorf(404, "ReportInProgress", "Report is in progress")
	case r.generated.IsZero():
		return nil, errorf(410, "ReportNotPresent", "No report exists. Call GenerateCredentialReport first")
	}
	return reportResult{Content: base64.StdEncoding.EncodeToString([]byte(r.content)), ReportFormat: "text/csv", GeneratedTime: date(r.generated)}, nil
}

// credentialReport is the CSV of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
func (s *Server) credentialReport(account string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(strings.Split("user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"+
		"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"+
		"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,"+
		"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated", ","))
	for _, u := range s.usersOf(account) {
		_ = w.Write(u.reportRow())
	}
	w.Flush()
	return b.String()
}

func (u *User) reportRow() []string {
	stamp := func(t time.Time, none string) string {
		if t.IsZero() {
			return none
		}
		return t.UTC().Format("2006-01-02T15:04:05+00:00")
	}
	truth := func(b bool) string {
		if b {
			return "true"
		}
		return "false"
	}
	row := []string{u.Name, u.ARN, stamp(u.created, "N/A")}
	switch {
	case u.root:
		row = append(row, "not_supported", "no_information", "not_supported", "not_supported")
	case u.login == nil:
		row = append(row, "false", "N/A", "N/A", "N/A")
	default:
		row = append(row, "true", stamp(u.login.lastUsed, "no_information"), stamp(u.login.created, "N/A"), "N/A")
	}
	row = append(row, truth(len(u.devices) > 0))
	for i := range keysPerUser {
		if i >= len(u.keys) {
			row = append(row, "false", "N/A", "N/A", "N/A", "N/A")
			continue
		}
		k := u.keys[i]
		region, service := "N/A", "N/A"
		if !k.lastUsed.IsZero() {
			region, service = k.lastRegion, k.lastService
		}
		row = append(row, truth(k.active), stamp(k.created, "N/A"), stamp(k.lastUsed, "N/A"), region, service)
	}
	return append(row, "false", "N/A", "false", "N/A")
}
