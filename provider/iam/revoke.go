package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// RevokePolicy is the name of the inline policy that ends sessions, as the
// console names it: a later one takes its place.
const RevokePolicy = "AWSRevokeOlderSessions"

// Revoker ends what was minted from a user's key. To deactivate the key ends
// no session: only a policy that denies those from before does, on the user
// and on every role that was assumed.
type Revoker struct {
	Client
	Clock
	Account, User, KeyID string
	Roles                []string // ARNs of roles that were minted from the key
	KeepKey              bool
	Apply                bool // put the policies; else they are an administrator's to put
	Say                  func(msg string)
}

// Revoke does what is allowed and returns, as commands for a shell, what an
// administrator has to do. The error is that of the key; a policy that was
// refused is among the commands.
func (r Revoker) Revoke(ctx context.Context) (commands []string, err error) {
	document := RevokeSessions(PolicyOptions{Now: r.Now()}).line()
	var left []string
	for _, arn := range r.Roles {
		left = append(left, r.role(ctx, arn, document)...)
	}
	// A bare key has no session that its own policy would end, and signs
	// nothing once it is inactive; with a session it is the other way round.
	bare := r.Credentials.SessionToken == ""
	if bare {
		left = append(left, r.user(ctx, document)...)
	}
	if !r.KeepKey {
		if err = r.deactivate(ctx); err == nil {
			r.Say(fmt.Sprintf("deactivated access key %s of user %s", r.KeyID, r.User))
		} else {
			left = append(left, fmt.Sprintf("aws iam update-access-key --user-name %s --access-key-id %s --status Inactive", r.User, r.KeyID))
		}
	}
	if !bare {
		left = append(left, r.user(ctx, document)...)
	}
	return left, err
}

// line is the document in one line.
func (d Document) line() string {
	data, _ := json.Marshal(d) // strings, lists and maps: it cannot fail
	return string(data)
}

// role puts the policy on one role, where it is one of this account.
func (r Revoker) role(ctx context.Context, arn, document string) []string {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	part := strings.SplitN(arn, ":", 6)
	command := fmt.Sprintf("aws iam put-role-policy --role-name %s --policy-name %s --policy-document '%s'", name, RevokePolicy, document)
	if len(part) != 6 || part[4] != r.Account {
		return []string{command + " # in account " + strings.Join(part[min(4, len(part)-1):min(5, len(part))], "")}
	}
	if !r.Apply {
		return []string{command}
	}
	_, err := r.putRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(RevokePolicy), PolicyDocument: &document})
	if err != nil {
		r.Say(err.Error())
		return []string{command}
	}
	r.Say("ended the sessions of role " + arn)
	return nil
}

func (r Revoker) user(ctx context.Context, document string) []string {
	command := fmt.Sprintf("aws iam put-user-policy --user-name %s --policy-name %s --policy-document '%s'", r.User, RevokePolicy, document)
	if !r.Apply {
		return []string{command}
	}
	_, err := r.putUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: &r.User, PolicyName: aws.String(RevokePolicy), PolicyDocument: &document})
	if err != nil {
		if slices.Contains([]string{"InvalidClientTokenId", "ExpiredToken"}, code(err)) {
			err = errors.New("AWS ended the session together with the key, so the policy could not be put on the user")
		}
		r.Say(err.Error())
		return []string{command}
	}
	r.Say("ended the sessions of user " + r.User)
	return nil
}

func (r Revoker) deactivate(ctx context.Context) error {
	_, err := r.updateAccessKey(ctx, &awsiam.UpdateAccessKeyInput{UserName: &r.User, AccessKeyId: &r.KeyID, Status: types.StatusTypeInactive})
	return err
}
