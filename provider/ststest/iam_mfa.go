package ststest

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
)

const devicesPerUser = 8

type xmlDevice struct {
	UserName     string
	SerialNumber string
	EnableDate   string
}

type devicesResult struct {
	MFADevices  []xmlDevice `xml:"MFADevices>member"`
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

// listMFADevices: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html
func (s *Server) listMFADevices(c *iamCall) (any, *Error) {
	devices := append([]*Device(nil), c.target.devices...)
	slices.SortFunc(devices, func(a, b *Device) int { return strings.Compare(a.Serial, b.Serial) })
	var all []xmlDevice
	for _, d := range devices {
		all = append(all, xmlDevice{UserName: c.target.Name, SerialNumber: d.Serial, EnableDate: date(d.enabled)})
	}
	all, more, e := page(c, all)
	return devicesResult{MFADevices: all, IsTruncated: more != "", Marker: more}, e
}

type xmlVirtualDevice struct {
	SerialNumber     string
	Base32StringSeed string   `xml:",omitempty"`
	QRCodePNG        string   `xml:",omitempty"`
	User             *xmlUser `xml:",omitempty"`
	EnableDate       string   `xml:",omitempty"`
}

type virtualDevicesResult struct {
	VirtualMFADevices []xmlVirtualDevice `xml:"VirtualMFADevices>member"`
	IsTruncated       bool
	Marker            string `xml:",omitempty"`
}

// listVirtualMFADevices: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html
func (s *Server) listVirtualMFADevices(c *iamCall) (any, *Error) {
	status := c.Get("AssignmentStatus")
	if status != "" && !slices.Contains([]string{"Any", "Assigned", "Unassigned"}, status) {
		return nil, validation(status, "assignmentStatus", "satisfy enum value set: [Any, Assigned, Unassigned]")
	}
	var all []xmlVirtualDevice
	for _, d := range s.devices {
		if !strings.Contains(d.Serial, "::"+c.p.account+":mfa/") || status == "Assigned" && d.user == nil || status == "Unassigned" && d.user != nil {
			continue
		}
		m := xmlVirtualDevice{SerialNumber: d.Serial}
		if d.user != nil {
			u := d.user.xml()
			m.User, m.EnableDate = &u, date(d.enabled)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b xmlVirtualDevice) int { return strings.Compare(a.SerialNumber, b.SerialNumber) })
	all, more, e := page(c, all)
	return virtualDevicesResult{VirtualMFADevices: all, IsTruncated: more != "", Marker: more}, e
}

type virtualDeviceResult struct{ VirtualMFADevice xmlVirtualDevice }

var deviceName = regexp.MustCompile(`^[\w+=,.@-]+$`)

// createVirtualMFADevice: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateVirtualMFADevice.html
func (s *Server) createVirtualMFADevice(c *iamCall) (any, *Error) {
	name, path := c.Get("VirtualMFADeviceName"), c.Get("Path")
	if path == "" {
		path = "/"
	}
	switch {
	case name == "" || !deviceName.MatchString(name):
		return nil, validation(name, "virtualMFADeviceName", `satisfy regular expression pattern: [\w+=,.@-]+`)
	case !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/"):
		return nil, validation(path, "path", "begin and end with /")
	}
	serial := "arn:" + partition(c.p.arn) + ":iam::" + c.p.account + ":mfa" + path + name
	if u := c.p.user; u != nil && u.deviceNames != nil && !slices.Contains(u.deviceNames, name) {
		return nil, denied(c.p, "iam:CreateVirtualMFADevice", serial)
	}
	if s.devices[serial] != nil {
		return nil, errorf(409, "EntityAlreadyExists", "MFADevice entity at the same path and name already exists.")
	}
	d := s.newDevice(serial)
	s.devices[serial] = d
	key, err := otp.NewKeyFromURL("otpauth://totp/Amazon%20Web%20Services:" + name + "@" + c.p.account + "?secret=" + d.Secret + "&issuer=Amazon%20Web%20Services")
	if err != nil {
		return nil, errorf(500, "ServiceFailure", "%v", err)
	}
	image, err := key.Image(256, 256)
	if err != nil {
		return nil, errorf(500, "ServiceFailure", "%v", err)
	}
	var qr bytes.Buffer
	if err := png.Encode(&qr, image); err != nil {
		return nil, errorf(500, "ServiceFailure", "%v", err)
	}
	return virtualDeviceResult{xmlVirtualDevice{SerialNumber: serial,
		Base32StringSeed: base64.StdEncoding.EncodeToString([]byte(d.Secret)), QRCodePNG: base64.StdEncoding.EncodeToString(qr.Bytes())}}, nil
}

// Device is the device of this serial, enabled or not; nil when there is none.
func (s *Server) Device(serial string) *Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.devices[serial]
}

