package ststest

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The services that speak AWS's query protocol: a form in, XML out.
const (
	stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"
	iamNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"
)

// params are the members of a form.
type params struct{ url.Values }

// list reads Name.member.1, Name.member.2, …
func (p params) list(name string) []string {
	var all []string
	for i := 1; p.Has(name + ".member." + strconv.Itoa(i)); i++ {
		all = append(all, p.Get(name+".member."+strconv.Itoa(i)))
	}
	return all
}

// structs reads the members Name.member.N.field for as long as there are any.
func (p params) structs(name string, fields ...string) [][]string {
	var all [][]string
	for i := 1; ; i++ {
		var one []string
		found := false
		for _, f := range fields {
			k := name + ".member." + strconv.Itoa(i) + "." + f
			found = found || p.Has(k)
			one = append(one, p.Get(k))
		}
		if !found {
			return all
		}
		all = append(all, one)
	}
}

// duration reads DurationSeconds, or takes the default, and checks its bounds.
func (p params) duration(fallback, least, most int) (time.Duration, *Error) {
	v := p.Get("DurationSeconds")
	if v == "" {
		return seconds(fallback), nil
	}
	n, err := strconv.Atoi(v)
	switch {
	case err != nil:
		return 0, errorf(400, "MalformedInput", "Invalid integer: %s", v)
	case n < least:
		return 0, validation(v, "durationSeconds", "have value greater than or equal to "+strconv.Itoa(least))
	case n > most:
		return 0, validation(v, "durationSeconds", "have value less than or equal to "+strconv.Itoa(most))
	}
	return seconds(n), nil
}

// request is a call of a query service with its caller.
type request struct {
	params
	x *exchange
	p *principal // nil for calls that are not signed
}

// operation carries out one call with mu held. Its result becomes the XML.
type operation func(s *Server, r *request) (any, *Error)

func (s *Server) routeQuery(x *exchange) (route, bool) {
	if x.r.URL.Path != "/" && x.r.URL.Path != "" {
		return route{}, false
	}
	form, err := url.ParseQuery(string(x.body))
	if err != nil || !form.Has("Action") {
		form = x.r.URL.Query()
	}
	action, version := form.Get("Action"), form.Get("Version")
	namespace, operations, service := stsNamespace, stsOperations, "sts"
	if version == "2010-05-08" {
		namespace, operations, service = iamNamespace, iamOperations, "iam"
	}
	note(&x.call, params{form})
	sig, bad := parseSignature(x.r)
	if sig != nil {
		x.sig, x.call.AccessKeyID, x.call.Region = sig, sig.keyID, sig.region
	}
	refuse := func(e *Error) answer { return queryError(namespace, e) }
	return route{service: service, operation: action, refuse: refuse, serve: func(x *exchange) answer {
		do, ok := operations[action]
		switch {
		case bad != nil:
			return refuse(bad)
		case action == "":
			return refuse(errMissingToken)
		case !ok, version != "2011-06-15" && version != "2010-05-08":
			return refuse(errInvalidAction(action, version))
		}
		req := &request{params: params{form}, x: x}
		if !unsigned[action] {
			p, e := s.authenticate(x.r, x.body, sig)
			if e == nil && sig.service != service {
				e = errorf(403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: '%s'. ", service)
			}
			if e != nil {
				return refuse(e)
			}
			req.p = p
		}
		result, e := do(s, req)
		if e != nil {
			return refuse(e)
		}
		return queryAnswer(namespace, action, result)
	}}, true
}

// note keeps what a test may want to know of a call.
func note(c *Call, p params) {
	c.RoleARN, c.SessionName, c.MFASerial, c.HasCode = p.Get("RoleArn"), p.Get("RoleSessionName"), p.Get("SerialNumber"), p.Get("TokenCode") != ""
	c.UserName, c.Policy, c.Description = p.Get("UserName"), p.Get("Policy"), p.Get("ScopedSessionDescription")
	if c.SessionName == "" && p.Get("Action") == "GetFederationToken" {
		c.SessionName = p.Get("Name")
	}
	n, _ := strconv.Atoi(p.Get("DurationSeconds"))
	c.Duration = seconds(n)
}

func queryError(namespace string, e *Error) answer {
	x := xmlError{Xmlns: namespace, RequestID: requestID()}
	x.Error.Type, x.Error.Code, x.Error.Message = "Sender", e.Code, e.Message
	if e.Status >= http.StatusInternalServerError {
		x.Error.Type = "Receiver"
	}
	body, err := xml.MarshalIndent(x, "", "  ")
	if err != nil {
		return answer{status: http.StatusInternalServerError, body: []byte(err.Error())}
	}
	return answer{status: e.Status, contentType: "text/xml", body: append(body, '\n'), err: e}
}

// issuer is a result that hands out credentials.
type issuer interface{ issuedID() string }

func queryAnswer(namespace, action string, result any) answer {
	var b bytes.Buffer
	b.WriteString("<" + action + `Response xmlns="` + namespace + `">` + "\n")
	if result != nil {
		e := xml.NewEncoder(&b)
		e.Indent("  ", "  ")
		if err := e.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: action + "Result"}}); err != nil {
			return answer{status: http.StatusInternalServerError, body: []byte(err.Error())}
		}
		b.WriteByte('\n')
	}
	b.WriteString("  <ResponseMetadata>\n    <RequestId>" + requestID() + "</RequestId>\n  </ResponseMetadata>\n</" + action + "Response>\n")
	a := answer{status: http.StatusOK, contentType: "text/xml", body: b.Bytes()}
	if i, ok := result.(issuer); ok {
		a.issued = i.issuedID()
	}
	return a
}

func requestID() string {
	h := strings.ToLower(randomText(32, "0123456789ABCDEF"))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
