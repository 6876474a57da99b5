package ststest

import (
	"crypto/rand"
	"math/big"
	"strings"
	"time"
)

const (
	upperDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	base64Chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	secretChars = base64Chars
)

func randomText(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // documented never to happen
		}
		b[i] = alphabet[k.Int64()]
	}
	return string(b)
}

// User is an IAM user, or the root user of an account.
type User struct {
	Account, Name, ARN, ID string

	srv         *Server
	created     time.Time
	root        bool
	admin       bool
	denied      []string
	deviceNames []string // nil: any
	mfaMaxAge   time.Duration
	keys        []*AccessKey
	devices     []*Device
	revoked     time.Time // sessions from before are denied everything
	services    []*ServiceCredential
	login       *loginProfile
}

type loginProfile struct {
	created  time.Time
	lastUsed time.Time
	password string
}

// AccessKey is a long-lived access key.
type AccessKey struct {
	ID, Secret string

	user                    *User
	created, lastUsed       time.Time
	lastService, lastRegion string
	active, deleted         bool
	unknown                 []bool // of the calls to come: whether the service does not know it yet
}

// AddUser adds an IAM user to an account of twelve digits.
func (s *Server) AddUser(account, name string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &User{Account: account, Name: name, ID: "AIDA" + randomText(17, upperDigits), srv: s, created: s.now(),
		ARN: "arn:" + s.opts.Partition + ":iam::" + account + ":user/" + name}
	s.users[account+"/"+name] = u
	return u
}

// AddRootUser adds the root user of an account: it cannot assume roles, and
// its sessions last an hour at most.
func (s *Server) AddRootUser(account string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &User{Account: account, Name: "<root_account>", ID: account, srv: s, root: true, created: s.now(),
		ARN: "arn:" + s.opts.Partition + ":iam::" + account + ":root"}
	s.users[account+"/"+u.Name] = u
	return u
}

// AddAccessKey gives the user an active key, without regard to the limit of two.
func (u *User) AddAccessKey() *AccessKey {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return u.addKey()
}

func (u *User) addKey() *AccessKey {
	k := &AccessKey{ID: "AKIA" + randomText(16, upperDigits), Secret: randomText(40, secretChars), user: u, created: u.srv.now(), active: true}
	u.keys = append(u.keys, k)
	u.srv.keys[k.ID] = k
	return k
}

// AccessKeys lists the user's keys, oldest first.
func (u *User) AccessKeys() []*AccessKey {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return append([]*AccessKey(nil), u.keys...)
}

// Devices lists the user's enabled MFA devices.
func (u *User) Devices() []*Device {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	return append([]*Device(nil), u.devices...)
}

// Admin lets the user act on other users and on the account.
func (u *User) Admin() *User {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	u.admin = true
	return u
}

// Deny takes the right to actions ("iam:ListMFADevices") from the user.
func (u *User) Deny(actions ...string) *User {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	u.denied = append(u.denied, actions...)
	return u
}

// RequireMFA attaches the policy that denies everything without an MFA of at
// most this age, but what is needed to enrol a device and get a session.
func (u *User) RequireMFA(maxAge time.Duration) *User {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	u.mfaMaxAge = maxAge
	return u
}

// DropDevices takes all MFA devices from the user and deletes them.
func (u *User) DropDevices() *User {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	for _, d := range u.devices {
		d.user = nil
		delete(u.srv.devices, d.Serial)
	}
	u.devices = nil
	return u
}

// DeviceNames are the only names that the user's policy lets a virtual device
// have; older self-service policies allow the user's own alone.
func (u *User) DeviceNames(names ...string) *User {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	u.deviceNames = names
	return u
}

// SetPassword gives the user a password for the console.
func (u *User) SetPassword(password string) *User {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	u.login = &loginProfile{created: u.srv.now(), password: password}
	return u
}

// Age makes the user and all its keys older than they are.
func (u *User) Age(d time.Duration) *User {
	u.srv.mu.Lock()
	defer u.srv.mu.Unlock()
	u.created = u.created.Add(-d)
	for _, k := range u.keys {
		k.created = k.created.Add(-d)
	}
	return u
}

