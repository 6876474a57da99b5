package provider_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
	"groat/vault/accesskey"
)

// Each refusal of AWS comes with what the user can do about it.
func TestRefusalsAreExplained(t *testing.T) {
	noSerial := func(w *world) { w.config = strings.ReplaceAll(w.config, "mfa_serial = ", "# ") }
	for _, c := range []struct {
		name    string
		prepare func(w *world)
		profile string
		options provider.Options
		code    string
		says    []string
	}{
		{"role wants MFA, profile has no serial", func(w *world) {
			w.role("admin", ststest.RoleOptions{RequireMFA: true})
			noSerial(w)
		}, "admin", provider.Options{}, "AccessDenied",
			[]string{`profile "admin" has no mfa_serial`, "mfa_serial = arn:aws:iam::" + account + ":mfa/alice", "[profile admin]", "external_id"}},
		{"role wants an external ID", func(w *world) { w.role("admin", ststest.RoleOptions{ExternalID: "sesame"}) },
			"admin", provider.Options{}, "AccessDenied", []string{"external_id = …", "trust policy must name the caller"}},
		{"wrong external ID", func(w *world) {
			w.role("admin", ststest.RoleOptions{ExternalID: "sesame"})
			w.config += "external_id = barley\n"
		}, "admin", provider.Options{}, "AccessDenied", []string{"external_id must be the one"}},
		{"no such role", func(*world) {}, "admin", provider.Options{}, "AccessDenied", []string{"trust policy"}},
		{"role's maximum", func(w *world) { w.role("admin", ststest.RoleOptions{MaxSession: 2 * time.Hour}) },
			"admin", provider.Options{AssumeRoleTTL: 12 * time.Hour}, "ValidationError",
			[]string{"12h was asked for", "maximum session duration of " + roleARN("admin"), "--assume-role-ttl"}},
		{"tags", func(w *world) {
			w.role("admin", ststest.RoleOptions{DenyTags: true})
			w.config += "session_tags = a=b\n"
		}, "admin", provider.Options{}, "AccessDenied", []string{"sts:TagSession", "session_tags"}},
		{"source identity", func(w *world) {
			w.role("admin", ststest.RoleOptions{DenySourceIdentity: true})
			w.config += "source_identity = alice\n"
		}, "admin", provider.Options{}, "AccessDenied", []string{"sts:SetSourceIdentity", "source_identity"}},
		{"deleted key", func(w *world) { w.key.Delete() },
			"admin", provider.Options{}, "InvalidClientTokenId", []string{"deleted or deactivated", "groat add default --overwrite", "AKIA"}},
		{"inactive key", func(w *world) { w.key.SetActive(false) },
			"admin", provider.Options{}, "InvalidClientTokenId", []string{"deactivated"}},
		{"wrong secret", func(w *world) {
			k := w.vault.keys["default"]
			k.Secret = strings.Repeat("x", 40)
			w.vault.keys["default"] = k
		}, "admin", provider.Options{}, "SignatureDoesNotMatch", []string{"secret access key does not belong to", "groat add default --overwrite"}},
		{"clock behind", func(w *world) { w.srv.SetSkew(10 * time.Minute) },
			"admin", provider.Options{}, "SignatureDoesNotMatch", []string{"s behind AWS's", "300 s"}},
		{"clock ahead", func(w *world) { w.srv.SetSkew(-time.Hour) },
			"admin", provider.Options{}, "SignatureDoesNotMatch", []string{"s ahead of AWS's"}},
		{"serial of somebody else", func(w *world) {
			other := w.srv.AddUser(account, "bob").AddMFA()
			w.config = strings.ReplaceAll(w.config, w.device.Serial, other.Serial)
		}, "admin", provider.Options{}, "AccessDenied", []string{"serial does not belong to this user", "groat mfa list"}},
		{"stored key is a temporary one", func(w *world) {
			w.role("base", ststest.RoleOptions{})
			w.config = "[default]\naws_access_key_id = ASIA\n"
		}, "default", provider.Options{}, "InvalidClientTokenId", []string{"groat add default"}},
		{"root user", func(w *world) {
			root := w.srv.AddRootUser(account)
			w.vault.put("default", root.AddAccessKey(), provider.Card{Account: account})
			w.role("admin", ststest.RoleOptions{})
			noSerial(w)
		}, "admin", provider.Options{}, "AccessDenied", []string{"root user cannot assume roles"}},
		{"second role of a chain", func(w *world) {
			w.role("admin", ststest.RoleOptions{}).role("next", ststest.RoleOptions{RequireMFA: true})
			w.config += "[profile next]\nrole_arn = " + roleARN("next") + "\nsource_profile = admin\n"
		}, "next", provider.Options{}, "AccessDenied", []string{roleARN("admin"), "MFA does not pass through a chain of roles"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.prepare(w)
			if c.name == "stored key is a temporary one" {
				w.vault.keys["default"] = accesskey.Key{ID: "ASIAUNKNOWN", Secret: "x", Generation: w.vault.keys["default"].Generation}
			}
			_, err := w.mint(c.profile, c.options)
			wantError(t, err, provider.ErrRefused, append([]string{c.code}, c.says...)...)
			var call *provider.CallError
			if !errors.As(err, &call) || call.Code != c.code || call.Status/100 != 4 {
				t.Errorf("call error is %+v", call)
			}
		})
	}
}

