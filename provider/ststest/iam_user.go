package ststest

import (
	"slices"
	"strings"
)

type xmlUser struct {
	Path             string
	UserName         string
	UserID           string `xml:"UserId"`
	Arn              string
	CreateDate       string
	PasswordLastUsed string `xml:",omitempty"`
}

func (u *User) xml() xmlUser {
	x := xmlUser{Path: "/", UserName: u.Name, UserID: u.ID, Arn: u.ARN, CreateDate: date(u.created)}
	if u.root {
		x.UserName = ""
	}
	if u.login != nil && !u.login.lastUsed.IsZero() {
		x.PasswordLastUsed = date(u.login.lastUsed)
	}
	return x
}

type userResult struct{ User xmlUser }

// getUser: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
func (s *Server) getUser(c *iamCall) (any, *Error) { return userResult{c.target.xml()}, nil }

type usersResult struct {
	Users       []xmlUser `xml:"Users>member"`
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

// listUsers: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
func (s *Server) listUsers(c *iamCall) (any, *Error) {
	var all []xmlUser
	for _, u := range s.usersOf(c.p.account) {
		if !u.root {
			all = append(all, u.xml())
		}
	}
	all, more, e := page(c, all)
	out := usersResult{Users: all, IsTruncated: more != "", Marker: more}
	return out, e
}

// usersOf lists the users of an account by name, the root user first.
func (s *Server) usersOf(account string) []*User {
	var all []*User
	for _, u := range s.users {
		if u.Account == account {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *User) int { return strings.Compare(a.Name, b.Name) })
	return all
}

type loginResult struct {
	LoginProfile struct {
		UserName              string
		CreateDate            string
		PasswordResetRequired bool
	}
}

// getLoginProfile: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetLoginProfile.html
func (s *Server) getLoginProfile(c *iamCall) (any, *Error) {
	if c.target.login == nil {
		return nil, noSuch("Login Profile for User %s cannot be found.", c.target.Name)
	}
	var out loginResult
	out.LoginProfile.UserName, out.LoginProfile.CreateDate = c.target.Name, date(c.target.login.created)
	return out, nil
}

type aliasesResult struct {
	AccountAliases []string `xml:"AccountAliases>member"`
	IsTruncated    bool
}

// listAccountAliases: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html
func (s *Server) listAccountAliases(*iamCall) (any, *Error) { return aliasesResult{}, nil }
