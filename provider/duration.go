package provider

import (
	"fmt"
	"strings"
	"time"

	"groat/provider/profile"
	"groat/vault/fault"
)

// AWS's bounds.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	MinDuration        = 900 * time.Second // of every call
	MaxSessionDuration = 36 * time.Hour    // GetSessionToken of an IAM user
	MaxRoleDuration    = 12 * time.Hour    // AssumeRole from a long-lived key, if the role allows it
	MaxChainedDuration = time.Hour         // AssumeRole from temporary credentials

	DefaultSessionDuration = 8 * time.Hour
	DefaultRoleDuration    = time.Hour
)

// CheckDurations refuses durations that AWS would refuse with a BoundsError. Zero means the default and is fine.
func CheckDurations(o Options) error {
	if err := checkBounds("session", o.SessionTTL, MaxSessionDuration); err != nil {
		return err
	}
	return checkBounds("role", o.AssumeRoleTTL, MaxRoleDuration)
}

func checkBounds(what string, d, maximum time.Duration) error {
	if d == 0 || (d >= MinDuration && d <= maximum) {
		return nil
	}
	return &BoundsError{What: what, Given: d, maximum: maximum}
}

// BoundsError is a duration that AWS would refuse. It is an ErrBounds.
type BoundsError struct {
	What    string        // "session" or "role"
	Given   time.Duration // what was asked for
	maximum time.Duration
}

// Error names the bounds, and leaves it to the caller to say who asked.
func (e *BoundsError) Error() string {
	return fmt.Sprintf("AWS accepts %s to %s for a %s", ShortDuration(MinDuration), ShortDuration(e.maximum), e.What)
}

// Unwrap gives the class.
func (e *BoundsError) Unwrap() error { return ErrBounds }

// configuredDuration is a duration_seconds of a file, in AWS's bounds.
func configuredDuration(name string, seconds int) (time.Duration, error) {
	d := time.Duration(seconds) * time.Second
	if seconds != 0 && (d < MinDuration || d > MaxRoleDuration) {
		return 0, &profile.Error{
			Profile: name,
			Err: fault.New(fmt.Sprintf("duration_seconds = %d of profile %q is not between AWS's %d and %d seconds",
				seconds, name, int(MinDuration.Seconds()), int(MaxRoleDuration.Seconds())), "", profile.ErrMalformed),
			Remedy: "correct duration_seconds, or take it out for the default of one hour",
		}
	}
	return d, nil
}

// ShortDuration is Go's own notation without the zeros at its end, as people
// write it and flags take it: 8h, 1h30m, 15m, 45s.
func ShortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