// SetActive activates or deactivates the key.
func (k *AccessKey) SetActive(active bool) {
	k.user.srv.mu.Lock()
	defer k.user.srv.mu.Unlock()
	k.active = active
}

// Active reports whether AWS takes the key.
func (k *AccessKey) Active() bool {
	k.user.srv.mu.Lock()
	defer k.user.srv.mu.Unlock()
	return k.active && !k.deleted
}

// Delete deletes the key, and with it the sessions that it started.
func (k *AccessKey) Delete() {
	k.user.srv.mu.Lock()
	defer k.user.srv.mu.Unlock()
	k.delete()
}

func (k *AccessKey) delete() {
	k.deleted = true
	for i, other := range k.user.keys {
		if other == k {
			k.user.keys = append(k.user.keys[:i:i], k.user.keys[i+1:]...)
			break
		}
	}
	delete(k.user.srv.keys, k.ID)
}

// RoleOptions say what a role's trust policy wants, and what it grants.
type RoleOptions struct {
	MaxSession            time.Duration // MaxSessionDuration; 1 h when zero
	RequireMFA            bool          // aws:MultiFactorAuthPresent must be true
	MFAMaxAge             time.Duration // aws:MultiFactorAuthAge; 0 = any
	ExternalID            string        // sts:ExternalId must be this
	RequireSourceIdentity bool          // the call must set one, or have inherited one
	RequireTags           []string      // keys of session tags that must be there
	DenyTags              bool          // the policy lacks sts:TagSession
	DenySourceIdentity    bool          // the policy lacks sts:SetSourceIdentity
	// Trusted are the principals that may assume the role: ARNs of users and
	// roles, or ":root" ARNs that stand for whole accounts. Empty means the
	// role's own account.
	Trusted []string
	// WebIdentity is the issuer whose tokens may assume the role; see AddIssuer.
	WebIdentity string
	// Audience, when set, is what such a token's aud must be.
	Audience string
	Deny     []string // actions that are denied to the role's sessions
}

// Role is an IAM role.
type Role struct {
	ARN, ID string
	account string
	name    string
	o       RoleOptions
	revoked time.Time // sessions from before are denied everything
}

// AddRole adds a role under its ARN, or replaces it.
func (s *Server) AddRole(arn string, o RoleOptions) *Role {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.MaxSession == 0 {
		o.MaxSession = time.Hour
	}
	parts := strings.SplitN(arn, ":", 6)
	r := &Role{ARN: arn, ID: "AROA" + randomText(17, upperDigits), o: o}
	if len(parts) == 6 {
		r.account, r.name = parts[4], parts[5][strings.LastIndex(parts[5], "/")+1:]
	}
	if len(o.Trusted) == 0 && o.WebIdentity == "" {
		r.o.Trusted = []string{"arn:" + partition(arn) + ":iam::" + r.account + ":root"}
	}
	s.roles[arn] = r
	return r
}

// RemoveRole deletes a role; sessions that it gave live on until they expire.
func (s *Server) RemoveRole(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.roles, arn)
}

// CapRoleSessions makes role credentials given out from now on last for d at
// most, whatever was asked: the one thing in which the double lies, so that a
// test may see a session end without waiting for a quarter of an hour. Zero
// ends it.
func (s *Server) CapRoleSessions(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roleCap = d
}

// ExpireSessions makes all temporary credentials given out so far expire now.
func (s *Server) ExpireSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.sessions {
		c.expires = s.now()
	}
}

// RevokeSessions makes the double deny all knowledge of the temporary
// credentials given out so far.
func (s *Server) RevokeSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = map[string]*session{}
}

// Grant makes temporary credentials of a role without any call, as an
// instance profile has them.
func (s *Server) Grant(roleARN, sessionName string, d time.Duration) (id, secret, token string, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.issue(s.roleSession(s.roles[roleARN], sessionName), nil, d)
	return c.id, c.secret, c.token, c.expires
}
