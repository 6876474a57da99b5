package provider

import (
	"fmt"
	"strings"

	"groat/provider/profile"
	"groat/vault/fault"
)

// maxExternalID is AWS's limit for the characters of ExternalId.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const maxExternalID = 1224

// checkRole refuses what AssumeRole could never accept and what package
// profile leaves to AWS's rules, before anything is called or asked.
func checkRole(name string, role *profile.Role) error {
	if id := role.ExternalID; id != "" && (len(id) < 2 || len(id) > maxExternalID || strings.Trim(id, externalIDChars) != "") {
		// Not repeated: to many an external ID is a shared secret.
		return malformed(name, "AWS accepts 2 to 1224 letters, digits and _+=,.@:/-", "external_id is not valid")
	}
	for _, tag := range role.Tags {
		if strings.HasPrefix(strings.ToLower(tag.Key), "aws:") {
			return malformed(name, "give the tag another name", "session tag %q begins with aws:, which AWS keeps for itself", tag.Key)
		}
	}
	return nil
}

const (
	alphanumeric    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	externalIDChars = alphanumeric + "_+=,.@:/-"
	serialChars     = alphanumeric + "_+=/:,.@-"
)

// malformed is a configuration error about one profile.
func malformed(name, remedy, format string, args ...any) error {
	return &profile.Error{
		Profile: name,
		Err:     fault.New(fmt.Sprintf("profile %q: ", name)+fmt.Sprintf(format, args...), "", profile.ErrMalformed),
		Remedy:  remedy,
	}
}
