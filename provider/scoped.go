package provider

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"groat/session"
)

// scopedCredentials calls sts:GetScopedCredentials: the same identity, with
// what the policy allows of what the parent may.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetScopedCredentials.html
func (r *run) scopedCredentials(ctx context.Context, o CallOptions, parent session.Credentials, step *Step, _ string) (session.Credentials, error) {
	if parent.SessionToken == "" {
		return session.Credentials{}, cannotNarrow(r.plan.Profile,
			fmt.Sprintf("cannot be narrowed: %s gave a long-lived access key, which can always do everything that its user can", SourceWords(r.plan.Source.Kind)),
			storeKey)
	}
	form := url.Values{
		"Action": {string(OpScoped)}, "Version": {"2011-06-15"},
		"Policy": {step.Policy}, "ScopedSessionDescription": {step.Description},
	}
	// More than is left is refused; without a wish it is what is left.
	if left := parent.Expiration.Sub(r.m.now()); step.Duration != 0 && (step.Duration < left || parent.Expiration.IsZero()) {
		form.Set("DurationSeconds", strconv.Itoa(int(step.Duration/time.Second)))
	}
	fail := func(err error) (session.Credentials, error) {
		return session.Credentials{}, o.callError(ctx, "sts:GetScopedCredentials", "", err)
	}
	client, err := o.stsClient(signer(parent), retryAll())
	if err != nil {
		return fail(err)
	}
	o.debugf("calling sts:GetScopedCredentials in %s for profile %q (%d characters of policy)", step.Region, step.Profile, len(step.Policy))
	bounded, cancel := o.bounded(ctx)
	defer cancel()
	out, err := client.GetSessionToken(bounded, nil, func(so *sts.Options) { so.APIOptions = append(so.APIOptions, scoped{form}.install) })
	if err != nil {
		return fail(err)
	}
	return credentialsFrom(out.Credentials, parent.AccountID, fail)
}

// scoped makes the SDK's GetSessionToken a GetScopedCredentials, which it does
// not know yet: another form goes out, and the answer, whose Credentials are
// the same, is read under the other's name. Signing, retries, endpoints and
// the errors of AWS are the SDK's.
type scoped struct{ form url.Values }

func (s scoped) install(stack *middleware.Stack) error {
	if err := stack.Serialize.Add(middleware.SerializeMiddlewareFunc("ScopedForm", s.send), middleware.After); err != nil {
		return err
	}
	return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc("ScopedAnswer", s.receive), "OperationDeserializer", middleware.After)
}

func (s scoped) send(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, m middleware.Metadata, err error) {
	request, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, m, fmt.Errorf("request of type %T", in.Request)
	}
	if in.Request, err = request.SetStream(strings.NewReader(s.form.Encode())); err != nil {
		return out, m, err
	}
	return next.HandleSerialize(ctx, in)
}

func (s scoped) receive(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, m, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode >= 300 {
		return out, m, err
	}
	answer, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	// …Response and …Result.
	answer = bytes.ReplaceAll(answer, []byte(OpScoped+"Res"), []byte(OpGetSessionToken+"Res"))
	response.Body = io.NopCloser(bytes.NewReader(answer))
	return out, m, err
}
