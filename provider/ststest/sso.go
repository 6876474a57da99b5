package ststest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ssoState is one IAM Identity Center instance: the OIDC service of its
// sign-in and the portal that gives out role credentials.
type ssoState struct {
	startURL    string
	userName    string
	autoApprove bool
	interval    time.Duration
	tokenLife   time.Duration
	clientLife  time.Duration
	assignments []Assignment
	clients     map[string]*ssoClient
	devices     map[string]*ssoDevice // by device code
	codes       map[string]*ssoCode   // authorization codes
	tokens      map[string]*ssoToken  // by access token
	refresh     map[string]*ssoToken  // by refresh token
}

type ssoToken struct {
	client  string
	expires time.Time
	revoked bool
}

// Assignment is a role that the instance's user has in an account.
type Assignment struct {
	Account, AccountName, Role string
	Duration                   time.Duration // of the credentials; 1 h when zero
}

func (o *ssoState) reset() {
	*o = ssoState{userName: "alice", interval: 5 * time.Second, tokenLife: time.Hour, clientLife: 90 * 24 * time.Hour,
		clients: map[string]*ssoClient{}, devices: map[string]*ssoDevice{}, codes: map[string]*ssoCode{},
		tokens: map[string]*ssoToken{}, refresh: map[string]*ssoToken{}}
}

// AddSSO opens the Identity Center instance of this start URL with these
// assignments, forgetting an older one.
func (s *Server) AddSSO(startURL string, assignments ...Assignment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sso.reset()
	s.sso.startURL, s.sso.assignments = startURL, assignments
}

// AutoApproveSSO says whether the user is deemed to approve every request at
// once, as with an open session in the browser.
func (s *Server) AutoApproveSSO(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sso.autoApprove = yes
}

// SetSSOLifetimes sets how long access tokens and client registrations last,
// and how often a device may ask; zero leaves what is there.
func (s *Server) SetSSOLifetimes(token, client, interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d, v := range map[*time.Duration]time.Duration{&s.sso.tokenLife: token, &s.sso.clientLife: client, &s.sso.interval: interval} {
		if v != 0 {
			*d = v
		}
	}
}

// ExpireSSOTokens makes every access token expire now. Refresh tokens stay
// good, unless revoke says that the user's session was ended by an administrator.
func (s *Server) ExpireSSOTokens(revoke bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.sso.tokens {
		t.expires = s.now()
		t.revoked = t.revoked || revoke
	}
}

func (s *Server) routeSSO(x *exchange) (route, bool) {
	for _, o := range []struct {
		method, path, service, operation string
		do                               func(*exchange) answer
	}{
		{http.MethodPost, "/client/register", "sso-oidc", "RegisterClient", s.registerClient},
		{http.MethodPost, "/device_authorization", "sso-oidc", "StartDeviceAuthorization", s.startDeviceAuthorization},
		{http.MethodPost, "/token", "sso-oidc", "CreateToken", s.createToken},
		{http.MethodGet, "/authorize", "sso-oidc", "Authorize", s.authorize},
		{http.MethodGet, "/device", "sso-oidc", "VerifyDevice", s.verifyDevice},
		{http.MethodGet, "/federation/credentials", "sso", "GetRoleCredentials", s.portal(s.getRoleCredentials)},
		{http.MethodGet, "/assignment/accounts", "sso", "ListAccounts", s.portal(s.listAccounts)},
		{http.MethodGet, "/assignment/roles", "sso", "ListAccountRoles", s.portal(s.listAccountRoles)},
		{http.MethodPost, "/logout", "sso", "Logout", s.portal(s.logout)},
	} {
		if x.r.Method == o.method && x.r.URL.Path == o.path {
			return route{service: o.service, operation: o.operation, serve: o.do, refuse: jsonError}, true
		}
	}
	return route{}, false
}

var errSSOToken = &Error{Status: 401, Code: "UnauthorizedException", Message: "Session token not found or invalid"}

