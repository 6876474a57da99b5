package profile

import (
	"slices"
	"strconv"
	"strings"
)

// resolved puts together what the walk found.
func (w *walker) resolved() (*Resolved, error) {
	endpoints, err := w.endpoints()
	if err != nil {
		return nil, err
	}
	at, e := w.inheritedEntry(0, "mfa_process")
	mfaProcess := w.obey(at, "mfa_process", e)
	if w.refused != nil {
		return nil, w.refused
	}
	last := len(w.views) - 1
	r := &Resolved{
		Name: w.views[0].name, Profile: w.views[0].name, Source: w.source,
		MFAProcess: mfaProcess, Chain: w.chain(), Warnings: w.warnings,
		Region: firstOf(w.options.Region, w.inherited(0, "region"), w.envRegion("")),
	}
	r.Source.Endpoints = endpoints[last]
	for _, v := range w.passedOver {
		r.Source.Region = firstOf(r.Source.Region, v.get("region"))
	}
	r.Source.MFASerial = w.serial(0)
	r.Source.NoMFA = w.options.MFASerial == noMFA
	for i := 1; i <= last && w.views[i].aliasOf; i++ {
		r.Profile = w.views[i].name
	}
	if r.DurationSeconds, err = w.duration(0); err != nil {
		return nil, err
	}
	if r.Confirm, err = w.word("confirm", ConfirmAlways, Confirm15m); err != nil {
		return nil, err
	}
	if r.Agent, err = w.word("agent", AgentWords...); err != nil {
		return nil, err
	}
	for i := last; i >= 0; i-- {
		if !w.views[i].isRole {
			continue
		}
		role, err := w.role(i, endpoints[i])
		if err != nil {
			return nil, err
		}
		r.Roles = append(r.Roles, role)
	}
	if w.options.RoleARN != "" {
		if err := w.replaceRole(r, endpoints[0]); err != nil {
			return nil, err
		}
	}
	if err := w.narrow(r); err != nil {
		return nil, err
	}
	w.placeSource(r)
	if n := len(r.Roles); n > 0 && w.options.Region != "" {
		r.Roles[n-1].Region = w.options.Region
	}
	return r, nil
}

// placeSource gives the source a region if its profile has none.
func (w *walker) placeSource(r *Resolved) {
	s := &r.Source
	arn := firstOf(s.LoginSession, s.MFASerial)
	if len(r.Roles) > 0 {
		arn = r.Roles[0].RoleARN
	}
	if s.WebIdentity != nil {
		arn = s.WebIdentity.RoleARN
		if len(r.Roles) == 0 && w.options.Region != "" {
			s.Region = w.options.Region // this call is the answer
		}
	}
	s.Region = firstOf(s.Region, w.envRegion(arn))
}

// envRegion is the environment's region, unless the ARN is known to lie in
// another partition: what the shell says of other work must not send a role
// of GovCloud to the commercial endpoint.
func (w *walker) envRegion(arn string) string {
	region := firstOf(w.env("AWS_REGION"), w.env("AWS_DEFAULT_REGION"))
	if part := partitionOfARN(arn); part != "" && part != PartitionOf(region) {
		return ""
	}
	return region
}

// noMFA is the --mfa-serial that means no MFA at all.
const noMFA = "none"

// aliasStart is the first of the profiles that stand for the one at i.
func (w *walker) aliasStart(i int) int {
	for i > 0 && w.views[i].aliasOf {
		i--
	}
	return i
}

// inherited is the profile's own value, else the one of its source profile,
// and so on: the rule for mfa_serial, mfa_process and region.
func (w *walker) inherited(i int, key string) string {
	_, e := w.inheritedEntry(i, key)
	return e.text
}

// inheritedEntry also gives the profile that says it.
func (w *walker) inheritedEntry(i int, key string) (*view, entry) {
	for _, v := range slices.Concat(w.views[w.aliasStart(i):], w.passedOver) {
		if e := v.entry(key); e.text != "" {
			return v, e
		}
	}
	return w.views[i], entry{}
}

