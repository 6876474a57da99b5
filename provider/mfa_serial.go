package provider

import (
	"fmt"
	"strings"

	"groat/provider/profile"
	"groat/vault/fault"
	"groat/vault/files"
)

// AWS's rule for SerialNumber: the ARN of a virtual device or the number on a
// hardware token, of 9 to 256 characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const (
	minSerial = 9
	maxSerial = 256
)

// firstSerial is the first serial that is set.
func firstSerial(serials ...string) string {
	for _, s := range serials {
		if s != "" {
			return s
		}
	}
	return ""
}

// CheckSerial refuses what STS could never accept, before anybody is asked
// for a code.
func CheckSerial(profileName, serial string) error {
	if serial == "" {
		return nil
	}
	if IsSecurityKey(serial) {
		return &profile.Error{
			Profile: profileName,
			Err: fault.New(fmt.Sprintf("MFA device %s of profile %q is a FIDO2 security key: AWS accepts those only in the console, and its API takes six-digit codes",
				serial, profileName), "", profile.ErrUnsupported),
			Remedy: fmt.Sprintf("`groat signin %s` makes a profile that signs in with it in the browser; or `groat mfa enroll %s` sets up a virtual MFA device beside it: then set mfa_serial to its ARN or give --mfa-serial",
				files.Word(profileName+"-signin"), files.Word(profileName)),
		}
	}
	if !IsSerial(serial) {
		return &profile.Error{
			Profile: profileName,
			Err:     fault.New(fmt.Sprintf("mfa_serial %q of profile %q is neither the ARN of a virtual MFA device nor a hardware serial number", serial, profileName), "", profile.ErrMalformed),
			Remedy:  "write the device's ARN as `groat mfa list` or the IAM console shows it: arn:aws:iam::ACCOUNT:mfa/NAME",
		}
	}
	return nil
}

// IsSerial reports whether STS would take the serial's form.
func IsSerial(s string) bool {
	return len(s) >= minSerial && len(s) <= maxSerial && strings.Trim(s, serialChars) == ""
}

// IsSecurityKey reports whether a serial is that of a FIDO2 device, whose ARN's resource is u2f/USER/….
func IsSecurityKey(serial string) bool {
	parts := strings.SplitN(serial, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && strings.HasPrefix(parts[5], "u2f/")
}
