package provider

import (
	"context"
	"slices"
	"strconv"

	"groat/session"
)

// keyVersion changes when the meaning of a field below changes, so that old
// entries are never taken for new ones.
const keyVersion = "groat-1"

// request describes step i to the cache: its key is a hash over everything
// that decides whose credentials these are and what they may do.
func (r *run) request(i int) session.Request {
	p, step := r.plan, &r.plan.Steps[i]
	source := sourceOf(p.Source.Kind)
	root := append([]string{string(source.kind)}, source.identity(r.m, p)...)
	fields := append([]string{keyVersion}, list(root)...)
	for j := range i + 1 {
		fields = append(fields, stepIdentity(&p.Steps[j], j == i)...)
	}
	info := session.Info{Kind: p.kept(i), Profile: step.Profile, RoleARN: p.roleARN(i)}
	if isLongLived(&p.Source) {
		info.KeyProfile = p.Source.Profile
	}
	for j := range i + 1 {
		if serial := p.Steps[j].MFASerial; serial != "" {
			info.MFASerial = serial
		}
	}
	return session.Request{
		Key:  session.NewKey(fields...),
		Info: info,
		Asks: func(ctx context.Context) bool { return r.asks(ctx, i) },
	}
}

// asks reports whether minting step i would ask somebody for a token code or
// a sign-in: in its own call, or because what it is minted from is not there
// either.
func (r *run) asks(ctx context.Context, i int) bool {
	if r.asksItself(ctx, i) {
		return true
	}
	if i == 0 {
		return false
	}
	if r.plan.kept(i-1) != "" {
		if _, ok, err := r.m.Cache.Get(ctx, r.request(i-1)); ok && err == nil {
			return false
		}
	}
	return r.asks(ctx, i-1)
}

func (r *run) asksItself(ctx context.Context, i int) bool {
	step := &r.plan.Steps[i]
	if source := sourceOf(r.plan.Source.Kind); step.Operation == source.operation && source.signIn != nil {
		return source.signIn(r.m, CallOptions{Endpoints: step.Endpoints}, &r.plan.Source, r.plan.Profile).asks(ctx)
	}
	return step.MFASerial != ""
}

// stepIdentity is what one call asks for. The duration counts for the step
// itself only: a role is no other for having been assumed from a session
// that lives longer.
func stepIdentity(step *Step, itself bool) []string {
	where, _ := endpointFor(serviceSTS, step.Region, step.Endpoints)
	fields := []string{
		string(step.Operation), step.MFASerial, step.Region, step.Partition, where.url,
		strconv.FormatBool(step.Endpoints.FIPS), strconv.FormatBool(step.Endpoints.DualStack),
	}
	if itself {
		fields = append(fields, step.Duration.String())
	}
	if step.Operation == OpScoped {
		fields = append(fields, step.Policy, step.Description)
	}
	if step.Agent != "" { // what an agent got is never a person's, nor the other way round
		fields = append(fields, "agent", step.Agent)
	}
	if role := step.Role; role != nil {
		fields = append(fields, role.RoleARN, role.ExternalID, role.SessionName, role.SourceIdentity, step.Policy)
		for _, tag := range role.Tags {
			fields = append(fields, tag.Key, tag.Value)
		}
		fields = append(fields, strconv.Itoa(len(role.Tags)))
		fields = append(fields, list(slices.Sorted(slices.Values(role.TransitiveTags)))...)
		fields = append(fields, list(step.PolicyARNs)...)
	}
	return list(fields)
}

// list puts the number of fields before them, so that two lists in a row
// cannot be read as two others.
func list(fields []string) []string {
	return append([]string{strconv.Itoa(len(fields))}, fields...)
}
