package ststest

import (
	"fmt"
	"strings"
	"time"
)

// Call is one request that reached the double, refused ones included. It
// holds no secret: neither secret keys nor session tokens nor token codes.
type Call struct {
	Service     string    // "sts", "iam", "sso", "sso-oidc", "signin", "imds", "container"
	Operation   string    // "AssumeRole"
	Time        time.Time // by the server's clock
	ConnID      int64     // which TCP connection it came over, 1 for the first since Reset
	Host        string    // the Host header
	UserAgent   string
	Region      string        // of the signature's scope
	AccessKeyID string        // that signed it; "" for unsigned calls
	RoleARN     string        // that was asked for
	SessionName string        // role session name, or the name of a federated user
	MFASerial   string        // serial sent along
	UserName    string        // that IAM was asked about by name
	HasCode     bool          // whether a token code was sent along
	Duration    time.Duration // asked for; 0 = not said
	Policy      string        // session policy, a document
	Description string        // of a scope
	Status      int           // HTTP status of the answer; 0 when there was none
	Code        string        // AWS's error code; "" when it was granted
	Issued      string        // access key ID of the credentials handed out
}

// Name is "sts:AssumeRole".
func (c Call) Name() string { return c.Service + ":" + c.Operation }

// String is one line for people.
func (c Call) String() string {
	var b strings.Builder
	b.WriteString(c.Name())
	if c.RoleARN != "" {
		b.WriteString(" " + c.RoleARN)
	}
	if c.HasCode {
		b.WriteString(" (with a token code)")
	}
	if c.Code != "" {
		fmt.Fprintf(&b, " → %d %s", c.Status, c.Code)
	}
	return b.String()
}

// Calls returns the calls since the start or the last Reset, in the order in
// which they were answered.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Names returns the calls' names, "sts:AssumeRole", with the error code of
// refused ones after a space.
func (s *Server) Names() []string {
	var names []string
	for _, c := range s.Calls() {
		n := c.Name()
		if c.Code != "" {
			n += " " + c.Code
		}
		names = append(names, n)
	}
	return names
}

// Count says how many calls of this name ("sts:AssumeRole") were made,
// refused ones included; "" counts all.
func (s *Server) Count(name string) int {
	n := 0
	for _, c := range s.Calls() {
		if name == "" || c.Name() == name {
			n++
		}
	}
	return n
}

// ResetCalls forgets the calls and connections so far and nothing else.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
	s.conns.Store(0)
}

// Connections is the number of TCP connections since the start or the last
// Reset; "no network at all" is zero.
func (s *Server) Connections() int { return int(s.conns.Load()) }

// Hook sets a function that is called with each request before it is
// answered, and while no lock is held: it may block, to make a race happen on
// purpose. Status, Code and Issued are not known yet.
func (s *Server) Hook(f func(Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}
