package ststest

import "time"

// ServiceCredential is a credential of one service, such as a key of Amazon
// Bedrock's: the credential report does not know it.
type ServiceCredential struct {
	ID, Service string
	Active      bool

	created, expires time.Time
}

// AddServiceCredential gives the user an active credential of a service
// ("bedrock.amazonaws.com"); a zero end is none.
func (u *User) AddServiceCredential(service string, expires time.Time) *ServiceCredential {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	c := &ServiceCredential{ID: "ACCA" + randomText(17, upperDigits), Service: service, Active: true, created: u.srv.now(), expires: expires}
	u.services = append(u.services, c)
	return c
}

type xmlServiceCredential struct {
	UserName                    string
	Status                      string
	ServiceName                 string
	ServiceSpecificCredentialID string `xml:"ServiceSpecificCredentialId"`
	CreateDate                  string
	ExpirationDate              string `xml:",omitempty"`
}

type serviceCredentialsResult struct {
	ServiceSpecificCredentials []xmlServiceCredential `xml:"ServiceSpecificCredentials>member"`
	IsTruncated                bool
	Marker                     string `xml:",omitempty"`
}

// listServiceSpecificCredentials: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListServiceSpecificCredentials.html
func (s *Server) listServiceSpecificCredentials(c *iamCall) (any, *Error) {
	users := []*User{c.target}
	switch {
	case c.Get("AllUsers") == "true" && c.Get("UserName") != "":
		return nil, errorf(400, "InvalidInput", "UserName and AllUsers cannot be used together.")
	case c.Get("AllUsers") == "true":
		users = s.usersOf(c.p.account)
	case c.target == nil:
		return nil, errorf(400, "ValidationError", "Must specify userName when calling with non-User credentials")
	}
	var all []xmlServiceCredential
	for _, u := range users {
		for _, k := range u.services {
			x := xmlServiceCredential{UserName: u.Name, Status: "Inactive", ServiceName: k.Service, ServiceSpecificCredentialID: k.ID, CreateDate: date(k.created)}
			if k.Active {
				x.Status = "Active"
			}
			if !k.expires.IsZero() {
				x.ExpirationDate = date(k.expires)
			}
			all = append(all, x)
		}
	}
	all, more, e := page(c, all)
	return serviceCredentialsResult{ServiceSpecificCredentials: all, IsTruncated: more != "", Marker: more}, e
}
