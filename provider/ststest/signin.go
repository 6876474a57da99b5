package ststest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type signinToken struct {
	expires time.Time
	arn     string
	session time.Duration
}

// signinLife is how long a sign-in link can be used.
const signinLife = 15 * time.Minute

// routeSignin is the federation endpoint:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
func (s *Server) routeSignin(x *exchange) (route, bool) {
	if x.r.URL.Path != "/federation" {
		return route{}, false
	}
	q := x.r.URL.Query()
	if form, err := url.ParseQuery(string(x.body)); err == nil && x.r.Method == http.MethodPost {
		for k, v := range form {
			q[k] = v
		}
	}
	refuse := func(e *Error) answer {
		return answer{status: e.Status, contentType: "text/html", body: []byte("<html><body>" + e.Message + "</body></html>"), err: e}
	}
	do := func(*exchange) answer { return refuse(errorf(400, "InvalidAction", "Invalid action")) }
	switch q.Get("Action") {
	case "getSigninToken":
		do = func(x *exchange) answer {
			token, e := s.getSigninToken(x, q)
			if e != nil {
				return refuse(e)
			}
			return jsonAnswer(map[string]string{"SigninToken": token})
		}
	case "login":
		do = func(*exchange) answer {
			t := s.signin[q.Get("SigninToken")]
			if t == nil || !s.now().Before(t.expires) || q.Get("Destination") == "" {
				return refuse(errorf(400, "BadRequest", "Token has expired or is not valid"))
			}
			return answer{status: http.StatusFound, header: map[string]string{"Location": q.Get("Destination")}}
		}
	case "logout":
		do = func(*exchange) answer { return answer{status: http.StatusOK, contentType: "text/html"} }
	}
	return route{service: "signin", operation: q.Get("Action"), serve: do, refuse: refuse}, true
}

// getSigninToken exchanges temporary credentials for a token of the console.
func (s *Server) getSigninToken(x *exchange, q url.Values) (string, *Error) {
	var in struct{ SessionID, SessionKey, SessionToken string }
	if err := json.Unmarshal([]byte(q.Get("Session")), &in); err != nil {
		return "", errorf(400, "BadRequest", "Session is not JSON")
	}
	x.call.AccessKeyID = in.SessionID
	c := s.sessions[in.SessionID]
	switch {
	case c == nil || c.secret != in.SessionKey || c.token != in.SessionToken:
		return "", errorf(400, "BadRequest", "The credentials are not valid") // long-lived keys have no token
	case !s.now().Before(c.expires):
		return "", errorf(400, "BadRequest", "The credentials have expired")
	case c.who.kind == callerSession && !s.signinSessions:
		return "", errorf(400, "BadRequest", "Credentials of GetSessionToken cannot sign in")
	}
	t := &signinToken{expires: s.now().Add(signinLife), arn: c.who.arn}
	if v := q.Get("SessionDuration"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 900 || n > 43200 {
			return "", errorf(400, "BadRequest", "SessionDuration must be between 900 and 43200")
		}
		if c.who.chained || c.who.kind == callerFederated {
			return "", errorf(400, "BadRequest", "SessionDuration cannot be used with these credentials")
		}
		x.call.Duration, t.session = seconds(n), seconds(n)
	}
	token := randomText(800, base64Chars[:62])
	s.signin[token] = t
	return token, nil
}

// AllowSessionSignin says whether credentials of GetSessionToken can sign in
// to the console. They cannot by default.
func (s *Server) AllowSessionSignin(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signinSessions = yes
}

// SigninIdentity is whom a sign-in token stands for and how long the console
// session will last (0 = not said); false when it is unknown or too old.
func (s *Server) SigninIdentity(token string) (arn string, session time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.signin[token]
	if t == nil || !s.now().Before(t.expires) {
		return "", 0, false
	}
	return t.arn, t.session, true
}
