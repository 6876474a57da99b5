package ststest

import (
	"context"
	"io"
	"net/http"
	"time"
)

// exchange is one request on its way to an answer.
type exchange struct {
	r    *http.Request
	body []byte
	sig  *signature
	call Call
}

// answer is what goes back.
type answer struct {
	status      int
	contentType string
	header      map[string]string
	body        []byte
	err         *Error // what the answer says when it is a refusal
	issued      string
}

// route says which operation a request is for, how to carry it out (with mu
// held) and how its service words an error.
type route struct {
	service, operation string
	serve              func(*exchange) answer
	refuse             func(*Error) answer
}

const maxRequest = 1 << 20

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "request too large", http.StatusRequestEntityTooLarge)
		return
	}
	x := &exchange{r: r, body: body}
	conn, _ := r.Context().Value(connKey{}).(int64)
	x.call = Call{ConnID: conn, Host: r.Host, UserAgent: r.UserAgent()}
	rt := s.route(x)
	x.call.Service, x.call.Operation = rt.service, rt.operation

	s.mu.Lock()
	x.call.Time = s.now()
	hook := s.hook
	s.mu.Unlock()
	if hook != nil {
		hook(x.call)
	}
	s.answer(r.Context(), w, x, rt)
}

// answer carries out the call, or the fault that was asked for.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, x *exchange, rt route) {
	f := s.fault(x.call.Name())
	if f == nil {
		s.write(w, s.carryOut(x, rt))
		return
	}
	switch f.Kind {
	case FaultLatency:
		if s.wait(ctx, f.Latency) {
			s.write(w, s.carryOut(x, rt))
		}
	case FaultDrop:
		s.carryOut(x, rt)
		reset(w)
	case FaultSlowBody:
		a := s.carryOut(x, rt)
		s.slowly(ctx, w, a.body)
	case FaultReset:
		s.record(x, answer{})
		reset(w)
	case FaultHalfOpen:
		s.record(x, answer{})
		s.wait(ctx, 0)
		reset(w)
	case FaultHugeBody:
		s.record(x, answer{status: http.StatusOK})
		huge(w)
	default:
		a := f.answer(x, rt)
		s.record(x, a)
		s.write(w, a)
	}
}

// answer is what a fault says that is over with one answer.
func (f *Fault) answer(x *exchange, rt route) answer {
	switch f.Kind {
	case FaultStatus:
		return rt.refuse(faultStatus(f))
	case FaultBadXML:
		return answer{status: http.StatusOK, contentType: "text/xml", body: []byte("<GetSessionTokenResponse><GetSessionTokenResult><Credentials><AccessKeyId>ASIA")}
	case FaultPortal:
		return answer{status: http.StatusOK, contentType: "text/html", body: []byte(portalPage)}
	case FaultRedirect:
		return answer{status: http.StatusTemporaryRedirect, header: map[string]string{"Location": f.Location + x.r.URL.RequestURI()}}
	case FaultEcho:
		return rt.refuse(errorf(http.StatusBadRequest, "ValidationError", "%s", x.quoted()))
	}
	return answer{status: http.StatusOK, contentType: "text/xml"} // FaultEmpty
}

func (s *Server) carryOut(x *exchange, rt route) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := rt.serve(x)
	s.recordLocked(x, a)
	return a
}

func (s *Server) record(x *exchange, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recordLocked(x, a)
}

func (s *Server) recordLocked(x *exchange, a answer) {
	c := x.call
	c.Status, c.Issued = a.status, a.issued
	if a.err != nil {
		c.Code = a.err.Code
	}
	s.calls = append(s.calls, c)
}

func (s *Server) write(w http.ResponseWriter, a answer) {
	s.mu.Lock()
	date := s.now()
	s.mu.Unlock()
	h := w.Header()
	h.Set("Date", date.Format(http.TimeFormat))
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	for k, v := range a.header {
		h.Set(k, v)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// route finds the operation by the path: the query services share "/".
func (s *Server) route(x *exchange) route {
	for _, find := range []func(*exchange) (route, bool){s.routeQuery, s.routeSSO, s.routeLogin, s.routeSignin, s.routeMetadata} {
		if rt, ok := find(x); ok {
			return rt
		}
	}
	return route{service: "unknown", operation: x.r.Method + " " + x.r.URL.Path,
		serve:  func(*exchange) answer { return answer{status: http.StatusNotFound} },
		refuse: func(e *Error) answer { return answer{status: e.Status, err: e} }}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
