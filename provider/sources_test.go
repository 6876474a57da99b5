package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
)

func TestEnvironmentSource(t *testing.T) {
	w := newWorld(t).role("r", ststest.RoleOptions{RequireMFA: true})
	w.config = "[profile r]\ncredential_source = Environment\nmfa_serial = " + w.device.Serial + "\nrole_arn = " + roleARN("r") + "\n"
	_, err := w.mint("r", provider.Options{})
	wantError(t, err, provider.ErrNoKey, "AWS_ACCESS_KEY_ID", "credential_source")

	w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"] = w.key.ID, w.key.Secret
	first := w.mustMint("r", provider.Options{})
	w.mustMint("r", provider.Options{})
	w.wantCalls(assumeRole)
	w.wantPrompts(1)

	// Somebody else's key in the environment is somebody else.
	other := w.srv.AddUser(account, "bob")
	device := other.AddMFA()
	w.config = strings.ReplaceAll(w.config, w.device.Serial, device.Serial)
	w.prompt.device = device
	key := other.AddAccessKey()
	w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"] = key.ID, key.Secret
	if w.mustMint("r", provider.Options{}) == first {
		t.Error("the session of another key was served")
	}
}

func TestPlaintextKeys(t *testing.T) {
	w := newWorld(t).role("r", ststest.RoleOptions{RequireMFA: true})
	w.config = "[profile p]\naws_access_key_id = " + w.key.ID + "\naws_secret_access_key = " + w.key.Secret +
		"\n[profile r]\nsource_profile = p\nmfa_serial = " + w.device.Serial + "\nrole_arn = " + roleARN("r") + "\n"
	w.mustMint("r", provider.Options{})
	w.mustMint("r", provider.Options{})
	w.wantCalls(getSessionToken, assumeRole)
	if w.vault.opened != 0 {
		t.Error("the vault was opened for a plaintext key")
	}

	id, secret, token, _ := w.srv.Grant(roleARN("r"), "x", time.Hour)
	w.role("next", ststest.RoleOptions{})
	w.config = "[profile p]\naws_access_key_id = " + id + "\naws_secret_access_key = " + secret + "\naws_session_token = " + token +
		"\n[profile next]\nsource_profile = p\nrole_arn = " + roleARN("next") + "\n"
	if c := w.mustMint("p", provider.Options{}); c.AccessKeyID != id || c.SessionToken != token {
		t.Errorf("got %v", c)
	}
	w.mustMint("next", provider.Options{})
	w.wantCalls(assumeRole)
}

const issuer = "https://token.example"

func webIdentityWorld(t *testing.T) (w *world, tokenFile string) {
	w = newWorld(t)
	w.srv.AddIssuer(issuer)
	w.role("ci", ststest.RoleOptions{WebIdentity: issuer, Audience: "sts.amazonaws.com", MaxSession: 2 * time.Hour}).role("next", ststest.RoleOptions{})
	tokenFile = filepath.Join(t.TempDir(), "token")
	w.config = "[profile ci]\nrole_arn = " + roleARN("ci") + "\nrole_session_name = build-7\nweb_identity_token_file = " + tokenFile +
		"\n[profile next]\nsource_profile = ci\nrole_arn = " + roleARN("next") + "\n"
	return w, tokenFile
}

func writeToken(t *testing.T, path, token string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWebIdentity(t *testing.T) {
	const operation = "sts:AssumeRoleWithWebIdentity"
	w, file := webIdentityWorld(t)
	_, err := w.mint("ci", provider.Options{})
	wantError(t, err, profile.ErrUnsupported, file, "web_identity_token_file")

	writeToken(t, file, w.srv.WebIdentityToken(issuer, "repo:x", "sts.amazonaws.com", time.Hour))
	creds := w.mustMint("next", provider.Options{})
	if creds.AccountID != account {
		t.Errorf("account %q", creds.AccountID)
	}
	w.mustMint("ci", provider.Options{})
	calls := w.srv.Calls()
	w.wantCalls(operation, assumeRole)
	if calls[0].SessionName != "build-7" || calls[0].AccessKeyID != "" || calls[0].Duration != time.Hour {
		t.Errorf("call was %+v", calls[0])
	}
	if len(w.store.items) != 2 {
		t.Errorf("%d sessions are cached, want 2", len(w.store.items))
	}

	for name, c := range map[string]struct {
		token   string
		options provider.Options
		class   error
		says    []string
	}{
		"expired":         {w.srv.WebIdentityToken(issuer, "x", "sts.amazonaws.com", -time.Hour), provider.Options{}, provider.ErrRefused, []string{"ExpiredTokenException", "identity token has expired"}},
		"other audience":  {w.srv.WebIdentityToken(issuer, "x", "elsewhere", time.Hour), provider.Options{}, provider.ErrRefused, []string{"InvalidIdentityToken", "audience"}},
		"not a token":     {"two words", provider.Options{}, profile.ErrMalformed, []string{"web_identity_token_file"}},
		"too long":        {strings.Repeat("x", 20001), provider.Options{}, profile.ErrMalformed, nil},
		"empty":           {"", provider.Options{}, profile.ErrMalformed, nil},
		"role's maximum":  {w.srv.WebIdentityToken(issuer, "x", "sts.amazonaws.com", time.Hour), provider.Options{AssumeRoleTTL: 3 * time.Hour}, provider.ErrRefused, []string{"3h was asked for", "--assume-role-ttl"}},
		"nobody's issuer": {w.srv.WebIdentityToken("https://evil.example", "x", "sts.amazonaws.com", time.Hour), provider.Options{}, provider.ErrRefused, []string{"InvalidIdentityToken"}},
	} {
		t.Run(name, func(t *testing.T) {
			clear(w.store.items)
			writeToken(t, file, c.token)
			_, err := w.mint("ci", c.options)
			wantError(t, err, c.class, c.says...)
			if strings.Contains(err.Error(), c.token) && c.token != "" {
				t.Error("the token is in the error")
			}
		})
	}
}

func TestWebIdentityProcess(t *testing.T) {
	needsShell(t)
	w, _ := webIdentityWorld(t)
	w.config = "[profile ci]\nrole_arn = " + roleARN("ci") + "\nweb_identity_token_process = printf '%s\\n' \"$TOKEN\"\n"
	if err := w.runs("ci", "TOKEN="+w.srv.WebIdentityToken(issuer, "x", "sts.amazonaws.com", time.Hour)); err != nil {
		t.Error(err)
	}
	clear(w.store.items)
	w.config = strings.Replace(w.config, "printf", "exit 4; printf", 1)
	wantError(t, w.runs("ci"), provider.ErrBadProcess, "web_identity_token_process", "exit status 4")
}

func TestWebIdentityOfTheEnvironment(t *testing.T) {
	w, file := webIdentityWorld(t)
	writeToken(t, file, w.srv.WebIdentityToken(issuer, "x", "sts.amazonaws.com", time.Hour))
	w.env["AWS_WEB_IDENTITY_TOKEN_FILE"], w.env["AWS_ROLE_ARN"] = file, roleARN("ci")
	r, err := profile.ResolveEnvironmentWebIdentity(profile.ResolveOptions{Getenv: func(k string) string { return w.env[k] }})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.tryPlan(r, provider.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.newMinter().Credentials(t.Context(), p); err != nil {
		t.Error(err)
	}
}
