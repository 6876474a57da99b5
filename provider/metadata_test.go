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

func TestInstanceProfile(t *testing.T) {
	w := newWorld(t).role("instance", ststest.RoleOptions{}).role("r", ststest.RoleOptions{})
	w.config = "[profile r]\ncredential_source = Ec2InstanceMetadata\nrole_arn = " + roleARN("r") + "\n"
	w.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = w.srv.URL

	_, err := w.mint("r", provider.Options{})
	wantError(t, err, provider.ErrUnreachable, "Ec2InstanceMetadata", "on an instance")
	w.srv.SetInstanceRole(roleARN("instance"), 6*time.Hour)
	w.srv.ResetCalls()

	w.mustMint("r", provider.Options{})
	if n := w.srv.Count(assumeRole); n != 1 {
		t.Errorf("%d roles", n)
	}
	if calls := w.srv.Names(); !strings.HasPrefix(strings.Join(calls, ","), "imds:") {
		t.Errorf("calls %v", calls)
	}
	w.srv.ResetCalls()
	w.mustMint("r", provider.Options{})
	w.wantCalls()

	// Another machine that shares the home directory is another identity.
	m := w.newMinter()
	m.Machine = func() (string, error) { return "other", nil }
	if _, err := m.Credentials(t.Context(), w.plan("r", provider.Options{})); err != nil {
		t.Fatal(err)
	}
	if w.srv.Count(assumeRole) != 1 {
		t.Error("the session of another machine was served")
	}

	w.env["AWS_EC2_METADATA_DISABLED"] = "true"
	clear(w.store.items)
	_, err = w.mint("r", provider.Options{})
	wantError(t, err, provider.ErrNoKey, "AWS_EC2_METADATA_DISABLED")
}

func TestContainerRole(t *testing.T) {
	w := newWorld(t).role("task", ststest.RoleOptions{}).role("r", ststest.RoleOptions{})
	w.config = "[profile r]\ncredential_source = EcsContainer\nrole_arn = " + roleARN("r") + "\n"
	_, err := w.mint("r", provider.Options{})
	wantError(t, err, provider.ErrNoKey, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")

	uri, token := w.srv.SetContainerRole(roleARN("task"), time.Hour)
	w.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = uri
	_, err = w.mint("r", provider.Options{})
	wantError(t, err, provider.ErrRefused, "refused by AWS: Unauthorized", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
	if strings.Contains(err.Error(), token) {
		t.Errorf("the token is in the error: %v", err)
	}
	w.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "stale"
	file := filepath.Join(t.TempDir(), "token")
	w.env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = file
	_, err = w.mint("r", provider.Options{})
	if err == nil {
		t.Error("a token file that is missing was passed over")
	}
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.mustMint("r", provider.Options{})
	w.srv.ResetCalls()
	w.mustMint("r", provider.Options{})
	w.wantCalls()

	clear(w.store.items)
	for _, uri := range []string{"http://evil.example/creds", "http://169.254.170.200/x", "ftp://localhost/x", "https:///x", "http://user:secret@10.0.0.1/"} {
		w.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = uri
		_, err := w.mint("r", provider.Options{})
		wantError(t, err, profile.ErrUnsupported, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
	w.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = uri
	if err := os.WriteFile(file, []byte("a\nb"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = w.mint("r", provider.Options{})
	wantError(t, err, profile.ErrMalformed, "line break")
}
