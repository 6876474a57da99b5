package ststest

import (
	"slices"
	"strconv"
)

const keysPerUser = 2

type xmlKey struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

func (k *AccessKey) xml() xmlKey {
	return xmlKey{UserName: k.user.Name, AccessKeyID: k.ID, Status: k.status(), CreateDate: date(k.created)}
}

func (k *AccessKey) status() string {
	if k.active {
		return "Active"
	}
	return "Inactive"
}

type keysResult struct {
	AccessKeyMetadata []xmlKey `xml:"AccessKeyMetadata>member"`
	IsTruncated       bool
	Marker            string `xml:",omitempty"`
}

// listAccessKeys: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
func (s *Server) listAccessKeys(c *iamCall) (any, *Error) {
	var all []xmlKey
	for _, k := range c.target.keys {
		all = append(all, k.xml())
	}
	all, more, e := page(c, all)
	return keysResult{AccessKeyMetadata: all, IsTruncated: more != "", Marker: more}, e
}

type keyResult struct{ AccessKey xmlKey }

func (r keyResult) issuedID() string { return r.AccessKey.AccessKeyID }

// createAccessKey: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
// An inactive key counts.
func (s *Server) createAccessKey(c *iamCall) (any, *Error) {
	if len(c.target.keys) >= keysPerUser {
		return nil, errorf(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: %d", keysPerUser)
	}
	k := c.target.addKey()
	k.unknown = slices.Clone(s.keyDelay)
	x := k.xml()
	x.SecretAccessKey = k.Secret
	return keyResult{x}, nil
}

// DelayNewKeys makes keys that CreateAccessKey makes from now on unknown to
// the service for this many calls, as IAM's eventual consistency does.
func (s *Server) DelayNewKeys(calls int) {
	unknown := make([]bool, calls)
	for i := range unknown {
		unknown[i] = true
	}
	s.setKeyDelay(unknown)
}

// FlickerNewKeys makes such keys unknown to some of the calls to come: a "-"
// for a call that does not know the key, any other character for one that does.
func (s *Server) FlickerNewKeys(calls string) {
	var unknown []bool
	for _, c := range calls {
		unknown = append(unknown, c == '-')
	}
	s.setKeyDelay(unknown)
}

func (s *Server) setKeyDelay(unknown []bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keyDelay = unknown
}

// SessionsOutliveKeys lets sessions live on when the key that began them is
// deactivated or deleted. AWS has been seen to do both.
func (s *Server) SessionsOutliveKeys(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outlive = yes
}

func (c *iamCall) key() (*AccessKey, *Error) {
	id := c.Get("AccessKeyId")
	if len(id) < 16 {
		return nil, validation(id, "accessKeyId", "have length greater than or equal to 16")
	}
	for _, k := range c.target.keys {
		if k.ID == id {
			return k, nil
		}
	}
	return nil, noSuch("The Access Key with id %s cannot be found.", id)
}

// updateAccessKey: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
func (s *Server) updateAccessKey(c *iamCall) (any, *Error) {
	k, e := c.key()
	if e != nil {
		return nil, e
	}
	switch status := c.Get("Status"); status {
	case "Active", "Inactive":
		k.active = status == "Active"
	default:
		return nil, validation(status, "status", "satisfy enum value set: [Active, Inactive]")
	}
	return nil, nil
}

// deleteAccessKey: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
func (s *Server) deleteAccessKey(c *iamCall) (any, *Error) {
	k, e := c.key()
	if e != nil {
		return nil, e
	}
	k.delete()
	return nil, nil
}

type lastUsedResult struct {
	UserName          string
	AccessKeyLastUsed struct {
		LastUsedDate string `xml:",omitempty"`
		ServiceName  string
		Region       string
	}
}

// getAccessKeyLastUsed: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
func (s *Server) getAccessKeyLastUsed(c *iamCall) (any, *Error) {
	k := s.keys[c.Get("AccessKeyId")]
	if k == nil || k.user.Account != c.p.account {
		return nil, errorf(403, "AccessDenied", "User: %s is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key %s", c.p.arn, c.Get("AccessKeyId"))
	}
	var out lastUsedResult
	out.UserName = k.user.Name
	out.AccessKeyLastUsed.ServiceName, out.AccessKeyLastUsed.Region = "N/A", "N/A"
	if !k.lastUsed.IsZero() {
		out.AccessKeyLastUsed.LastUsedDate, out.AccessKeyLastUsed.ServiceName, out.AccessKeyLastUsed.Region = date(k.lastUsed), k.lastService, k.lastRegion
	}
	return out, nil
}

// page cuts a list to MaxItems from Marker on, and returns the marker of the
// next page, "" at the end. Options.PageSize makes pages smaller than asked
// for, which AWS reserves the right to.
func page[T any](c *iamCall, all []T) ([]T, string, *Error) {
	size, from := 100, 0
	if v := c.Get("MaxItems"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 1000 {
			return nil, "", validation(v, "maxItems", "have value between 1 and 1000")
		}
		size = n
	}
	if c.pageSize > 0 && c.pageSize < size {
		size = c.pageSize
	}
	if v := c.Get("Marker"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > len(all) {
			return nil, "", errorf(400, "ValidationError", "Invalid Marker.")
		}
		from = n
	}
	to := min(from+size, len(all))
	if to < len(all) {
		return all[from:to], strconv.Itoa(to), nil
	}
	return all[from:to], "", nil
}
