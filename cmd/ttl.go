package cmd

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ttl is a lifetime on the command line: 15m, 1h, 900s, 1h30m or plain
// seconds. Zero means that none was given.
type ttl time.Duration

// UnmarshalText reads a lifetime.
func (t *ttl) UnmarshalText(text []byte) error {
	d, err := parseTTL(string(text))
	*t = ttl(d)
	return err
}

// String is how a value is shown.
func (t ttl) String() string { return time.Duration(t).String() }

func parseTTL(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if n, nerr := strconv.ParseInt(s, 10, 32); nerr == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a duration such as 15m, 1h, 900s or plain seconds", s)
	case d <= 0:
		return 0, fmt.Errorf("%q is not more than zero", s)
	case d%time.Second != 0:
		return 0, fmt.Errorf("%q is not a whole number of seconds", s)
	}
	return d, nil
}

// days is an age on the command line: 90d, or what ttl takes.
type days time.Duration

// UnmarshalText reads an age.
func (d *days) UnmarshalText(text []byte) error {
	parsed, err := parseDays(string(text))
	*d = days(parsed)
	return err
}

func parseDays(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		count, err := strconv.ParseInt(n, 10, 32)
		if err != nil || count <= 0 || count > 36500 {
			return 0, fmt.Errorf("%q is not an age such as 90d or 12h", s)
		}
		return time.Duration(count) * 24 * time.Hour, nil
	}
	return parseTTL(s)
}