// Enabled reports whether the device belongs to a user.
func (d *Device) Enabled() bool {
	d.srv.mu.Lock()
	defer d.srv.mu.Unlock()
	return d.user != nil
}

var errNotConsecutive = &Error{Status: 403, Code: "InvalidAuthenticationCode", Message: "Authentication code for device is not valid."}

// consecutive judges two codes of a device that must be those of one step and
// of the next, among the steps around the server's time, and uses both up.
func (s *Server) consecutive(c *iamCall, d *Device, around int64) (step int64, e *Error) {
	one, two := c.Get("AuthenticationCode1"), c.Get("AuthenticationCode2")
	if e := validCode(one, "authenticationCode1"); e != nil {
		return 0, e
	}
	if e := validCode(two, "authenticationCode2"); e != nil {
		return 0, e
	}
	now := s.now()
	for n := -around; n < around; n++ {
		first, second := now.Add(time.Duration(n)*stepLength), now.Add(time.Duration(n+1)*stepLength)
		if d.Code(first) == one && d.Code(second) == two && !d.used[steps(first)] && !d.used[steps(second)] {
			d.used[steps(first)], d.used[steps(second)] = true, true
			return steps(second), nil
		}
	}
	return 0, errNotConsecutive
}

// enableMFADevice: https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html
func (s *Server) enableMFADevice(c *iamCall) (any, *Error) {
	serial := c.Get("SerialNumber")
	d := s.devices[serial]
	switch {
	case d == nil:
		return nil, noSuch("VirtualMFADevice with serial number %s does not exist.", serial)
	case d.user != nil:
		return nil, errorf(409, "EntityAlreadyExists", "MFA Device is already in use.")
	case len(c.target.devices) >= devicesPerUser:
		return nil, errorf(409, "LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: %d", devicesPerUser)
	}
	if _, e := s.consecutive(c, d, 4); e != nil {
		return nil, e
	}
	c.target.enable(d)
	return nil, nil
}

// owned is the device of the call if it is one of the user's.
func (s *Server) owned(c *iamCall) (*Device, *Error) {
	d := s.devices[c.Get("SerialNumber")]
	if d == nil || d.user != c.target {
		return nil, noSuch("MFA Device with serial number %s does not exist for the user.", c.Get("SerialNumber"))
	}
	return d, nil
}

// resyncMFADevice: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ResyncMFADevice.html
// It looks up to an hour around for the two codes, and remembers how far off
// the device is.
func (s *Server) resyncMFADevice(c *iamCall) (any, *Error) {
	d, e := s.owned(c)
	if e != nil {
		return nil, e
	}
	step, e := s.consecutive(c, d, 120)
	if e != nil {
		return nil, e
	}
	d.drift = step - steps(s.now())
	return nil, nil
}

// deactivateMFADevice: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeactivateMFADevice.html
func (s *Server) deactivateMFADevice(c *iamCall) (any, *Error) {
	d, e := s.owned(c)
	if e != nil {
		return nil, e
	}
	d.user = nil
	c.target.devices = slices.DeleteFunc(c.target.devices, func(o *Device) bool { return o == d })
	if !strings.Contains(d.Serial, ":mfa/") {
		delete(s.devices, d.Serial)
	}
	return nil, nil
}

// deleteVirtualMFADevice: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteVirtualMFADevice.html
func (s *Server) deleteVirtualMFADevice(c *iamCall) (any, *Error) {
	serial := c.Get("SerialNumber")
	d := s.devices[serial]
	switch {
	case d == nil:
		return nil, noSuch("VirtualMFADevice with serial number %s does not exist.", serial)
	case d.user != nil:
		return nil, errorf(409, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
	}
	delete(s.devices, serial)
	return nil, nil
}
