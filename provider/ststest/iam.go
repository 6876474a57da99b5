package ststest

import (
	"slices"
	"strings"
	"time"
)

var iamOperations = map[string]operation{
	"ListMFADevices": iamOperation("ListMFADevices", (*Server).listMFADevices),
}

// iamCall is an IAM call with the user that it is about.
type iamCall struct {
	*request
	action string
	target *User
}

// iamOperation wraps an operation on a user (the caller, or UserName) with
// what IAM asks of every caller.
func iamOperation(action string, do func(*Server, *iamCall) (any, *Error)) operation {
	return func(s *Server, r *request) (any, *Error) {
		c := &iamCall{request: r, action: action}
		switch {
		case r.p.kind == callerFederated, r.p.kind == callerSession && !r.p.mfa:
			// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
			return nil, errInvalidToken
		}
		name := r.Get("UserName")
		switch {
		case name != "":
			c.target = s.users[r.p.account+"/"+name]
		case r.p.user != nil:
			c.target = r.p.user
		case !accountWide[action]:
			return nil, errorf(400, "ValidationError", "Must specify userName when calling with non-User credentials")
		}
		resource := "*"
		if name != "" {
			resource = "arn:" + partition(r.p.arn) + ":iam::" + r.p.account + ":user/" + name
		} else if c.target != nil && !accountWide[action] {
			resource = c.target.ARN
		}
		if e := s.allow(r.p, "iam:"+action, resource); e != nil {
			return nil, e
		}
		if r.p.user != nil && !r.p.user.admin && !r.p.root && (name != "" && c.target != r.p.user || adminOnly[action]) {
			return nil, denied(r.p, "iam:"+action, resource)
		}
		if name != "" && c.target == nil {
			return nil, noSuch("The user with name %s cannot be found.", name)
		}
		return do(s, c)
	}
}

// accountWide are the operations that are not about one user.
var accountWide = map[string]bool{}

// adminOnly are the operations that a user may not call for itself.
var adminOnly = map[string]bool{}

func noSuch(format string, args ...any) *Error { return errorf(404, "NoSuchEntity", format, args...) }

// date is how the query services write a time.
func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

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
	var out devicesResult
	for _, d := range devices {
		out.MFADevices = append(out.MFADevices, xmlDevice{UserName: c.target.Name, SerialNumber: d.Serial, EnableDate: date(d.enabled)})
	}
	return out, nil
}
