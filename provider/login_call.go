package provider

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"groat/provider/profile"
	"groat/session"
	"groat/vault/fault"
	"groat/vault/files"
)

// The clients of AWS Sign-In that stand for command lines: one whose browser
// answers to a loopback port, and one whose person pastes the answer.
const (
	clientSameDevice  = "arn:aws:signin:::devtools/same-device"
	clientCrossDevice = "arn:aws:signin:::devtools/cross-device"
)

const loginOperation = "signin:CreateOAuth2Token"

// The error codes of CreateOAuth2Token.
// https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html
const (
	loginCodeExpired = "AUTHCODE_EXPIRED"
	loginExpired     = "TOKEN_EXPIRED"
	loginChanged     = "USER_CREDENTIALS_CHANGED"
	loginForbidden   = "INSUFFICIENT_PERMISSIONS"
)

// loginAnswer is what CreateOAuth2Token gives.
type loginAnswer struct {
	AccessToken struct {
		AccessKeyID     string `json:"accessKeyId"`
		SecretAccessKey string `json:"secretAccessKey"`
		SessionToken    string `json:"sessionToken"`
	} `json:"accessToken"`
	ExpiresIn    int64  `json:"expiresIn"` // seconds
	RefreshToken string `json:"refreshToken"`
	IDToken      string `json:"idToken"` // only for a code

	asked time.Time
}

func (a *loginAnswer) complete() bool {
	t := &a.AccessToken
	return t.AccessKeyID != "" && t.SecretAccessKey != "" && t.SessionToken != "" && a.ExpiresIn > 0 && a.RefreshToken != ""
}

func (a *loginAnswer) credentials(arn string) session.Credentials {
	return session.Credentials{
		AccessKeyID: a.AccessToken.AccessKeyID, SecretAccessKey: a.AccessToken.SecretAccessKey, SessionToken: a.AccessToken.SessionToken,
		AccountID: accountOf(arn), Expiration: a.asked.Add(time.Duration(a.ExpiresIn) * time.Second).UTC().Truncate(time.Second),
	}
}

// subject is the ARN of who signed in. The token came from AWS itself over
// the connection that it was asked for on: its signature is for others.
func (a *loginAnswer) subject() string {
	subject, _ := claimsOf(a.IDToken)
	return subject
}

// PastedCode reads what AWS's page shows to be pasted: state=…&code=…, in
// base64. code is empty for anything else.
func PastedCode(text string) (code, state string) {
	text = strings.Join(strings.Fields(text), "")
	raw, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(text))
	if err != nil {
		return "", ""
	}
	q, err := url.ParseQuery(string(raw))
	if err != nil {
		return "", ""
	}
	return q.Get("code"), q.Get("state")
}

// base is the endpoint of AWS Sign-In, without a slash at the end.
//
// The rules are those of the SDK's module service/signin. A partition's own
// host is the console's; FIPS and dual-stack hosts are named as STS's are.
func (l *login) base() (string, error) {
	where, err := endpointFor(serviceSignin, l.o.region(), l.o.Endpoints)
	switch {
	case err != nil:
		return "", err
	case where.url != "":
		return strings.TrimRight(where.url, "/"), nil
	}
	e := l.o.Endpoints
	partition := profile.PartitionOf(where.region)
	hosts, known := consoleHosts[partition]
	switch {
	case !IsAWSRegion(where.region) || !known:
		return "", malformed(l.profile, "write a region such as eu-west-1", "%q is not a valid region", where.region)
	case e.FIPS && !e.DualStack && where.region == "us-gov-west-1":
		return "https://signin-fips.amazonaws-us-gov.com", nil
	case e.FIPS && !e.DualStack && partition == "aws-us-gov":
		return "https://" + where.region + ".signin-fips.amazonaws-us-gov.com", nil
	case !e.FIPS && !e.DualStack:
		return "https://" + where.region + "." + strings.TrimPrefix(hosts.signin, "{region}."), nil
	}
	like, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), sts.EndpointParameters{
		Region: &where.region, UseFIPS: &e.FIPS, UseDualStack: &e.DualStack, UseGlobalEndpoint: aws.Bool(false),
	})
	if err != nil {
		return "", &profile.Error{Err: fault.New(fmt.Sprintf("AWS Sign-In in %s: %s", where.region, err.Error()), "", profile.ErrUnsupported), Profile: l.profile}
	}
	name := "signin"
	if e.FIPS {
		name = "signin-fips"
	}
	_, suffix, _ := strings.Cut(like.URI.Host, ".")
	return "https://" + name + "." + suffix, nil
}

// createToken calls CreateOAuth2Token. A code is good for one call, and is
// sent again only where nobody can have looked at it. A refresh token is sent
// again wherever no answer came: AWS repeats its answer for a while, or the
// token is lost anyway. lost says that an answer was.
func (l *login) createToken(ctx context.Context, key *ecdsa.PrivateKey, in map[string]string) (a *loginAnswer, lost bool, err error) {
	bounded, cancel := l.o.bounded(ctx)
	defer cancel()
	for attempt := 1; ; attempt++ {
		l.o.debugf("calling %s (%s) in %s for profile %q", loginOperation, in["grantType"], l.o.region(), l.o.Profile)
		a, err := l.createTokenOnce(ctx, bounded, key, in)
		var call *CallError
		if err == nil || !errors.As(err, &call) {
			return a, lost, err
		}
		untaken := call.neverSent || call.Status == http.StatusTooManyRequests || call.Status == http.StatusServiceUnavailable
		if !errors.Is(err, ErrUnreachable) || attempt == maxAttempts || !untaken && in["grantType"] != grantRefresh {
			return nil, lost, err
		}
		lost = lost || !untaken
		wait, _ := backoff(attempt, err)
		if l.m.sleep(bounded, wait) != nil {
			return nil, lost, err
		}
	}
}

func (l *login) createTokenOnce(ctx, bounded context.Context, key *ecdsa.PrivateKey, in map[string]string) (*loginAnswer, error) {
	base, err := l.base()
	if err != nil {
		return nil, err
	}
	target := base + "/v1/token"
	asked := l.o.now()
	proof, err := proofOf(key, http.MethodPost, target, asked)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(bounded, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, l.failed("the endpoint's URL cannot be used", 0, ErrUnreachable)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("DPoP", proof)
	resp, err := l.o.HTTP.Do(r)
	if err != nil {
		return nil, l.unanswered(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusOK {
		a := &loginAnswer{asked: asked}
		switch err := json.NewDecoder(resp.Body).Decode(a); {
		case err != nil && bounded.Err() != nil:
			return nil, l.o.callError(ctx, loginOperation, "", bounded.Err())
		case err != nil || !a.complete():
			return nil, l.failed(errIncomplete.Error(), resp.StatusCode, ErrUnreachable)
		}
		return a, nil
	}
	return nil, l.refusal(resp)
}

// refusal reads the answer that is none.
func (l *login) refusal(resp *http.Response) error {
	var said struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	err := json.NewDecoder(resp.Body).Decode(&said)
	switch {
	case err != nil || said.Error == "":
		e := l.failed(fmt.Sprintf("HTTP status %d with an answer that is not AWS's", resp.StatusCode), resp.StatusCode, ErrUnreachable)
		e.Remedy = "a proxy or a captive portal may be in between, or endpoint_url may be wrong"
		return e
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		e := l.failed(said.Message, resp.StatusCode, ErrUnreachable)
		e.Code, e.Remedy = said.Error, "AWS is overloaded or has an outage there: try again in a minute"
		return e
	}
	e := l.failed(said.Message, resp.StatusCode, ErrRefused)
	e.Code = said.Error
	return e
}

func (l *login) failed(message string, status int, class error) *CallError {
	return &CallError{Operation: loginOperation, Profile: l.profile, Target: l.arn, Message: message, Status: status, Err: class}
}

// unanswered is a call that got no answer. A host that nobody knows may be
// that of a region without the service.
func (l *login) unanswered(ctx context.Context, err error) error {
	out := l.o.callError(ctx, loginOperation, "", err)
	var dns *net.DNSError
	var call *CallError
	if errors.As(err, &dns) && dns.IsNotFound && errors.As(out, &call) && l.o.Endpoints.For(serviceSignin) == "" {
		call.Remedy = fmt.Sprintf("AWS Sign-In may not be in %s: `groat signin %s --region us-east-1` names another region; otherwise check the network", l.o.region(), files.Word(l.profile))
	}
	return out
}

// explain adds what the user can do about a refusal of AWS Sign-In.
func (l *login) explain(err error) error {
	var e *CallError
	if !errors.As(err, &e) {
		return err
	}
	again := "run `groat signin " + files.Word(l.profile) + "`"
	switch {
	case !errors.Is(e, ErrRefused):
	case e.Code == loginCodeExpired:
		e.Remedy = "the code from the browser was used too late or twice: " + again
	case e.Code == loginExpired, e.Code == loginChanged:
		e.Remedy = "the sign-in is over: " + again
	case e.Code == loginForbidden:
		e.Remedy = "the identity needs the policy SignInLocalDevelopmentAccess, or what `groat policy allow-signin` prints"
	default:
		e.Remedy = "AWS refused the request itself; if this machine's clock is wrong, set it right, then " + again
	}
	return e
}
