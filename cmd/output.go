package cmd

import (
	"encoding/json"
	"io"
	"time"

	"groat/session"
)

// This file is the only writer of credentials to stdout.

// processOutput is the JSON of a credential process; members that do not
// exist are left out, never empty (an empty Expiration breaks Terraform).
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type processOutput struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string `json:",omitempty"`
	Expiration      string `json:",omitempty"` // RFC 3339, always Z: some SDKs read no other zone
	AccountID       string `json:"AccountId,omitempty"`
}

func newProcessOutput(c session.Credentials) processOutput {
	return processOutput{
		Version:         1,
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey,
		SessionToken:    c.SessionToken,
		Expiration:      formatExpiration(c.Expiration),
		AccountID:       c.AccountID,
	}
}

// formatExpiration is RFC 3339 in UTC with whole seconds; "" for never.
func formatExpiration(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// writeJSON writes v and a line feed in one write, so that a reader sees all
// of it or an error is seen here.
func writeJSON(w io.Writer, v any, indent bool) error {
	marshal := json.Marshal
	if indent {
		marshal = func(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }
	}
	data, err := marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return outputError(err)
}
