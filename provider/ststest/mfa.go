package ststest

import (
	"crypto/subtle"
	"encoding/base32"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

const stepLength = 30 * time.Second

// Device is a virtual MFA device (RFC 6238: SHA-1, six digits, 30 s). The
// service takes the codes of one step before and after its own time, and each
// step's once.
type Device struct {
	Serial string
	// Secret is the seed in base32, as the QR code and the console show it.
	Secret string

	srv     *Server
	user    *User // nil until it is enabled
	enabled time.Time
	used    map[int64]bool // time steps whose code was taken
	handed  map[int64]bool // time steps that FreshCode has given out
	drift   int64          // steps, as ResyncMFADevice found them
}

func (s *Server) newDevice(serial string) *Device {
	seed := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(randomText(40, base64Chars)))
	return &Device{Serial: serial, Secret: seed, srv: s, used: map[int64]bool{}, handed: map[int64]bool{}}
}

// AddMFA gives the user an enabled virtual device that has the user's name,
// or that name and a number when there is one already.
func (u *User) AddMFA() *Device {
	s := u.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	base := "arn:" + partition(u.ARN) + ":iam::" + u.Account + ":mfa/" + u.Name
	if u.root {
		base = "arn:" + partition(u.ARN) + ":iam::" + u.Account + ":mfa/root-account-mfa-device"
	}
	serial := base
	for n := '2'; s.devices[serial] != nil; n++ {
		serial = base + "-" + string(n)
	}
	return u.enable(s.newDevice(serial))
}

// AddDevice gives the user an enabled device of this serial: a hardware token
// ("GAHT12345678") or a FIDO2 key ("arn:aws:iam::123456789012:u2f/user/…").
func (u *User) AddDevice(serial string) *Device {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return u.enable(u.srv.newDevice(serial))
}

func (u *User) enable(d *Device) *Device {
	d.user, d.enabled = u, u.srv.now()
	u.srv.devices[d.Serial] = d
	u.devices = append(u.devices, d)
	return d
}

// Code is what the device shows at a time.
func (d *Device) Code(at time.Time) string {
	code, err := totp.GenerateCodeCustom(d.Secret, at, totp.ValidateOpts{Period: uint(stepLength / time.Second), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		panic(err) // the secret is ours
	}
	return code
}

// FreshCode is a code that the service takes now and that FreshCode has not
// given out before, or "" when there is none left: there are three in any
// window of time. Tests use it instead of waiting for the next code.
func (d *Device) FreshCode() string {
	d.srv.mu.Lock()
	defer d.srv.mu.Unlock()
	now := d.srv.now()
	order := []int64{0, -1, 1}
	if now.Unix()%30 >= 15 { // the step before would be over by the time its code is sent
		order = []int64{0, 1, -1}
	}
	for _, n := range order {
		at := now.Add(time.Duration(n) * stepLength)
		if step := steps(at); !d.used[step] && !d.handed[step] {
			d.handed[step] = true
			return d.Code(at)
		}
	}
	return ""
}

// WrongCode is a code that the service takes neither now nor soon.
func (d *Device) WrongCode() string {
	d.srv.mu.Lock()
	defer d.srv.mu.Unlock()
	now := d.srv.now()
	for _, c := range []string{"000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777"} {
		fits := false
		for n := time.Duration(-2); n <= 5; n++ {
			fits = fits || d.Code(now.Add(n*stepLength)) == c
		}
		if !fits {
			return c
		}
	}
	panic("unreachable: eight codes cannot all fit eight steps by chance")
}

// Forget makes the codes used so far usable again.
func (d *Device) Forget() {
	d.srv.mu.Lock()
	defer d.srv.mu.Unlock()
	d.used, d.handed = map[int64]bool{}, map[int64]bool{}
}

func steps(at time.Time) int64 { return at.Unix() / int64(stepLength/time.Second) }

// step finds the time step of a code among those around now; the caller holds mu.
func (d *Device) step(code string, now time.Time, around int64) (int64, bool) {
	for n := -around; n <= around; n++ {
		at := now.Add(time.Duration(n+d.drift) * stepLength)
		if subtle.ConstantTimeCompare([]byte(d.Code(at)), []byte(code)) == 1 {
			return steps(at), true
		}
	}
	return 0, false
}

// checkMFA judges the serial and code of a call and uses the code up. Both
// empty is no MFA. The caller holds mu.
func (s *Server) checkMFA(u *User, serial, code string) (mfa bool, e *Error) {
	if serial == "" && code == "" {
		return false, nil
	}
	if serial == "" || code == "" {
		return false, errCodeOrSerial
	}
	if len(serial) < 9 {
		return false, validation(serial, "serialNumber", "have length greater than or equal to 9")
	}
	if e := validCode(code, "tokenCode"); e != nil {
		return false, e
	}
	d := s.devices[serial]
	if d == nil || u == nil || d.user != u || strings.Contains(serial, ":u2f/") { // a FIDO2 key shows no codes
		return false, errBadSerial
	}
	step, ok := d.step(code, s.now(), 1)
	if !ok || d.used[step] {
		return false, errBadCode
	}
	d.used[step] = true
	return true, nil
}

func validCode(code, member string) *Error {
	switch {
	case len(code) < 6:
		return validation(code, member, "have length greater than or equal to 6")
	case len(code) > 6:
		return validation(code, member, "have length less than or equal to 6")
	}
	for _, r := range code {
		if r < '0' || r > '9' {
			return validation(code, member, `satisfy regular expression pattern: [\d]*`)
		}
	}
	return nil
}
