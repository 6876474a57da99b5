package provider

import (
	"fmt"
	"regexp"
	"strings"

	"groat/provider/profile"
)

// serialPattern is AWS's rule for SerialNumber: the ARN of a virtual device
// or the number on a hardware token.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
var serialPattern = regexp.MustCompile(`^[\w+=/:,.@-]{9,256}$`)

// effectiveSerial is the first serial that is set; "none" says that there is
// none although a later one knows better.
func effectiveSerial(serials ...string) string {
	for _, s := range serials {
		switch {
		case strings.EqualFold(s, "none"):
			return ""
		case s != "":
			return s
		}
	}
	return ""
}

// checkSerial refuses what STS could never accept, before anybody is asked
// for a code.
func checkSerial(profileName, serial string) error {
	if serial == "" {
		return nil
	}
	if isSecurityKey(serial) {
		return &profile.Error{
			Profile: profileName,
			Err: fmt.Errorf("MFA device %s of profile %q is a FIDO2 security key: AWS accepts those in the console only, its API takes six-digit codes (%w)",
				sanitizeText(serial), profileName, profile.ErrUnsupported),
			Remedy: "add a virtual MFA device as a second one (groat mfa enroll), then set mfa_serial to its ARN or give --mfa-serial",
		}
	}
	if !serialPattern.MatchString(serial) {
		return &profile.Error{
			Profile: profileName,
			Err:     fmt.Errorf("mfa_serial %q of profile %q is neither the ARN of a virtual MFA device nor a hardware serial number (%w)", sanitizeText(serial), profileName, profile.ErrMalformed),
			Remedy:  "write the device's ARN as `groat mfa list` or the IAM console shows it: arn:aws:iam::ACCOUNT:mfa/NAME",
		}
	}
	return nil
}

// isSecurityKey recognises a FIDO2 device, whose ARN's resource is u2f/USER/….
func isSecurityKey(serial string) bool {
	parts := strings.SplitN(serial, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && strings.HasPrefix(parts[5], "u2f/")
}
