package provider

import (
	"fmt"
	"time"

	"groat/provider/profile"
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

// CheckDurations refuses durations that AWS would refuse; the error wraps
// ErrBounds. Zero means the default and is fine.
func CheckDurations(o Options) error {
	if err := checkBounds("session duration", o.SessionTTL, MaxSessionDuration); err != nil {
		return err
	}
	return checkBounds("role duration", o.AssumeRoleTTL, MaxRoleDuration)
}

func checkBounds(what string, d, maximum time.Duration) error {
	if d == 0 || (d >= MinDuration && d <= maximum) {
		return nil
	}
	return fmt.Errorf("%s %s is outside AWS's %s to %s: %w", what, shortDuration(d), shortDuration(MinDuration), shortDuration(maximum), ErrBounds)
}

// configuredDuration is a duration_seconds of a file, in AWS's bounds.
func configuredDuration(name string, seconds int) (time.Duration, error) {
	d := time.Duration(seconds) * time.Second
	if seconds != 0 && (d < MinDuration || d > MaxRoleDuration) {
		return 0, &profile.Error{
			Profile: name,
			Err: fmt.Errorf("duration_seconds = %d of profile %q is outside AWS's %d to %d seconds (%w)",
				seconds, name, int(MinDuration.Seconds()), int(MaxRoleDuration.Seconds()), profile.ErrMalformed),
			Remedy: "correct duration_seconds, or take it out for the default of one hour",
		}
	}
	return d, nil
}

// shortDuration writes 1h, 90m or 900s as a person would.
func shortDuration(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
