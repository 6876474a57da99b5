package provider

import (
	"errors"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// CodePeriod is the time step of AWS's virtual MFA devices (RFC 6238; they
// use SHA-1 and six digits).
const CodePeriod = 30 * time.Second

// TOTP is the token code of a base32 seed at a time, with the RFC 6238 time
// step that it belongs to. The error never repeats the seed.
func TOTP(seed string, at time.Time) (code string, step int64, err error) {
	code, err = totp.GenerateCodeCustom(seed, at, totp.ValidateOpts{
		Period: uint(CodePeriod.Seconds()), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return "", 0, errors.New("the TOTP seed is not base32")
	}
	return code, at.Unix() / int64(CodePeriod.Seconds()), nil
}

// UntilNextCode is how long the code of a time is still shown.
func UntilNextCode(at time.Time) time.Duration {
	return CodePeriod - time.Duration(at.UnixNano()%int64(CodePeriod))
}