func TestSkewIsInSeconds(t *testing.T) {
	w := newWorld(t)
	w.srv.SetSkew(10 * time.Minute)
	_, err := w.mint("admin", provider.Options{})
	var call *provider.CallError
	if !errors.As(err, &call) || call.Skew < 598*time.Second || call.Skew > 602*time.Second {
		t.Errorf("skew is %v", call.Skew)
	}
}

func TestIAMNeedsAnMFASession(t *testing.T) {
	w := newWorld(t)
	o := provider.CallOptions{Profile: "default", Endpoints: profile.Endpoints{URL: map[string]string{"": w.srv.URL}}, HTTP: w.minter.HTTP}
	plain := w.mustMint("default", provider.Options{})
	_, err := provider.MFADevices(t.Context(), o, plain)
	wantError(t, err, provider.ErrRefused, "InvalidClientTokenId", "only if it was begun with a token code", "mfa_serial", "[profile default]")

	w.config = strings.Replace(w.config, "[default]", "[default]\nmfa_serial = "+w.device.Serial, 1)
	serials, err := provider.MFADevices(t.Context(), o, w.mustMint("default", provider.Options{}))
	if err != nil || len(serials) != 1 || serials[0] != w.device.Serial {
		t.Errorf("serials %v, %v", serials, err)
	}
}

func TestIdentity(t *testing.T) {
	w := newWorld(t).role("admin", ststest.RoleOptions{})
	o := provider.CallOptions{Profile: "default", Endpoints: profile.Endpoints{URL: map[string]string{"": w.srv.URL}}}
	id, err := provider.CallerIdentity(t.Context(), o, session.Credentials{AccessKeyID: w.key.ID, SecretAccessKey: w.key.Secret})
	if err != nil || id.Account != account || id.UserName() != "alice" || id.ARN != w.user.ARN {
		t.Errorf("identity %+v, %v", id, err)
	}
	id, err = provider.CallerIdentity(t.Context(), o, w.mustMint("admin", provider.Options{}))
	if err != nil || id.UserName() != "alice" || !strings.Contains(id.ARN, ":assumed-role/admin/") {
		t.Errorf("identity of the role %+v, %v", id, err)
	}
	_, err = provider.CallerIdentity(t.Context(), o, session.Credentials{AccessKeyID: "AKIAUNKNOWN", SecretAccessKey: "x"})
	wantError(t, err, provider.ErrRefused, "InvalidClientTokenId", "deleted or deactivated")
}
