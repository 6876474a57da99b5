package ststest

import (
	"encoding/base64"
	"encoding/csv"
	"strings"
	"time"
)

// reportState is an account's credential report.
type reportState struct {
	asked     int       // how often it was asked for since it was started
	generated time.Time // zero: there is none
	content   string
}

const (
	// reportLag is how many GenerateCredentialReport or GetCredentialReport
	// calls find a report in the making before it is there; AWS takes seconds.
	reportLag = 2
	// reportLife is how long a report stands: there is no newer one before,
	// and none at all afterwards.
	reportLife = 4 * time.Hour
)

// reportOf is the account's report; one that is too old is none.
func (s *Server) reportOf(account string) *reportState {
	if s.reports[account] == nil {
		s.reports[account] = &reportState{}
	}
	return s.reports[account]
}

func (s *Server) stands(r *reportState) bool {
	return !r.generated.IsZero() && s.now().Sub(r.generated) < reportLife
}

// SetReport gives the account a credential report that was generated then.
func (s *Server) SetReport(account, csv string, generated time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports[account] = &reportState{generated: generated, content: csv}
}

type generateResult struct {
	State       string
	Description string `xml:",omitempty"`
}

// generateCredentialReport: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html
func (s *Server) generateCredentialReport(c *iamCall) (any, *Error) {
	r := s.reportOf(c.p.account)
	if s.stands(r) {
		return generateResult{State: "COMPLETE"}, nil
	}
	if r.asked == 0 {
		r.asked = 1
		return generateResult{State: "STARTED", Description: "No report exists. Starting a new report generation task"}, nil
	}
	if s.inTheMaking(r, c.p.account) {
		return generateResult{State: "INPROGRESS"}, nil
	}
	return generateResult{State: "COMPLETE"}, nil
}

// inTheMaking counts a look at a report that was started.
func (s *Server) inTheMaking(r *reportState, account string) bool {
	if r.asked++; r.asked <= reportLag {
		return true
	}
	*r = reportState{generated: s.now(), content: s.credentialReport(account)}
	return false
}

type reportResult struct {
	Content       string
	ReportFormat  string
	GeneratedTime string
}

// getCredentialReport: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
func (s *Server) getCredentialReport(c *iamCall) (any, *Error) {
	r := s.reportOf(c.p.account)
	switch {
	case !s.stands(r) && r.asked > 0 && s.inTheMaking(r, c.p.account):
		return nil, errorf(404, "ReportInProgress", "Report is in progress")
	case r.generated.IsZero():
		return nil, errorf(410, "ReportNotPresent", "No report exists. Call GenerateCredentialReport first")
	case !s.stands(r):
		return nil, errorf(410, "ReportExpired", "Report has expired. Call GenerateCredentialReport to generate a new one")
	}
	return reportResult{Content: base64.StdEncoding.EncodeToString([]byte(r.content)), ReportFormat: "text/csv", GeneratedTime: date(r.generated)}, nil
}

type summaryResult struct {
	SummaryMap []summaryEntry `xml:"SummaryMap>entry"`
}

type summaryEntry struct {
	Key   string `xml:"key"`
	Value int    `xml:"value"`
}

// getAccountSummary: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
func (s *Server) getAccountSummary(c *iamCall) (any, *Error) {
	count := map[bool]int{true: 1}
	var users, rootKeys, rootMFA int
	for _, u := range s.usersOf(c.p.account) {
		if !u.root {
			users++
			continue
		}
		rootKeys, rootMFA = count[len(u.keys) > 0], count[len(u.devices) > 0]
	}
	return summaryResult{[]summaryEntry{{"Users", users}, {"UsersQuota", 5000}, {"AccountMFAEnabled", rootMFA}, {"AccountAccessKeysPresent", rootKeys}}}, nil
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
