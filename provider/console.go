package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"groat/provider/profile"
	"groat/session"
	"groat/vault/fault"
)

// The lifetime of a console session that may be asked for.
const (
	MinConsoleDuration = 15 * time.Minute
	MaxConsoleDuration = 12 * time.Hour
)

// consoleHosts are, by partition, where the console is and where it is signed
// in to. A "{region}." in front is filled in: those partitions have no
// global name.
var consoleHosts = map[string]struct{ console, signin string }{
	"aws":        {"console.aws.amazon.com", "signin.aws.amazon.com"},
	"aws-cn":     {"console.amazonaws.cn", "signin.amazonaws.cn"},
	"aws-us-gov": {"console.amazonaws-us-gov.com", "signin.amazonaws-us-gov.com"},
	"aws-iso":    {"console.c2shome.ic.gov", "{region}.signin.c2shome.ic.gov"},
	"aws-iso-b":  {"console.sc2shome.sgov.gov", "{region}.signin.sc2shome.sgov.gov"},
	"aws-iso-e":  {"console.csphome.adc-e.uk", "{region}.signin.csphome.adc-e.uk"},
	"aws-iso-f":  {"console.csphome.hci.ic.gov", "{region}.signin.csphome.hci.ic.gov"},
	"aws-eusc":   {"console.amazonaws-eusc.eu", "{region}.signin.amazonaws-eusc.eu"},
}

const serviceSignin = "signin"

// ErrDestination marks a destination that is not a page of the console.
var ErrDestination = errors.New("not a page of the AWS console")

// ConsoleSignin exchanges temporary credentials for a link to the AWS console.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
type ConsoleSignin struct {
	CallOptions
	// Partition is the one of the credentials.
	Partition string
	// Duration of the console session; 0 lets AWS decide. AWS refuses one for
	// chained roles and federation tokens; see Plan.ConsoleDuration.
	Duration time.Duration
}