// word is the value of a key, the profile's own or else its source's, that has
// to be one of a few words; "" if there is none.
func (w *walker) word(key string, allowed ...string) (string, error) {
	for _, v := range slices.Concat(w.views, w.passedOver) {
		switch s := v.get(key); {
		case slices.Contains(allowed, s):
			return s, nil
		case s != "":
			err := v.errorf(key, ErrMalformed, "%s = %s is not understood", key, s)
			err.Remedy = "write one of " + strings.Join(allowed, ", ")
			return "", err
		}
	}
	return "", nil
}

// serial is the effective MFA serial of the profile at i.
func (w *walker) serial(i int) string {
	switch w.options.MFASerial {
	case "":
		return w.inherited(i, "mfa_serial")
	case noMFA:
		return ""
	}
	return w.options.MFASerial
}

// aliased is the value of the profile at i or of those that stand for it.
func (w *walker) aliased(i int, key string) (*view, string) {
	for _, v := range w.views[w.aliasStart(i) : i+1] {
		if s := v.get(key); s != "" {
			return v, s
		}
	}
	return w.views[i], ""
}

// duration reads duration_seconds; AWS's bounds are the plan's affair.
func (w *walker) duration(i int) (int, error) {
	if i == 0 { // the profile asked for: also what it stands for
		for i+1 < len(w.views) && w.views[i+1].aliasOf {
			i++
		}
	}
	v, s := w.aliased(i, "duration_seconds")
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return 0, v.errorf("duration_seconds", ErrMalformed, "duration_seconds %q is not a number of seconds", s)
	}
	return n, nil
}

// role reads the AssumeRole settings of the profile at i.
func (w *walker) role(i int, e Endpoints) (Role, error) {
	v := w.views[i]
	role := Role{Profile: v.name, RoleARN: v.get("role_arn")}
	if !isRoleARN(role.RoleARN) {
		return role, v.errorf("role_arn", ErrMalformed, "role_arn %q is not the ARN of a role", role.RoleARN)
	}
	return role, w.fillRole(&role, i, e)
}

// fillRole sets everything but the profile's name and the ARN.
func (w *walker) fillRole(role *Role, i int, e Endpoints) (err error) {
	v := w.views[i]
	role.ExternalID = v.get("external_id")
	_, role.SessionName = w.aliased(i, "role_session_name")
	role.MFASerial = w.serial(i)
	role.Region = firstOf(w.inherited(i, "region"), w.envRegion(role.RoleARN))
	role.Endpoints = e
	if role.DurationSeconds, err = w.duration(i); err != nil {
		return err
	}
	if err := w.tag(role, i); err != nil {
		return err
	}
	role.SessionPolicy, err = w.sessionPolicy(w.aliasStart(i), i)
	return err
}

// replaceRole puts --role-arn in the place of the profile's role, or on top
// of a profile that has none. The other settings stay the profile's.
func (w *walker) replaceRole(r *Resolved, e Endpoints) error {
	arn, err := ParseRoleARN(w.options.RoleARN, w.partition(r))
	if err != nil {
		return &Error{Profile: r.Name, Err: err}
	}
	if n := len(r.Roles); n > 0 {
		r.Roles[n-1].Profile, r.Roles[n-1].RoleARN = "", arn
		if w.inherited(0, "region") == "" {
			r.Roles[n-1].Region = w.envRegion(arn)
		}
		return nil
	}
	if r.Source.WebIdentity != nil {
		r.Source.WebIdentity.RoleARN = arn
		return nil
	}
	role := Role{RoleARN: arn}
	if err := w.fillRole(&role, 0, e); err != nil {
		return err
	}
	r.Roles = append(r.Roles, role)
	return nil
}

// partition is where a role lies that is named by account and name alone: that
// of the profile's region, else of the role or the device it names.
func (w *walker) partition(r *Resolved) string {
	if region := firstOf(w.options.Region, w.inherited(0, "region")); region != "" {
		return PartitionOf(region)
	}
	arn := r.Source.MFASerial
	if n := len(r.Roles); n > 0 {
		arn = r.Roles[n-1].RoleARN
	} else if r.Source.WebIdentity != nil {
		arn = r.Source.WebIdentity.RoleARN
	}
	return firstOf(partitionOfARN(arn), PartitionOf(r.Region))
}

func (w *walker) env(name string) string {
	if w.options.Getenv == nil {
		return ""
	}
	return w.options.Getenv(name)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
