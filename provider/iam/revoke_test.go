package iam

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"groat/provider/ststest"
)

// revoking is a user with a session and a role's.
type revoking struct {
	*rotating
	role      string
	roleCreds Client
	userCreds Client
}

func newRevoking(t *testing.T, mfa bool) *revoking {
	r := &revoking{rotating: newRotating(t, mfa), role: "arn:aws:iam::" + account + ":role/path/ops"}
	r.user.Admin()
	r.SessionsOutliveKeys(true)
	r.AddRole(r.role, ststest.RoleOptions{})
	key := r.keys["alice"]
	out, err := r.sts(key.ID, key.Secret, "").AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &r.role, RoleSessionName: aws.String("x1")})
	if mfa {
		session, serr := r.sign(t.Context(), &gate{})
		if serr != nil {
			t.Fatal(serr)
		}
		r.userCreds = session
		c := session.Credentials
		out, err = r.sts(c.AccessKeyID, c.SecretAccessKey, c.SessionToken).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &r.role, RoleSessionName: aws.String("x1")})
	}
	if err != nil {
		t.Fatal(err)
	}
	r.roleCreds = r.client(&ststest.AccessKey{})
	r.roleCreds.Credentials.AccessKeyID, r.roleCreds.Credentials.SecretAccessKey, r.roleCreds.Credentials.SessionToken =
		*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken
	return r
}

func (r *revoking) sts(id, secret, token string) *sts.Client {
	return sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &r.URL, Credentials: credentials.NewStaticCredentialsProvider(id, secret, token)})
}

func (r *revoking) revoker(t *testing.T, roles ...string) Revoker {
	c, err := r.sign(t.Context(), &gate{})
	if err != nil {
		t.Fatal(err)
	}
	clock := Clock{Now: func() time.Time { return time.Now().Add(2 * time.Second) }} // sessions begin in whole seconds
	return Revoker{Client: c, Clock: clock, Account: account, User: "alice", KeyID: r.keys["alice"].ID, Roles: roles, Apply: true, Say: r.said.say}
}

// A deactivated key leaves sessions alive; the policies end them.
func TestRevoke(t *testing.T) {
	for _, mfa := range []bool{false, true} {
		r := newRevoking(t, mfa)
		if _, err := r.roleCreds.devices(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		left, err := r.revoker(t, r.role).Revoke(t.Context())
		if err != nil || len(left) != 0 {
			t.Fatalf("%v, left %v", err, left)
		}
		if _, err := r.roleCreds.devices(t.Context(), "alice"); !isDenied(err) {
			t.Errorf("mfa=%v: the role's session lives on: %v", mfa, err)
		}
		if mfa {
			if _, err := r.userCreds.devices(t.Context(), "alice"); !isDenied(err) {
				t.Errorf("the user's session lives on: %v", err)
			}
		}
		if r.user.AccessKeys()[0].Active() {
			t.Error("the key is active")
		}
		var order []string
		for _, c := range r.Calls() {
			if strings.HasPrefix(c.Operation, "Put") || c.Operation == "UpdateAccessKey" {
				order = append(order, c.Operation)
			}
		}
		want := "PutRolePolicy PutUserPolicy UpdateAccessKey" // a bare key signs nothing once it is inactive
		if mfa {
			want = "PutRolePolicy UpdateAccessKey PutUserPolicy"
		}
		if strings.Join(order, " ") != want {
			t.Errorf("order %v", order)
		}
	}
}

// What is not allowed, or not asked for, is an administrator's, in words that
// a shell takes.
func TestRevokeLeavesCommands(t *testing.T) {
	r := newRevoking(t, true)
	r.user.Deny("iam:PutRolePolicy", "iam:PutUserPolicy", "iam:UpdateAccessKey")
	left, err := r.revoker(t, r.role, "arn:aws:iam::210987654321:role/far").Revoke(t.Context())
	if !isDenied(err) || len(left) != 4 || !strings.HasPrefix(left[0], "aws iam put-role-policy --role-name ops ") ||
		!strings.HasSuffix(left[1], "# in account 210987654321") || !strings.HasPrefix(left[2], "aws iam update-access-key") || !strings.HasPrefix(left[3], "aws iam put-user-policy --user-name alice") {
		t.Errorf("%v: %q", err, left)
	}
	r = newRevoking(t, false)
	x := r.revoker(t, r.role)
	x.Apply, x.KeepKey = false, true
	left, err = x.Revoke(t.Context())
	if err != nil || len(left) != 2 || r.Count("iam:PutRolePolicy")+r.Count("iam:UpdateAccessKey") != 0 || !r.works() {
		t.Errorf("%v: %q", err, left)
	}
	// A session that ends with its key cannot put the user's policy.
	r = newRevoking(t, true)
	r.SessionsOutliveKeys(false)
	if left, err = r.revoker(t).Revoke(t.Context()); err != nil || len(left) != 1 || !r.said.has("AWS ended the session") {
		t.Errorf("%v: %q, %v", err, left, r.said.text)
	}
}
