package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"groat/session"
)

// processTimeout bounds a foreign credential_process; whoever runs groat as
// theirs gives up after 60 s.
const processTimeout = 50 * time.Second

// processOutput is what a credential_process prints.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type processOutput struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
	AccountID       string `json:"AccountId"`
}

// credentialProcess runs the profile's foreign credential_process.
func (r *run) credentialProcess(ctx context.Context, step *Step) (session.Credentials, error) {
	const what = "credential_process"
	source := &r.plan.Source
	out, err := r.m.runLine(ctx, what, r.plan.Chain, source.Process, processTimeout)
	if err != nil {
		return session.Credentials{}, err
	}
	creds, why := parseProcessOutput(out)
	if why != "" {
		return session.Credentials{}, badProcess(what, step.Profile, why)
	}
	return creds, nil
}

// parseProcessOutput says why the output cannot be used; it never repeats it.
func parseProcessOutput(data []byte) (creds session.Credentials, why string) {
	var out processOutput
	if err := json.Unmarshal(data, &out); err != nil {
		return creds, "it did not print the JSON object that is expected"
	}
	switch {
	case out.Version != 1:
		return creds, fmt.Sprintf("it printed version %d, and only 1 is known", out.Version)
	case strings.TrimSpace(out.AccessKeyID) == "" || strings.TrimSpace(out.SecretAccessKey) == "":
		return creds, "it printed no AccessKeyId or no SecretAccessKey"
	}
	creds = session.Credentials{
		AccessKeyID: out.AccessKeyID, SecretAccessKey: out.SecretAccessKey,
		SessionToken: out.SessionToken, AccountID: out.AccountID,
	}
	if out.Expiration != "" {
		expires, err := time.Parse(time.RFC3339, out.Expiration)
		if err != nil {
			return session.Credentials{}, "it printed an Expiration that is not RFC 3339"
		}
		creds.Expiration = expires.UTC()
	}
	return creds, ""
}
