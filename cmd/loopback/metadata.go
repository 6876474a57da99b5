package loopback

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Metadata is the part of the EC2 instance metadata service that SDKs read:
// session tokens (IMDSv2), the role's credentials and the region.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
type Metadata struct {
	Profile string // stands in for the role's name
	Region  string // "" if none is configured
	Source  Source
	Now     func() time.Time
	// V1 answers without a session token too. Nothing but the port keeps
	// other programs of this machine away then.
	V1 bool

	secret [sha256.Size]byte // seals the session tokens
}

// Bounds of a session token's life, in seconds, as EC2 has them.
const (
	minMetadataTTL = 1
	maxMetadataTTL = 21600
)

const (
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	tokenPath   = "/latest/api/token"
	rolesPath   = "/latest/meta-data/iam/security-credentials/"
)

// metadataOutput is the role's credentials.
type metadataOutput struct {
	Code            string
	LastUpdated     time.Time
	Type            string
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      time.Time `json:",omitzero"`
	AccountID       string    `json:"AccountId,omitempty"`
}

// Handler answers metadata requests at addr.
func (m *Metadata) Handler(addr string) http.Handler { return guard(addr, m.handler()) }

func (m *Metadata) handler() http.Handler {
	_, _ = rand.Read(m.secret[:]) // never fails (crypto/rand)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		// The endpoint ends in a slash, and many clients add another.
		path := "/" + strings.TrimLeft(r.URL.Path, "/")
		if path == tokenPath {
			m.serveToken(w, r)
			return
		}
		token := r.Header.Get(tokenHeader)
		switch {
		case token == "" && !m.V1, token != "" && !m.valid(token):
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			m.serveDocument(w, r, path)
		}
	})
}

func (m *Metadata) serveDocument(w http.ResponseWriter, r *http.Request, path string) {
	switch {
	case path == rolesPath || path+"/" == rolesPath:
		_, _ = io.WriteString(w, m.roleName())
	case path == rolesPath+m.roleName():
		m.serveCredentials(w, r)
	case path == "/latest/meta-data/placement/region" && m.Region != "":
		_, _ = io.WriteString(w, m.Region)
	case path == "/latest/meta-data/placement/availability-zone" && m.Region != "":
		_, _ = io.WriteString(w, m.Region+"a")
	case path == "/latest/dynamic/instance-identity/document" && m.Region != "":
		writeDocument(w, map[string]string{"region": m.Region, "availabilityZone": m.Region + "a"})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// roleName is a name that stands in a path as it is.
func (m *Metadata) roleName() string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, m.Profile)
}

func (m *Metadata) serveCredentials(w http.ResponseWriter, r *http.Request) {
	creds, err := m.Source(r.Context())
	if err != nil {
		refuseCredentials(w, err)
		return
	}
	writeDocument(w, metadataOutput{
		"Success", expiration(m.Now()), "AWS-HMAC",
		creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, expiration(creds.Expiration), creds.AccountID,
	})
}

// serveToken opens a session. A request that came through a proxy is turned
// away, as EC2 does.
func (m *Metadata) serveToken(w http.ResponseWriter, r *http.Request) {
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	switch {
	case r.Method != http.MethodPut:
		w.Header().Set("Allow", http.MethodPut)
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Header.Get("X-Forwarded-For") != "":
		w.WriteHeader(http.StatusForbidden)
	case err != nil || ttl < minMetadataTTL || ttl > maxMetadataTTL:
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.Header().Set(ttlHeader, strconv.Itoa(ttl))
		_, _ = io.WriteString(w, m.token(m.Now().Add(time.Duration(ttl)*time.Second)))
	}
}

// token is the time of its own end under a seal, so that no list of tokens
// is kept that a client could make grow.
func (m *Metadata) token(expires time.Time) string {
	var t [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(t[:8], uint64(expires.Unix())) //nolint:gosec // G115: the clock is past 1970
	copy(t[8:], m.seal(t[:8]))
	return base64.RawURLEncoding.EncodeToString(t[:])
}

func (m *Metadata) valid(token string) bool {
	t, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(t) != 8+sha256.Size || !hmac.Equal(t[8:], m.seal(t[:8])) {
		return false
	}
	return m.Now().Unix() < int64(binary.BigEndian.Uint64(t[:8])) //nolint:gosec // G115: sealed by us
}

func (m *Metadata) seal(b []byte) []byte {
	h := hmac.New(sha256.New, m.secret[:])
	h.Write(b)
	return h.Sum(nil)
}