// portal lets nobody in without a bearer token that is good.
func (s *Server) portal(do func(*exchange) answer) func(*exchange) answer {
	return func(x *exchange) answer {
		t := s.sso.tokens[x.r.Header.Get("X-Amz-Sso_bearer_token")]
		if t == nil || t.revoked || !s.now().Before(t.expires) {
			return jsonError(errSSOToken)
		}
		return do(x)
	}
}

// getRoleCredentials: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
func (s *Server) getRoleCredentials(x *exchange) answer {
	q := x.r.URL.Query()
	account, name := q.Get("account_id"), q.Get("role_name")
	if account == "" || name == "" {
		return jsonError(errorf(400, "InvalidRequestException", "Missing account_id or role_name"))
	}
	i := slices.IndexFunc(s.sso.assignments, func(a Assignment) bool { return a.Account == account && a.Role == name })
	if i < 0 {
		return jsonError(errorf(403, "ForbiddenException", "No access"))
	}
	d := s.sso.assignments[i].Duration
	if d == 0 {
		d = time.Hour
	}
	role := s.ssoRole(account, name)
	x.call.RoleARN = role.ARN
	c := s.issue(s.roleSession(role, s.sso.userName), nil, d)
	a := jsonAnswer(map[string]any{"roleCredentials": map[string]any{
		"accessKeyId": c.id, "secretAccessKey": c.secret, "sessionToken": c.token, "expiration": c.expires.UnixMilli()}})
	a.issued = c.id
	return a
}

// ssoRole is the role that Identity Center keeps in the account for a
// permission set.
func (s *Server) ssoRole(account, name string) *Role {
	full := "AWSReservedSSO_" + name + "_0123456789abcdef"
	arn := "arn:" + s.opts.Partition + ":iam::" + account + ":role/aws-reserved/sso.amazonaws.com/" + full
	if r := s.roles[arn]; r != nil {
		return r
	}
	r := &Role{ARN: arn, ID: "AROA" + randomText(17, upperDigits), account: account, name: full, o: RoleOptions{MaxSession: 12 * time.Hour, Trusted: []string{"sso"}}}
	s.roles[arn] = r
	return r
}

// listAccounts: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_ListAccounts.html
func (s *Server) listAccounts(x *exchange) answer {
	var all []map[string]string
	for _, a := range s.sso.assignments {
		if !slices.ContainsFunc(all, func(m map[string]string) bool { return m["accountId"] == a.Account }) {
			all = append(all, map[string]string{"accountId": a.Account, "accountName": a.AccountName, "emailAddress": strings.ToLower(a.AccountName) + "@example.com"})
		}
	}
	return s.ssoPage(x, "accountList", all)
}

// listAccountRoles: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_ListAccountRoles.html
func (s *Server) listAccountRoles(x *exchange) answer {
	var all []map[string]string
	for _, a := range s.sso.assignments {
		if a.Account == x.r.URL.Query().Get("account_id") {
			all = append(all, map[string]string{"accountId": a.Account, "roleName": a.Role})
		}
	}
	return s.ssoPage(x, "roleList", all)
}

func (s *Server) ssoPage(x *exchange, name string, all []map[string]string) answer {
	q := x.r.URL.Query()
	from, err := strconv.Atoi(q.Get("next_token"))
	if q.Get("next_token") == "" {
		from, err = 0, nil
	}
	if err != nil || from < 0 || from > len(all) {
		return jsonError(errorf(400, "InvalidRequestException", "Invalid next_token"))
	}
	size := len(all)
	if n, err := strconv.Atoi(q.Get("max_result")); err == nil && n > 0 {
		size = n
	}
	if s.opts.PageSize > 0 {
		size = min(size, s.opts.PageSize)
	}
	to := min(from+size, len(all))
	out := map[string]any{name: all[from:to]}
	if to < len(all) {
		out["nextToken"] = strconv.Itoa(to)
	}
	return jsonAnswer(out)
}

// logout: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_Logout.html
func (s *Server) logout(x *exchange) answer {
	s.sso.tokens[x.r.Header.Get("X-Amz-Sso_bearer_token")].revoked = true
	return answer{status: http.StatusOK}
}
