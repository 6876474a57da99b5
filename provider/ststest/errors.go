package ststest

import (
	"encoding/xml"
	"fmt"
)

// Error is an error answer of AWS.
type Error struct {
	Status  int
	Code    string
	Message string
	// OAuth is the error by its name in RFC 6749 and RFC 8628, where it has one.
	OAuth string
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

func errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// The refusals that several operations share, in AWS's words.
var (
	errMissingToken  = &Error{Status: 403, Code: "MissingAuthenticationToken", Message: "Request is missing Authentication Token"}
	errInvalidToken  = &Error{Status: 403, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	errExpiredToken  = &Error{Status: 403, Code: "ExpiredToken", Message: "The security token included in the request is expired"}
	errSignature     = &Error{Status: 403, Code: "SignatureDoesNotMatch", Message: "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	errBadCode       = &Error{Status: 403, Code: "AccessDenied", Message: "MultiFactorAuthentication failed with invalid MFA one time pass code. "}
	errBadSerial     = &Error{Status: 403, Code: "AccessDenied", Message: "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."}
	errCodeOrSerial  = &Error{Status: 403, Code: "AccessDenied", Message: "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."}
	errInvalidAction = func(action, version string) *Error {
		return errorf(400, "InvalidAction", "Could not find operation %s for version %s", action, version)
	}
)

// validation is the error for a parameter that does not meet its constraint.
func validation(value, member, constraint string) *Error {
	return errorf(400, "ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, member, constraint)
}

func denied(p *principal, action, resource string) *Error {
	return errorf(403, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", p.arn, action, resource)
}

func deniedExplicitly(p *principal, action, resource string) *Error {
	return errorf(403, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s with an explicit deny in an identity-based policy", p.arn, action, resource)
}

// xmlError is how the query services word an error.
type xmlError struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	Xmlns   string   `xml:"xmlns,attr"`
	Error   struct {
		Type    string
		Code    string
		Message string
	}
	RequestID string `xml:"RequestId"`
}
