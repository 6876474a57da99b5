package provider

import (
	"context"
	"slices"
	"strconv"

	"groat/provider/profile"
	"groat/session"
)

// Operation is what a step calls.
type Operation string

// The operations of a plan.
const (
	OpGetSessionToken Operation = "GetSessionToken"
	OpAssumeRole      Operation = "AssumeRole"
	OpWebIdentity     Operation = "AssumeRoleWithWebIdentity"
	OpSSO             Operation = "GetRoleCredentials"
	OpLogin           Operation = "CreateOAuth2Token"
	OpProcess         Operation = "credential_process"
	OpEnvironment     Operation = "Environment"
	OpEC2             Operation = "Ec2InstanceMetadata"
	OpECS             Operation = "EcsContainer"
	OpKey             Operation = "LongLivedKey" // --no-session without a role: the bare key
	OpStatic          Operation = "StaticKey"    // plaintext session credentials used as they are
	OpScoped          Operation = "GetScopedCredentials"
)

// source is all that tells one kind of source from another. Whoever has to
// know looks it up here, so that a new kind is a row and a file.
type source struct {
	kind      profile.SourceKind
	words     string    // for a person
	operation Operation // of the step that has its credentials

	// kept is what `list` calls cached results. What is in the environment or
	// in a file already would gain nothing: "".
	kept    string
	user    bool // the credentials may be an IAM user's, who may own an MFA device
	console bool // AWS takes a duration of the console session for them
	// sdkKeys are the keys of a profile's section by which SDKs find it.
	sdkKeys []string

	// plan adds the steps.
	plan func(*planner) error
	// identity says whose credentials these are. A stored key's secret is not
	// needed for it, so that a warm cache opens no key.
	identity func(*Minter, *Plan) []string
	// line is the line of the configuration that is run for it; nil: none.
	line func(*profile.Source) string
	// signIn is where somebody signs in for it; nil: nowhere.
	signIn func(m *Minter, o CallOptions, s *profile.Source, profile string) signInService
	// fetch gets the credentials.
	fetch func(*run, context.Context, *Step) (session.Credentials, error)
}

// sources is the table: a function, as its rows' functions look into it.
func sources() []source {
	return []source{
		{
			kind: profile.SourceKey, words: "an access key in the vault", operation: OpKey,
			user: true,
			plan: (*planner).fromStoredKey,
			// The generation changes whenever a key is stored.
			identity: func(_ *Minter, p *Plan) []string { return []string{p.Card.KeyID, p.Card.Generation} },
			fetch:    (*run).rootKey,
		},
		{
			kind: profile.SourceStatic, words: "a plaintext key", operation: OpStatic,
			user: true, sdkKeys: []string{"aws_access_key_id"},
			plan: (*planner).fromPlaintext,
			identity: func(_ *Minter, p *Plan) []string {
				s := p.Source.Static
				return []string{s.AccessKeyID, strconv.FormatBool(s.SessionToken == "")}
			},
			fetch: (*run).rootKey,
		},
		{
			kind: profile.SourceProcess, words: "the credential process", operation: OpProcess,
			kept: session.KindProcess, user: true, sdkKeys: []string{"credential_process"},
			plan:     (*planner).fromOthers,
			identity: func(_ *Minter, p *Plan) []string { return []string{p.Source.Profile, p.Source.Process} },
			line:     func(s *profile.Source) string { return s.Process },
			fetch:    (*run).credentialProcess,
		},
		{
			kind: profile.SourceSSO, words: "IAM Identity Center", operation: OpSSO,
			kept: session.KindSSO, sdkKeys: []string{"sso_session", "sso_start_url"},
			plan: func(b *planner) error {
				return b.fromFetched(Step{Region: b.resolved.Source.SSO.Region})
			},
			identity: func(_ *Minter, p *Plan) []string {
				s := p.Source.SSO
				return append(ssoIdentity(s, p.Steps[0].Endpoints), s.AccountID, s.RoleName)
			},
			signIn: func(m *Minter, o CallOptions, s *profile.Source, profile string) signInService {
				return &signOn{m: m, o: o, sso: s.SSO, profile: profile}
			},
			fetch: (*run).singleSignOn,
		},
		{
			kind: profile.SourceLogin, words: "AWS Sign-In", operation: OpLogin,
			kept: session.KindLogin, sdkKeys: []string{"login_session"},
			plan: func(b *planner) error {
				region, _ := place(b.resolved.Source.Region, b.resolved.Source.LoginSession)
				return b.fromFetched(Step{Region: region})
			},
			identity: func(_ *Minter, p *Plan) []string { return loginIdentity(p.Source.LoginSession, p.Steps[0].Endpoints) },
			signIn: func(m *Minter, o CallOptions, s *profile.Source, profile string) signInService {
				return &login{m: m, o: o, arn: s.LoginSession, profile: profile}
			},
			fetch: (*run).login,
		},
		{
			kind: profile.SourceWebIdentity, words: "the web identity provider", operation: OpWebIdentity,
			kept: session.KindWebIdentity, console: true, sdkKeys: []string{"web_identity_token_file"},
			plan: (*planner).fromWebIdentity,
			identity: func(_ *Minter, p *Plan) []string {
				w := p.Source.WebIdentity
				return append([]string{w.TokenFile, w.TokenProcess, w.RoleARN, w.SessionName, w.Policy}, list(w.PolicyARNs)...)
			},
			line:  func(s *profile.Source) string { return s.WebIdentity.TokenProcess },
			fetch: (*run).webIdentity,
		},
		{
			kind: profile.SourceEnvironment, words: "the environment", operation: OpEnvironment,
			user:     true,
			plan:     (*planner).fromOthers,
			identity: func(m *Minter, _ *Plan) []string { return []string{m.getenv("AWS_ACCESS_KEY_ID")} },
			fetch:    (*run).environment,
		},
		{
			kind: profile.SourceEC2, words: "the EC2 instance profile", operation: OpEC2,
			kept: session.KindProcess,
			plan: (*planner).fromOthers,
			identity: func(m *Minter, _ *Plan) []string {
				return []string{m.machine(), m.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")}
			},
			fetch: (*run).instance,
		},
		{
			kind: profile.SourceECS, words: "the container's task role", operation: OpECS,
			kept: session.KindProcess,
			plan: (*planner).fromOthers,
			identity: func(m *Minter, _ *Plan) []string {
				return []string{m.machine(), m.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"), m.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")}
			},
			fetch: (*run).container,
		},
		{
			kind: profile.SourceNone, words: "no key",
			plan:     func(b *planner) error { return noKeyError(b.resolved) },
			identity: func(*Minter, *Plan) []string { return nil },
			fetch: func(r *run, _ context.Context, _ *Step) (session.Credentials, error) {
				return session.Credentials{}, missingKey(r.plan.Profile, r.plan.Profile)
			},
		},
	}
}

