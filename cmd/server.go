package cmd

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	"groat/cmd/child"
	"groat/session"
)

// credentialSource answers a request at once with what there is: a server
// never asks anybody anything while a client waits.
type credentialSource func() (session.Credentials, error)

// localServer serves credentials on a loopback port until it is stopped.
type localServer struct {
	Addr string // host:port, exactly what clients must put into Host
	http *http.Server
	done chan struct{}
}

// Limits of a request: credentials take a dozen headers and no body.
const (
	maxHeaderBytes = 16 << 10
	readTimeout    = 5 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = 60 * time.Second
	stopTimeout    = 200 * time.Millisecond
)

// serveLocal serves SDKs: listenLocal with guard before the handler.
func serveLocal(ctx context.Context, port int, handler func(addr string) http.Handler) (*localServer, error) {
	return listenLocal(ctx, port, func(addr string) http.Handler { return guard(addr, handler(addr)) })
}

// listenLocal listens on 127.0.0.1 (port 0: a random one) and serves what
// handler makes for the address. The port is open when it returns.
func listenLocal(ctx context.Context, port int, handler func(addr string) http.Handler) (*localServer, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("could not listen on a loopback port: %w", plainReason(err))
	}
	s := &localServer{Addr: l.Addr().String(), done: make(chan struct{})}
	s.http = &http.Server{
		Handler:           handler(s.Addr),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(io.Discard, "", 0), // it would repeat a client's bytes on our stderr
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l)
	}()
	return s, nil
}

// stop ends the server; requests under way get a moment to finish.
func (s *localServer) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	<-s.done
}

// guard turns away what no AWS SDK sends: another Host (a name that was made
// to resolve to loopback), an Origin (a web page), and any request that asks
// for more than a document.
func guard(addr string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		switch {
		case r.Host != addr:
			refuse(w, http.StatusForbidden, "AccessDenied", "unexpected Host")
		case len(r.Header["Origin"]) > 0 || r.Header.Get("Sec-Fetch-Mode") != "":
			refuse(w, http.StatusForbidden, "AccessDenied", "browsers are not served")
		case r.ContentLength > 0 || len(r.TransferEncoding) > 0:
			refuse(w, http.StatusBadRequest, "BadRequest", "no body is expected")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// refuse answers in the form that the SDKs show to their users.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, message})
}

// newToken is 256 random bits, safe in a header and in a URL.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// sameSecret compares in constant time; hashing first hides the length too.
func sameSecret(given, want string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// containerPath is where the credentials are. The SDKs take the whole URL.
const containerPath = "/credentials"

// containerOutput is what the ECS agent answers.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
type containerOutput struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      string `json:",omitempty"`
	AccountID       string `json:"AccountId,omitempty"`
}

// containerHandler is the container-credentials endpoint.
func containerHandler(token string, source credentialSource) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !sameSecret(r.Header.Get("Authorization"), token):
			refuse(w, http.StatusForbidden, "AccessDenied", "wrong or missing authorization token")
		case r.URL.Path != containerPath:
			refuse(w, http.StatusNotFound, "NotFound", "no such document")
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "only GET is answered")
		default:
			creds, err := source()
			if err != nil {
				refuseCredentials(w, err)
				return
			}
			writeDocument(w, containerOutput{
				creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, child.FormatExpiration(creds.Expiration), creds.AccountID,
			})
		}
	})
}

// refuseCredentials tells a client what its user should do. 503: SDKs try
// again, by when a person may have answered.
func refuseCredentials(w http.ResponseWriter, err error) {
	refuse(w, http.StatusServiceUnavailable, "CredentialsNotAvailable", withHint(err))
}

// writeDocument writes one JSON document with its length, in one write.
func writeDocument(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalError", "could not encode the answer")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}
