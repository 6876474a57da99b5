package ststest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// jsonAnswer is a 200 of the services that speak JSON.
func jsonAnswer(v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		return answer{status: http.StatusInternalServerError, body: []byte(err.Error())}
	}
	return answer{status: http.StatusOK, contentType: "application/json", body: body}
}

// jsonError words an error as IAM Identity Center does: the type in a header,
// the message in the body; OIDC's own two members when it has them.
func jsonError(e *Error) answer {
	members := map[string]string{"message": e.Message}
	if e.OAuth != "" {
		members = map[string]string{"error": e.OAuth, "error_description": e.Message}
	}
	a := jsonAnswer(members)
	a.status, a.err, a.header = e.Status, e, map[string]string{"X-Amzn-Errortype": e.Code}
	return a
}

// decode reads a JSON body; nothing in it is no error of its own.
func decode(body []byte, into any) *Error {
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return oauth(400, "InvalidRequestException", "invalid_request", "The request body is not JSON")
	}
	return nil
}

func oauth(status int, code, name, description string) *Error {
	return &Error{Status: status, Code: code, OAuth: name, Message: description}
}
