package iam

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"groat/provider"
	"groat/vault/fault"
)

// preflight looks at the user's keys, says who uses the current one, and
// returns the other one where it is to be deleted.
func (w *rotation) preflight(ctx context.Context) (spare string, err error) {
	current, err := w.Keys.Key(ctx, w.Profiles[0])
	if err != nil {
		return "", err
	}
	w.Old = current.ID
	keys, err := w.list(ctx)
	if err != nil {
		return "", err
	}
	old := find(keys, w.Old)
	if old == nil {
		return "", fault.New(fmt.Sprintf("access key %s of profile %q does not belong to user %s", w.Old, w.Profiles[0], w.User), "", provider.ErrRefused)
	}
	w.Known = nil
	var others []types.AccessKeyMetadata
	for _, k := range keys {
		w.Known = append(w.Known, aws.ToString(k.AccessKeyId))
		if aws.ToString(k.AccessKeyId) != w.Old {
			others = append(others, k)
		}
	}
	if spare, err = w.spare(ctx, old, others); err != nil {
		return "", err
	}
	if used := w.lastUsed(ctx, w.Old); used != "" {
		w.Say(fmt.Sprintf("access key %s %s; anything else that uses it stops working", w.Old, used))
	}
	return spare, nil
}

// spare is the key that is to make room. No other key is ever deleted.
func (w *rotation) spare(ctx context.Context, old *types.AccessKeyMetadata, others []types.AccessKeyMetadata) (string, error) {
	if w.DeleteKey != "" {
		switch {
		case w.DeleteKey == w.Old:
			return "", fault.New(fmt.Sprintf("access key %s is the current one of profile %q", w.Old, w.Profiles[0]), "rotate without --delete-key replaces it", provider.ErrRefused)
		case find(others, w.DeleteKey) == nil:
			return "", fault.New(fmt.Sprintf("user %s has no access key %s", w.User, w.DeleteKey), "", provider.ErrRefused)
		}
		return w.DeleteKey, nil
	}
	if len(others) == 0 {
		return "", nil
	}
	other := others[0]
	id := aws.ToString(other.AccessKeyId)
	if w.DeleteInactive && other.Status == types.StatusTypeInactive {
		return id, nil
	}
	hint := fmt.Sprintf("if nobody needs %s: groat rotate %s --delete-key %s", id, w.Named, id)
	if other.Status == types.StatusTypeInactive {
		hint = "to delete the inactive one and rotate: groat rotate " + w.Named + " --delete-inactive"
	}
	return "", fault.New(fmt.Sprintf("user %s has two access keys, and AWS allows no third: %s and %s", w.User, describe(*old, w.lastUsed(ctx, w.Old)), describe(other, w.lastUsed(ctx, id))), hint, provider.ErrRefused)
}

func describe(k types.AccessKeyMetadata, used string) string {
	s := fmt.Sprintf("%s (%s, made on %s", aws.ToString(k.AccessKeyId), strings.ToLower(string(k.Status)), day(aws.ToTime(k.CreateDate)))
	if used != "" {
		s += ", " + used
	}
	return s + ")"
}

// lastUsed is best effort: many policies do not allow the question.
func (w *rotation) lastUsed(ctx context.Context, id string) string {
	out, err := w.client.getAccessKeyLastUsed(ctx, &awsiam.GetAccessKeyLastUsedInput{AccessKeyId: &id})
	if err != nil || out.AccessKeyLastUsed == nil {
		return ""
	}
	used := out.AccessKeyLastUsed
	if used.LastUsedDate == nil {
		return "was never used"
	}
	return fmt.Sprintf("was last used %s by %s in %s", used.LastUsedDate.UTC().Format("2006-01-02 15:04 UTC"), aws.ToString(used.ServiceName), aws.ToString(used.Region))
}

func (w *rotation) list(ctx context.Context) ([]types.AccessKeyMetadata, error) {
	in := &awsiam.ListAccessKeysInput{UserName: &w.User}
	var all []types.AccessKeyMetadata
	for {
		out, err := w.client.listAccessKeys(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.AccessKeyMetadata...)
		if !out.IsTruncated || aws.ToString(out.Marker) == "" {
			return all, nil
		}
		in.Marker = out.Marker
	}
}

func find(keys []types.AccessKeyMetadata, id string) *types.AccessKeyMetadata {
	for i := range keys {
		if aws.ToString(keys[i].AccessKeyId) == id {
			return &keys[i]
		}
	}
	return nil
}
