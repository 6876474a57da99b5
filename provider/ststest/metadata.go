package ststest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// imdsState is what the instance metadata service knows.
type imdsState struct {
	role   *Role
	life   time.Duration
	tokens map[string]time.Time
}

type containerState struct {
	role  *Role
	life  time.Duration
	token string
}

// SetInstanceRole gives the instance a role whose credentials last for d; ""
// takes it away. Point AWS_EC2_METADATA_SERVICE_ENDPOINT at URL.
func (s *Server) SetInstanceRole(roleARN string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.imds = imdsState{role: s.roles[roleARN], life: d, tokens: map[string]time.Time{}}
}

// SetContainerRole gives the container a role whose credentials last for d,
// and returns what AWS_CONTAINER_CREDENTIALS_FULL_URI and
// AWS_CONTAINER_AUTHORIZATION_TOKEN must be to get them.
func (s *Server) SetContainerRole(roleARN string, d time.Duration) (uri, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.container = containerState{role: s.roles[roleARN], life: d, token: randomText(40, base64Chars[:62])}
	return s.URL + "/container/credentials", s.container.token
}

func refusePlainly(e *Error) answer {
	return answer{status: e.Status, contentType: "text/plain", body: []byte(e.Message + "\n"), err: e}
}

// routeMetadata is version 2 of the instance metadata service and nothing of
// version 1, and the container credentials endpoint:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
func (s *Server) routeMetadata(x *exchange) (route, bool) {
	path := x.r.URL.Path
	switch {
	case path == "/container/credentials":
		return route{service: "container", operation: "GetCredentials", serve: s.containerCredentials, refuse: refusePlainly}, true
	case path == "/latest/api/token":
		return route{service: "imds", operation: "GetToken", serve: s.imdsToken, refuse: refusePlainly}, true
	case strings.HasPrefix(path, "/latest/"):
		return route{service: "imds", operation: strings.TrimPrefix(path, "/latest/"), serve: s.imdsGet, refuse: refusePlainly}, true
	}
	return route{}, false
}

func (s *Server) imdsToken(x *exchange) answer {
	ttl, err := strconv.Atoi(x.r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
	switch {
	case x.r.Header.Get("X-Forwarded-For") != "":
		return refusePlainly(errorf(403, "Forbidden", "Forbidden"))
	case x.r.Method != http.MethodPut:
		return refusePlainly(errorf(405, "MethodNotAllowed", "Method Not Allowed"))
	case err != nil || ttl < 1 || ttl > 21600:
		return refusePlainly(errorf(400, "BadRequest", "Bad Request"))
	}
	if s.imds.tokens == nil {
		s.imds.tokens = map[string]time.Time{}
	}
	token := randomText(54, base64Chars[:62]) + "=="
	s.imds.tokens[token] = s.now().Add(seconds(ttl))
	return answer{status: http.StatusOK, contentType: "text/plain", body: []byte(token),
		header: map[string]string{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": strconv.Itoa(ttl)}}
}

func (s *Server) imdsGet(x *exchange) answer {
	expires, ok := s.imds.tokens[x.r.Header.Get("X-Aws-Ec2-Metadata-Token")]
	if !ok || !s.now().Before(expires) {
		return refusePlainly(errorf(401, "Unauthorized", "Unauthorized"))
	}
	missing := refusePlainly(errorf(404, "NotFound", "Not Found"))
	const roles = "/latest/meta-data/iam/security-credentials"
	path := strings.TrimSuffix(x.r.URL.Path, "/")
	switch path {
	case "/latest/meta-data/placement/region":
		return answer{status: http.StatusOK, contentType: "text/plain", body: []byte(s.opts.Region)}
	case "/latest/meta-data/placement/availability-zone":
		return answer{status: http.StatusOK, contentType: "text/plain", body: []byte(s.opts.Region + "a")}
	case "/latest/dynamic/instance-identity/document":
		return jsonAnswer(map[string]string{"region": s.opts.Region, "availabilityZone": s.opts.Region + "a", "instanceId": "i-0123456789abcdef0"})
	case roles:
		if s.imds.role != nil {
			return answer{status: http.StatusOK, contentType: "text/plain", body: []byte(s.imds.role.name)}
		}
	default:
		if r := s.imds.role; r != nil && path == roles+"/"+r.name {
			return s.instanceCredentials(r, s.imds.life)
		}
	}
	return missing
}

// instanceCredentials are in the words of both services.
func (s *Server) instanceCredentials(r *Role, d time.Duration) answer {
	c := s.issue(s.roleSession(r, "i-0123456789abcdef0"), nil, d)
	a := jsonAnswer(map[string]string{"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": date(s.now()), "RoleArn": r.ARN,
		"AccessKeyId": c.id, "SecretAccessKey": c.secret, "Token": c.token, "Expiration": date(c.expires)})
	a.issued = c.id
	return a
}

func (s *Server) containerCredentials(x *exchange) answer {
	switch {
	case s.container.role == nil:
		return refusePlainly(errorf(404, "NotFound", "Not Found"))
	case x.r.Header.Get("Authorization") != s.container.token:
		return refusePlainly(errorf(401, "Unauthorized", "Unauthorized"))
	}
	return s.instanceCredentials(s.container.role, s.container.life)
}
