package iam

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"groat/provider"
	"groat/vault/fault"
)

// Device is a virtual MFA device in the making, as it is sealed.
type Device struct {
	Serial string `json:"serial"` // "" before AWS has created it
	Seed   string `json:"seed"`   // base32
}

// String hides the seed.
func (d Device) String() string { return "MFA device " + d.Serial }

// GoString hides the seed from %#v.
func (d Device) GoString() string { return d.String() }

// URL is what a device's app reads from a QR code. The label says whose code
// it is, and AWS's own has no issuer.
// https://github.com/google/google-authenticator/wiki/Key-Uri-Format
func (d Device) URL(account, user string) string {
	return "otpauth://totp/" + url.PathEscape(account) + ":" + url.PathEscape(user) + "?secret=" + d.Seed + "&issuer=AWS"
}

// Alias is the account's alias, where there is one and it may be seen; else
// the account.
func (c Client) Alias(ctx context.Context, account string) string {
	out, err := c.listAccountAliases(ctx, &awsiam.ListAccountAliasesInput{})
	if err != nil || len(out.AccountAliases) == 0 {
		return account
	}
	return out.AccountAliases[0]
}

// once is a client for calls that make something or carry codes.
func (c Client) once() Client {
	c.Options.Once = true
	return c
}

// Resync tells AWS how far off the device's clock is, by two codes in a row.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ResyncMFADevice.html
func (c Client) Resync(ctx context.Context, user, serial, one, two string) error {
	_, err := c.once().resyncMFADevice(ctx, &awsiam.ResyncMFADeviceInput{
		UserName: &user, SerialNumber: &serial, AuthenticationCode1: &one, AuthenticationCode2: &two,
	})
	if code(err) == "InvalidAuthenticationCode" {
		return fault.New("AWS refused the two codes of "+serial, "enter two consecutive codes as soon as they appear, neither of them used before", provider.ErrRefused)
	}
	return inWords(err)
}

// RemoveDevice takes a device off the user and deletes it, if it is a virtual
// one. What is gone already is gone.
func (c Client) RemoveDevice(ctx context.Context, user, serial string) error {
	_, err := c.deactivateMFADevice(ctx, &awsiam.DeactivateMFADeviceInput{UserName: &user, SerialNumber: &serial})
	if err != nil && code(err) != "NoSuchEntity" {
		return inWords(err)
	}
	if !strings.Contains(serial, ":mfa/") {
		return nil
	}
	return c.deleteDevice(ctx, serial)
}

func (c Client) deleteDevice(ctx context.Context, serial string) error {
	_, err := c.deleteVirtualMFADevice(ctx, &awsiam.DeleteVirtualMFADeviceInput{SerialNumber: &serial})
	if code(err) == "NoSuchEntity" {
		return nil
	}
	return inWords(err)
}

// namesFor are the names that a user's devices get: the user's own, then -2 to
// -8, as AWS's self-service policies allow them.
func namesFor(user string) []string {
	names := []string{user}
	for n := 2; n <= deviceNames; n++ {
		names = append(names, user+"-"+strconv.Itoa(n))
	}
	return names
}

// Unused are the serials of virtual devices that are named as this user's and
// were never enabled, as an enrolment that was given up leaves them.
func (c Client) Unused(ctx context.Context, user string) ([]string, error) {
	var serials []string
	in := &awsiam.ListVirtualMFADevicesInput{AssignmentStatus: types.AssignmentStatusTypeUnassigned, MaxItems: aws.Int32(1000)}
	for {
		out, err := c.listVirtualMFADevices(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, d := range out.VirtualMFADevices {
			serial := aws.ToString(d.SerialNumber)
			if slices.Contains(namesFor(user), serial[strings.LastIndex(serial, "/")+1:]) {
				serials = append(serials, serial)
			}
		}
		if !out.IsTruncated || aws.ToString(out.Marker) == "" {
			return serials, nil
		}
		in.Marker = out.Marker
	}
}

// devices are the serials of a user's enabled devices.
func (c Client) devices(ctx context.Context, user string) ([]string, error) {
	out, err := c.listMFADevices(ctx, &awsiam.ListMFADevicesInput{UserName: &user, MaxItems: aws.Int32(100)})
	if err != nil {
		return nil, err
	}
	var serials []string
	for _, d := range out.MFADevices {
		serials = append(serials, aws.ToString(d.SerialNumber))
	}
	return serials, nil
}

// inWords says what AWS's errors about devices mean.
func inWords(err error) error {
	switch code(err) {
	case "EntityTemporarilyUnmodifiable":
		return fault.New("AWS is still busy with the user's last change", "try again in a minute", err)
	case "LimitExceeded":
		return fault.New("the user has eight MFA devices, and AWS allows no more", "`groat mfa list` shows them; `groat mfa remove` removes one", err)
	case "DeleteConflict":
		return fault.New("the device is still in use, by another user", "deactivate it there first", err)
	}
	return err
}
