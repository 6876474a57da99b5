package ststest_test

import (
	"bytes"
	"encoding/csv"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"groat/provider/ststest"
)

func TestAccessKeys(t *testing.T) {
	w := newWorld(t)
	c := w.iam(w.own())
	made, err := c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
	granted(t, err)
	fresh := provider(*made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey, "")
	_, err = w.sts(fresh).GetCallerIdentity(t.Context(), nil)
	granted(t, err)
	_, err = c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
	refused(t, err, "LimitExceeded", "AccessKeysPerUser: 2")

	status := func(id string, s iamtypes.StatusType) error {
		_, err := w.iam(fresh).UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{AccessKeyId: &id, Status: s})
		return err
	}
	granted(t, status(w.key.ID, iamtypes.StatusTypeInactive))
	_, err = w.sts(w.own()).GetCallerIdentity(t.Context(), nil)
	refused(t, err, "InvalidClientTokenId", "")
	_, err = w.iam(fresh).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
	refused(t, err, "LimitExceeded", "") // an inactive key counts
	refused(t, status(w.key.ID, "Sleepy"), "ValidationError", "enum value set")
	refused(t, status("AKIAAAAAAAAAAAAAAAAA", iamtypes.StatusTypeActive), "NoSuchEntity", "cannot be found")

	keys, err := w.iam(fresh).ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("alice")})
	granted(t, err)
	if len(keys.AccessKeyMetadata) != 2 || keys.AccessKeyMetadata[0].Status != iamtypes.StatusTypeInactive || *keys.AccessKeyMetadata[1].AccessKeyId != *made.AccessKey.AccessKeyId {
		t.Errorf("keys %+v", keys.AccessKeyMetadata)
	}
	_, err = w.iam(fresh).DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{AccessKeyId: &w.key.ID})
	granted(t, err)
	_, err = w.iam(fresh).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
	granted(t, err)
}

func TestNewKeysTakeTime(t *testing.T) {
	w := newWorld(t)
	w.DelayNewKeys(2)
	made, err := w.iam(w.own()).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
	granted(t, err)
	c := w.sts(provider(*made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey, ""))
	for range 2 {
		_, err = c.GetCallerIdentity(t.Context(), nil)
		refused(t, err, "InvalidClientTokenId", "")
	}
	_, err = c.GetCallerIdentity(t.Context(), nil)
	granted(t, err)
}

func TestOtherUsers(t *testing.T) {
	w := newWorld(t)
	w.AddUser(account, "bob").SetPassword("x")
	bob := func() error {
		_, err := w.iam(w.own()).GetLoginProfile(t.Context(), &iam.GetLoginProfileInput{UserName: aws.String("bob")})
		return err
	}
	refused(t, bob(), "AccessDenied", "iam:GetLoginProfile")
	_, err := w.iam(w.own()).ListUsers(t.Context(), nil)
	refused(t, err, "AccessDenied", "iam:ListUsers")
	w.alice.Admin()
	granted(t, bob())
	_, err = w.iam(w.own()).GetLoginProfile(t.Context(), &iam.GetLoginProfileInput{})
	refused(t, err, "NoSuchEntity", "Login Profile for User alice")
	_, err = w.iam(w.own()).GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("carol")})
	refused(t, err, "NoSuchEntity", "carol")
	me, err := w.iam(w.own()).GetUser(t.Context(), &iam.GetUserInput{})
	granted(t, err)
	if *me.User.Arn != w.alice.ARN {
		t.Error(*me.User.Arn)
	}
	got, err := w.role(t, w.own(), nil)
	granted(t, err)
	_, err = w.iam(of(got.Credentials)).GetUser(t.Context(), &iam.GetUserInput{})
	refused(t, err, "ValidationError", "Must specify userName")
	_, err = w.iam(of(got.Credentials)).GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("bob")})
	granted(t, err)
}

func TestPages(t *testing.T) {
	srv := ststest.Start(t, ststest.Options{PageSize: 2})
	alice := srv.AddUser(account, "alice").Admin()
	key := alice.AddAccessKey()
	for _, n := range []string{"bob", "carol", "dave", "eve"} {
		srv.AddUser(account, n)
	}
	pages := iam.NewListUsersPaginator(iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: &srv.URL, Credentials: provider(key.ID, key.Secret, "")}), nil)
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		granted(t, err)
		for _, u := range page.Users {
			names = append(names, *u.UserName)
		}
	}
	if got := strings.Join(names, " "); got != "alice bob carol dave eve" || srv.Count("iam:ListUsers") != 3 {
		t.Errorf("%s in %d pages", got, srv.Count("iam:ListUsers"))
	}
}

