package ststest

import "time"

// iamOperations are the actions of IAM, each with what every caller has to meet.
var iamOperations = func() map[string]operation {
	all := map[string]operation{}
	for action, do := range map[string]func(*Server, *iamCall) (any, *Error){
		"GetUser":                  (*Server).getUser,
		"ListUsers":                (*Server).listUsers,
		"GetLoginProfile":          (*Server).getLoginProfile,
		"ListAccountAliases":       (*Server).listAccountAliases,
		"ListAccessKeys":           (*Server).listAccessKeys,
		"CreateAccessKey":          (*Server).createAccessKey,
		"UpdateAccessKey":          (*Server).updateAccessKey,
		"DeleteAccessKey":          (*Server).deleteAccessKey,
		"GetAccessKeyLastUsed":     (*Server).getAccessKeyLastUsed,
		"ListMFADevices":           (*Server).listMFADevices,
		"ListVirtualMFADevices":    (*Server).listVirtualMFADevices,
		"CreateVirtualMFADevice":   (*Server).createVirtualMFADevice,
		"EnableMFADevice":          (*Server).enableMFADevice,
		"ResyncMFADevice":          (*Server).resyncMFADevice,
		"DeactivateMFADevice":      (*Server).deactivateMFADevice,
		"DeleteVirtualMFADevice":   (*Server).deleteVirtualMFADevice,
		"GenerateCredentialReport": (*Server).generateCredentialReport,
		"GetCredentialReport":      (*Server).getCredentialReport,
		"GetAccountSummary":        (*Server).getAccountSummary,

		"PutUserPolicy": (*Server).putUserPolicy,
		"PutRolePolicy": (*Server).putRolePolicy,

		"ListServiceSpecificCredentials": (*Server).listServiceSpecificCredentials,
	} {
		all[action] = iamOperation(action, do)
	}
	return all
}()

// iamCall is an IAM call with the user that it is about.
type iamCall struct {
	*request
	action   string
	target   *User
	pageSize int
}

// iamOperation wraps an operation on a user (the caller, or UserName) with
// what IAM asks of every caller.
func iamOperation(action string, do func(*Server, *iamCall) (any, *Error)) operation {
	return func(s *Server, r *request) (any, *Error) {
		c := &iamCall{request: r, action: action, pageSize: s.opts.PageSize}
		if r.p.kind == callerFederated || r.p.kind == callerSession && !r.p.mfa {
			// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
			return nil, errInvalidToken
		}
		name := r.Get("UserName")
		switch {
		case name != "":
			c.target = s.users[r.p.account+"/"+name]
		case r.p.user != nil:
			c.target = r.p.user
		case !accountWide[action]:
			return nil, errorf(400, "ValidationError", "Must specify userName when calling with non-User credentials")
		}
		resource := "*"
		if name != "" {
			resource = "arn:" + partition(r.p.arn) + ":iam::" + r.p.account + ":user/" + name
		} else if c.target != nil && !accountWide[action] {
			resource = c.target.ARN
		}
		if e := s.allow(r.p, "iam:"+action, resource); e != nil {
			return nil, e
		}
		if r.p.user != nil && !r.p.user.admin && !r.p.root && (name != "" && c.target != r.p.user || adminOnly[action]) {
			return nil, denied(r.p, "iam:"+action, resource)
		}
		if name != "" && c.target == nil {
			return nil, noSuch("The user with name %s cannot be found.", name)
		}
		return do(s, c)
	}
}

// accountWide are the operations that are not about one user.
var accountWide = map[string]bool{
	"ListUsers": true, "ListAccountAliases": true, "ListVirtualMFADevices": true, "CreateVirtualMFADevice": true,
	"DeleteVirtualMFADevice": true, "GenerateCredentialReport": true, "GetCredentialReport": true, "GetAccessKeyLastUsed": true,
	"GetAccountSummary": true, "ListServiceSpecificCredentials": true, "PutRolePolicy": true,
}

// adminOnly are the operations that a user may not call for itself.
var adminOnly = map[string]bool{
	"ListUsers": true, "GenerateCredentialReport": true, "GetCredentialReport": true, "GetAccountSummary": true, "ListServiceSpecificCredentials": true,
	"PutUserPolicy": true, "PutRolePolicy": true,
}

func noSuch(format string, args ...any) *Error { return errorf(404, "NoSuchEntity", format, args...) }

// date is how the query services write a time.
func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }
