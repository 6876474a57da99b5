package ststest

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// FaultKind is a way to misbehave.
type FaultKind int

// The faults.
const (
	FaultStatus   FaultKind = iota // answer Status with AWS's words for it
	FaultLatency                   // answer rightly, after Latency
	FaultReset                     // reset the connection instead of answering
	FaultDrop                      // carry out the call, then reset the connection: the answer is lost
	FaultHalfOpen                  // take the request and stay silent until the client gives up
	FaultSlowBody                  // answer rightly, but so slowly that it never ends
	FaultBadXML                    // answer 200 with something that ends in the middle
	FaultHugeBody                  // answer 200 with 64 MiB
	FaultEmpty                     // answer 200 with nothing
	FaultPortal                    // answer 200 with the page of a captive portal
	FaultRedirect                  // send the client on to Location, method and body kept
	FaultEcho                      // refuse with an error that quotes the whole request
)

// Fault is a misbehaviour for the calls to come.
type Fault struct {
	Kind      FaultKind
	Operation string        // "sts:AssumeRole"; "" = every call
	Times     int           // how many calls; then the service has recovered. 0 = until Reset or ClearFaults
	Status    int           // for FaultStatus: 500, 503, 429, …
	Code      string        // for FaultStatus: the error code; "" = AWS's usual one for the status
	Latency   time.Duration // for FaultLatency
	Location  string        // for FaultRedirect

	left int
}

// Inject adds a fault. The oldest one that fits a call decides about it.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.left = f.Times
	s.faults = append(s.faults, &f)
}

// ClearFaults ends all faults for calls to come.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault takes the fault for this call, nil if there is none.
func (s *Server) fault(name string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Operation != "" && f.Operation != name {
			continue
		}
		if f.Times > 0 {
			if f.left--; f.left == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return f
	}
	return nil
}

// wait is over after d, when the client has gone, or when the server ends.
func (s *Server) wait(ctx context.Context, d time.Duration) (goOn bool) {
	var expired <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-expired:
		return true
	case <-ctx.Done():
	case <-s.stop:
	}
	return false
}

// faultStatus is the answer of a service in trouble.
func faultStatus(f *Fault) *Error {
	code, message := f.Code, "We encountered an internal error. Please try again."
	switch {
	case code != "":
		message = "The request was refused on purpose."
	case f.Status == http.StatusTooManyRequests:
		code, message = "Throttling", "Rate exceeded"
	case f.Status == http.StatusServiceUnavailable:
		code, message = "ServiceUnavailable", "The request has failed due to a temporary failure of the server."
	default:
		code = "InternalFailure"
	}
	return &Error{Status: f.Status, Code: code, Message: message}
}

// portalPage is what a hotel's network answers in AWS's place.
const portalPage = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><form>Accept our terms</form></body></html>"

// quoted is the request as it came in, on one line.
func (x *exchange) quoted() string {
	var b strings.Builder
	_ = x.r.Header.Write(&b)
	return "Value at '" + x.r.URL.String() + " " + strings.ReplaceAll(b.String(), "\r\n", " ") + " " + string(x.body) + "' failed to satisfy constraint"
}

// reset ends the connection with RST rather than FIN.
func reset(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	conn, _, err := h.Hijack()
	if err != nil {
		return
	}
	raw := conn
	if t, ok := conn.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

// slowly sends the headers and then one byte now and again, for ever: a body
// of which there is always some more to come.
func (s *Server) slowly(ctx context.Context, w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)+1<<20))
	w.WriteHeader(http.StatusOK)
	for i := 0; ; i++ {
		b := []byte{' '}
		if i < len(body)/2 {
			b = body[i : i+1]
		}
		if _, err := w.Write(b); err != nil {
			return
		}
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		if !s.wait(ctx, 100*time.Millisecond) {
			return
		}
	}
}

// huge sends 64 MiB of a well-formed beginning.
func huge(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, "<GetSessionTokenResponse><Filler>")
	chunk := bytes.Repeat([]byte{'x'}, 1<<20)
	for range 64 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}