// sourceOf is the row of a kind; one that is not known is none.
func sourceOf(kind profile.SourceKind) source {
	all := sources()
	if i := slices.IndexFunc(all, func(s source) bool { return s.kind == kind }); i >= 0 {
		return all[i]
	}
	return sourceOf(profile.SourceNone)
}

// SourceWords says for a person what kind of source it is.
func SourceWords(kind profile.SourceKind) string { return sourceOf(kind).words }

// SDKKeys are the keys of a profile's section by which SDKs find credentials
// there.
func SDKKeys() []string {
	keys := []string{"role_arn"}
	for _, s := range sources() {
		keys = append(keys, s.sdkKeys...)
	}
	return keys
}

// SignsIn reports whether what a plan may ask for at its beginning is a
// sign-in, not a token code.
func (p *Plan) SignsIn() bool { return sourceOf(p.Source.Kind).signIn != nil }

// call is an operation that the credentials of the step before sign, or the
// long-lived key; all others are a source's.
type call struct {
	kept string // what `list` calls its result
	send func(r *run, ctx context.Context, o CallOptions, parent session.Credentials, step *Step, code string) (session.Credentials, error)
}

var calls = map[Operation]call{
	OpGetSessionToken: {session.KindSessionToken, (*run).getSessionToken},
	OpAssumeRole:      {session.KindAssumedRole, (*run).assumeRole},
	OpScoped:          {session.KindScoped, (*run).scopedCredentials},
}

// kept is what `list` calls the cached result of step i; "" if there is none.
func (p *Plan) kept(i int) string {
	if c, ok := calls[p.Steps[i].Operation]; ok {
		return c.kept
	}
	return sourceOf(p.Source.Kind).kept
}

// roleARN is the role whose credentials step i has; "" if it has no role.
func (p *Plan) roleARN(i int) string {
	if role := p.Steps[i].Role; role != nil {
		return role.RoleARN
	}
	if w := p.Source.WebIdentity; w != nil {
		return w.RoleARN
	}
	return ""
}

// isLongLived reports whether a source is a long-lived access key that is
// stored under the profile's name or in its file.
func isLongLived(s *profile.Source) bool {
	return s.Kind == profile.SourceKey || s.Static != nil && s.Static.SessionToken == ""
}