// Token is a sign-in token: a secret for 15 minutes. The credentials travel
// in the body of the request, so that no URL in an error, a proxy's log or a
// trace holds them.
func (s ConsoleSignin) Token(ctx context.Context, creds session.Credentials) (string, error) {
	document, err := json.Marshal(struct {
		ID    string `json:"sessionId"`
		Key   string `json:"sessionKey"`
		Token string `json:"sessionToken"`
	}{creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken})
	if err != nil {
		return "", err
	}
	form := url.Values{"Action": {"getSigninToken"}, "SessionType": {"json"}, "Session": {string(document)}}
	if s.Duration > 0 {
		form.Set("SessionDuration", strconv.Itoa(int(s.Duration.Seconds())))
	}
	base, err := s.base()
	if err != nil {
		return "", err
	}
	client, err := s.httpClient()
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(limited, http.MethodPost, base+"/federation", strings.NewReader(form.Encode()))
	if err != nil {
		return "", s.failure("the endpoint's URL cannot be used", 0, ErrUnreachable)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.debugf("calling signin:getSigninToken at %s", base)
	resp, err := client.Do(r)
	if err != nil {
		return "", s.callError(ctx, signinOperation, "", err)
	}
	defer func() { _ = resp.Body.Close() }()
	return s.readToken(resp)
}

const signinOperation = "signin:getSigninToken"

// readToken reads the answer. A refusal is a page for people, of which only
// the status is of use.
func (s ConsoleSignin) readToken(resp *http.Response) (string, error) {
	var answer struct{ SigninToken string }
	switch {
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return "", s.failure(fmt.Sprintf("HTTP status %d", resp.StatusCode), resp.StatusCode, ErrUnreachable)
	case resp.StatusCode != http.StatusOK:
		return "", s.failure(fmt.Sprintf("HTTP status %d", resp.StatusCode), resp.StatusCode, ErrRefused)
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.SigninToken == "" {
		return "", s.failure("the answer holds no sign-in token", resp.StatusCode, ErrUnreachable)
	}
	return answer.SigninToken, nil
}

func (s ConsoleSignin) failure(message string, status int, class error) error {
	return &CallError{Operation: signinOperation, Profile: s.Profile, Message: message, Status: status, Err: class}
}

// URL is the link that signs in and goes on to destination. It is a secret.
func (s ConsoleSignin) URL(token, destination string) (string, error) {
	base, err := s.base()
	if err != nil {
		return "", err
	}
	q := url.Values{"Action": {"login"}, "Issuer": {"groat"}, "Destination": {destination}, "SigninToken": {token}}
	return base + "/federation?" + q.Encode(), nil
}

// SignOutFirst is a link that ends the browser's console session before it
// goes on to link: the console refuses to sign in over another session.
func (s ConsoleSignin) SignOutFirst(link string) (string, error) {
	base, err := s.base()
	if err != nil {
		return "", err
	}
	q := url.Values{"Action": {"logout"}, "redirect_uri": {link}}
	return base + "/oauth?" + q.Encode(), nil
}

// base is where the console is signed in to, without a slash at the end.
func (s ConsoleSignin) base() (string, error) {
	if custom := s.Endpoints.For(serviceSignin); custom != "" {
		if err := CheckEndpointURL(custom); err != nil {
			return "", err
		}
		return strings.TrimRight(custom, "/"), nil
	}
	hosts, ok := consoleHosts[s.Partition]
	if !ok {
		return "", fault.New(fmt.Sprintf("the console of partition %q is not known", s.Partition), "", profile.ErrUnsupported)
	}
	return "https://" + strings.ReplaceAll(hosts.signin, "{region}", s.regionIn()), nil
}

// regionIn is the region, or the partition's default. A region comes from a
// file and goes into a host's name here: what is no region is none.
func (s ConsoleSignin) regionIn() string {
	if IsAWSRegion(s.Region) {
		return s.Region
	}
	return defaultRegions[s.Partition]
}

var serviceWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`) })

// Destination is the page of the console to begin with: destination is a
// service's short name ("s3") or a whole URL within the partition's console,
// path a path within it; both empty: the console's home.
func (s ConsoleSignin) Destination(destination, path string) (string, error) {
	hosts, ok := consoleHosts[s.Partition]
	if !ok {
		return "", fault.New(fmt.Sprintf("the console of partition %q is not known", s.Partition), "", profile.ErrUnsupported)
	}
	if strings.Contains(destination, "://") {
		return consoleURL(destination, hosts.console)
	}
	u := url.URL{Scheme: "https", Host: hosts.console, Path: "/console/home"}
	region := s.regionIn()
	u.RawQuery = url.Values{"region": {region}}.Encode()
	if region == s.Region && s.Partition != "aws-cn" {
		u.Host = region + "." + hosts.console
	}
	switch {
	case path != "":
		return withPath(u, path)
	case destination != "":
		if !serviceWord().MatchString(destination) {
			return "", fmt.Errorf("%w: %q (a service's short name such as s3, ec2 or iam, or an https URL)", ErrDestination, destination)
		}
		u.Path = "/" + destination + "/home"
	}
	return u.String(), nil
}

// withPath puts the path of the user's choice in place of the home page; its
// own query wins.
func withPath(u url.URL, path string) (string, error) {
	rel, err := url.Parse("/" + strings.TrimLeft(path, "/"))
	if err != nil || rel.Host != "" {
		return "", fmt.Errorf("%w: path %q", ErrDestination, path)
	}
	u.Path, u.Fragment = rel.Path, rel.Fragment
	if rel.RawQuery != "" {
		u.RawQuery = rel.RawQuery
	}
	return u.String(), nil
}

// consoleURL lets only the partition's console pass: the link carries a
// session, which is nobody else's business.
func consoleURL(s, host string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" ||
		u.Hostname() != host && !strings.HasSuffix(u.Hostname(), "."+host) {
		return "", fmt.Errorf("%w: %q is not an https URL of %s", ErrDestination, hideUserinfo(s), host)
	}
	return u.String(), nil
}

// ConsoleDuration reports whether AWS takes a SessionDuration for the plan's
// credentials: those of one role assumed straight from a long-lived key or a
// web identity. With chained roles and federation tokens the call fails.
func (p *Plan) ConsoleDuration() bool {
	if len(p.Steps) != 1 {
		return false
	}
	return p.Steps[0].Operation == OpAssumeRole && isLongLived(&p.Source) || sourceOf(p.Source.Kind).console
}