func TestEnrolment(t *testing.T) {
	w := newWorld(t)
	c := w.iam(w.own())
	made, err := c.CreateVirtualMFADevice(t.Context(), &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("phone")})
	granted(t, err)
	serial := *made.VirtualMFADevice.SerialNumber
	d := w.Device(serial)
	if serial != "arn:aws:iam::123456789012:mfa/phone" || string(made.VirtualMFADevice.Base32StringSeed) != d.Secret || d.Enabled() {
		t.Fatalf("device %s", serial)
	}
	if _, err := png.Decode(bytes.NewReader(made.VirtualMFADevice.QRCodePNG)); err != nil {
		t.Errorf("QR code: %v", err)
	}
	_, err = c.CreateVirtualMFADevice(t.Context(), &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("phone")})
	refused(t, err, "EntityAlreadyExists", "")

	now := w.clock.now()
	at := func(n int) string { return d.Code(now.Add(time.Duration(n) * 30 * time.Second)) }
	enable := func(one, two string) error {
		_, err := c.EnableMFADevice(t.Context(), &iam.EnableMFADeviceInput{UserName: aws.String("alice"), SerialNumber: &serial, AuthenticationCode1: &one, AuthenticationCode2: &two})
		return err
	}
	refused(t, enable(at(0), at(0)), "InvalidAuthenticationCode", "")
	refused(t, enable(at(-2), at(0)), "InvalidAuthenticationCode", "")
	refused(t, enable(at(0), at(-1)), "InvalidAuthenticationCode", "")
	refused(t, enable(at(-30), at(-29)), "InvalidAuthenticationCode", "")
	refused(t, enable("12345", "123456"), "ValidationError", "authenticationCode1")
	granted(t, enable(at(-1), at(0)))
	refused(t, enable(at(0), at(1)), "EntityAlreadyExists", "")

	devices, err := c.ListMFADevices(t.Context(), nil)
	granted(t, err)
	if len(devices.MFADevices) != 2 {
		t.Errorf("devices %v", devices.MFADevices)
	}
	assigned, err := c.ListVirtualMFADevices(t.Context(), &iam.ListVirtualMFADevicesInput{AssignmentStatus: iamtypes.AssignmentStatusTypeAssigned})
	granted(t, err)
	if len(assigned.VirtualMFADevices) != 2 || *assigned.VirtualMFADevices[1].User.UserName != "alice" {
		t.Errorf("virtual devices %v", assigned.VirtualMFADevices)
	}

	_, err = c.DeleteVirtualMFADevice(t.Context(), &iam.DeleteVirtualMFADeviceInput{SerialNumber: &serial})
	refused(t, err, "DeleteConflict", "")
	_, err = c.DeactivateMFADevice(t.Context(), &iam.DeactivateMFADeviceInput{UserName: aws.String("alice"), SerialNumber: &serial})
	granted(t, err)
	_, err = c.DeactivateMFADevice(t.Context(), &iam.DeactivateMFADeviceInput{UserName: aws.String("alice"), SerialNumber: &serial})
	refused(t, err, "NoSuchEntity", "")
	_, err = c.DeleteVirtualMFADevice(t.Context(), &iam.DeleteVirtualMFADeviceInput{SerialNumber: &serial})
	granted(t, err)
	refused(t, enable(at(0), at(1)), "NoSuchEntity", "")
}

// A device whose clock is far off is refused until it is resynchronised.
func TestResync(t *testing.T) {
	w := newWorld(t)
	far := w.clock.now().Add(20 * time.Minute)
	session := func(code string) error {
		_, err := w.sts(w.own()).GetSessionToken(t.Context(), sessionInput(w.device.Serial, code))
		return err
	}
	refused(t, session(w.device.Code(far.Add(60*time.Second))), "AccessDenied", "invalid MFA")
	one, two := w.device.Code(far.Add(-30*time.Second)), w.device.Code(far)
	in := &iam.ResyncMFADeviceInput{UserName: aws.String("alice"), SerialNumber: &w.device.Serial, AuthenticationCode1: &two, AuthenticationCode2: &one}
	_, err := w.iam(w.own()).ResyncMFADevice(t.Context(), in)
	refused(t, err, "InvalidAuthenticationCode", "")
	in.AuthenticationCode1, in.AuthenticationCode2 = &one, &two
	_, err = w.iam(w.own()).ResyncMFADevice(t.Context(), in)
	granted(t, err)
	granted(t, session(w.device.Code(far.Add(30*time.Second))))
}

func TestCredentialReport(t *testing.T) {
	w := newWorld(t)
	c := w.iam(w.own())
	_, err := c.GenerateCredentialReport(t.Context(), nil)
	refused(t, err, "AccessDenied", "")
	w.alice.Admin()
	w.AddRootUser(account)
	w.AddUser(account, "bob").SetPassword("x").Age(100 * 24 * time.Hour).AddAccessKey()
	_, err = c.GetCredentialReport(t.Context(), nil)
	refused(t, err, "ReportNotPresent", "")
	var state iamtypes.ReportStateType
	for range 5 {
		out, err := c.GenerateCredentialReport(t.Context(), nil)
		granted(t, err)
		if state = out.State; state == iamtypes.ReportStateTypeComplete {
			break
		}
		_, err = c.GetCredentialReport(t.Context(), nil)
		refused(t, err, "ReportInProgress", "")
	}
	out, err := c.GetCredentialReport(t.Context(), nil)
	granted(t, err)
	rows, err := csv.NewReader(bytes.NewReader(out.Content)).ReadAll()
	granted(t, err)
	var got []string
	for _, r := range rows {
		got = append(got, r[0]+":"+r[7]+":"+r[8])
	}
	if s := strings.Join(got, " "); s != "user:mfa_active:access_key_1_active <root_account>:false:false alice:true:true bob:false:true" {
		t.Errorf("report %s", s)
	}
}
