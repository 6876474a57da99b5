package provider

import (
	"context"
	"slices"
	"strconv"

	"groat/provider/profile"
	"groat/session"
)

// keyVersion changes when the meaning of a field below changes, so that old
// entries are never taken for new ones.
const keyVersion = "groat-1"

// request describes step i to the cache: its key is a hash over everything
// that decides whose credentials these are and what they may do.
func (r *run) request(i int) session.Request {
	p, step := r.plan, &r.plan.Steps[i]
	fields := append([]string{keyVersion}, r.m.rootIdentity(p)...)
	for j := range i + 1 {
		fields = append(fields, stepIdentity(&p.Steps[j], j == i)...)
	}
	info := session.Info{Kind: sessionKind(step.Operation), Profile: step.Profile}
	if isLongLived(&p.Source) {
		info.KeyProfile = p.Source.Profile
	}
	if step.Role != nil {
		info.RoleARN = step.Role.RoleARN
	} else if w := p.Source.WebIdentity; w != nil {
		info.RoleARN = w.RoleARN
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
	if isCached(r.plan.Steps[i-1].Operation) {
		if _, ok, err := r.m.Cache.Get(ctx, r.request(i-1)); ok && err == nil {
			return false
		}
	}
	return r.asks(ctx, i-1)
}

func (r *run) asksItself(ctx context.Context, i int) bool {
	if r.plan.Steps[i].Operation == OpSSO {
		return (&signOn{m: r.m, o: CallOptions{Endpoints: r.plan.Steps[i].Endpoints}, sso: r.plan.Source.SSO}).asks(ctx)
	}
	if r.plan.Steps[i].Operation == OpLogin {
		return (&login{m: r.m, o: CallOptions{Endpoints: r.plan.Steps[i].Endpoints}, arn: r.plan.Source.LoginSession}).asks(ctx)
	}
	return r.plan.Steps[i].MFASerial != ""
}

// isLongLived reports whether a source is a long-lived access key.
func isLongLived(s *profile.Source) bool {
	return s.Kind == profile.SourceKey || (s.Kind == profile.SourceStatic && s.Static.SessionToken == "")
}

// isCached reports whether an operation's result is kept: what lies in the
// environment or in a file already would gain nothing.
func isCached(op Operation) bool {
	switch op {
	case OpKey, OpStatic, OpEnvironment:
		return false
	}
	return true
}

// sessionKind is what `list` calls the result of an operation.
func sessionKind(op Operation) string {
	switch op {
	case OpGetSessionToken:
		return session.KindSessionToken
	case OpAssumeRole:
		return session.KindAssumedRole
	case OpSSO:
		return session.KindSSO
	case OpLogin:
		return session.KindLogin
	case OpWebIdentity:
		return session.KindWebIdentity
	}
	return session.KindProcess
}

// rootIdentity says whose credentials a chain begins with. A key's secret is
// not needed for it, so that a warm cache opens no key: the generation
// changes whenever a key is stored.
func (m *Minter) rootIdentity(p *Plan) []string {
	s := &p.Source
	fields := []string{string(s.Kind)}
	switch s.Kind {
	case profile.SourceKey:
		fields = append(fields, p.Card.KeyID, p.Card.Generation)
	case profile.SourceStatic:
		fields = append(fields, s.Static.AccessKeyID, strconv.FormatBool(s.Static.SessionToken == ""))
	case profile.SourceSSO:
		fields = append(append(fields, ssoIdentity(s.SSO, p.Steps[0].Endpoints)...), s.SSO.AccountID, s.SSO.RoleName)
	case profile.SourceLogin:
		fields = append(fields, loginIdentity(s.LoginSession, p.Steps[0].Endpoints)...)
	case profile.SourceWebIdentity:
		w := s.WebIdentity
		fields = append(fields, w.TokenFile, w.TokenProcess, w.RoleARN, w.SessionName, w.Policy)
		fields = append(fields, list(w.PolicyARNs)...)
	case profile.SourceProcess:
		fields = append(fields, s.Profile, s.Process)
	case profile.SourceEnvironment:
		fields = append(fields, m.getenv("AWS_ACCESS_KEY_ID"))
	case profile.SourceEC2:
		fields = append(fields, m.Machine, m.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"))
	case profile.SourceECS:
		fields = append(fields, m.Machine, m.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"), m.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"))
	}
	return list(fields)
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
	if role := step.Role; role != nil {
		fields = append(fields, role.RoleARN, role.ExternalID, role.SessionName, role.SourceIdentity, role.Policy)
		for _, tag := range role.Tags {
			fields = append(fields, tag.Key, tag.Value)
		}
		fields = append(fields, strconv.Itoa(len(role.Tags)))
		fields = append(fields, list(slices.Sorted(slices.Values(role.TransitiveTags)))...)
		fields = append(fields, list(role.PolicyARNs)...)
	}
	return list(fields)
}

// list puts the number of fields before them, so that two lists in a row
// cannot be read as two others.
func list(fields []string) []string {
	return append([]string{strconv.Itoa(len(fields))}, fields...)
}
