package profile

import (
	"errors"
	"strings"
	"testing"

	"groat/vault/files"
)

// On a Windows drive under WSL every file looks writable by others: what is
// plain in it is obeyed, and no line that runs, redirects or names a file.
func TestFileOnAWindowsDrive(t *testing.T) {
	const where, remedy = "/mnt/c/Users/me/.aws/config", "mount the drive otherwise"
	const role = "role_arn = arn:aws:iam::123456789012:role/a\n"
	resolve := func(text string) (*Resolved, error) {
		t.Helper()
		c, err := Load(LoadOptions{ConfigFile: where, ReadFile: func(path string) ([]byte, error) {
			return []byte(text), &files.AccessError{Path: path, What: "is on a Windows drive", Remedy: remedy, Drive: true}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return c.Resolve("p", ResolveOptions{HoldsKey: func(name string) (bool, error) { return name == "k", nil }})
	}
	const plain = "[profile p]\n" + role + "source_profile = k\nmfa_serial = s\nregion = eu-west-1\nexternal_id = x\n[profile k]\n"
	r, err := resolve(plain)
	if err != nil || len(r.Roles) != 1 || r.Roles[0].ExternalID != "x" || r.Region != "eu-west-1" {
		t.Errorf("plain lines: %+v, %v", r, err)
	}
	const sso = "sso_account_id = 123456789012\nsso_role_name = r\n"
	for key, text := range map[string]string{
		"mfa_process":                "[profile p]\n" + role + "source_profile = k\nmfa_process = code\n[profile k]\n",
		"credential_process":         "[profile p]\ncredential_process = creds\n",
		"web_identity_token_process": "[profile p]\n" + role + "web_identity_token_process = token\n",
		"web_identity_token_file":    "[profile p]\n" + role + "web_identity_token_file = /token\n",
		"endpoint_url":               plain + "[profile p]\nendpoint_url = https://example.com\n",
		"ca_bundle":                  plain + "[profile p]\nca_bundle = /ca.pem\n",
		"sts.endpoint_url":           plain + "[profile p]\nservices = s\n[services s]\nsts =\n  endpoint_url = https://example.com\n",
		"sso_start_url":              "[profile p]\nsso_session = s\n" + sso + "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.com\n",
	} {
		r, err := resolve(text)
		var refused *Error
		if r != nil || !errors.As(err, &refused) || !errors.Is(err, ErrUnsupported) || refused.Remedy != remedy || refused.File != where || refused.Line == 0 ||
			!strings.Contains(err.Error(), "is not obeyed, as "+where+" is on a Windows drive") {
			t.Errorf("%s: %+v, %v", key, r, err)
		}
	}
}
