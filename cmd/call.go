package cmd

import (
	"cmp"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"groat/provider"
	"groat/provider/profile"
)

// callOptions says where a call that belongs to a key's profile goes: the
// profile's own region and endpoints. The profile need not exist, nor hold a
// key yet.
func (a *app) callOptions(name, region string) (provider.CallOptions, error) {
	config, err := a.aws.config()
	if err != nil {
		return provider.CallOptions{}, err
	}
	r, err := config.Resolve(name, profile.ResolveOptions{
		HoldsKey:    func(n string) (bool, error) { return n == name, nil },
		Region:      region,
		Getenv:      a.getenv,
		SelfProfile: selfProfile,
	})
	if err != nil {
		return provider.CallOptions{}, err
	}
	return callTo(a, name, cmp.Or(region, r.Source.Region), r.Source.Endpoints)
}

// callOptionsOf says where a call with a plan's credentials goes: where its
// last step went.
func (a *app) callOptionsOf(plan *planned) (provider.CallOptions, error) {
	region, endpoints := plan.Region, plan.Source.Endpoints
	if n := len(plan.Steps); n > 0 {
		region, endpoints = cmp.Or(plan.Steps[n-1].Region, region), plan.Steps[n-1].Endpoints
	}
	return callTo(a, plan.Profile, region, endpoints)
}

func callTo(a *app, name, region string, endpoints profile.Endpoints) (provider.CallOptions, error) {
	client, err := provider.NewHTTPClient(endpoints.CABundle, a.proxy)
	return provider.CallOptions{Profile: name, Region: region, Endpoints: endpoints, HTTP: client, Now: a.now, Debugf: a.debugf}, err
}

// selfProfile recognises a credential_process line that runs this very
// program, by its name or by its file, and returns the profile it asks for.
// plain says that it asks for nothing else: flags can make it another role,
// another key of another vault.
func selfProfile(line string) (name string, plain, ok bool) {
	words, err := profile.SplitCommand(line)
	if err != nil || len(words) < 3 || !isSelf(words[0]) {
		return "", false, false
	}
	if len(words) == 3 && words[1] == "credential-process" && !strings.HasPrefix(words[2], "-") {
		return words[2], true, true
	}
	other := newApp(nil, Streams{In: strings.NewReader(""), Out: discard{}, Err: discard{}})
	other.settings.path = ""
	command, err := other.parse(words[1:])
	c, is := command.(*credentialProcessCmd)
	if !is || err != nil {
		return "", false, false
	}
	given := other.cli.globals
	given.Prompt, given.NoInput, given.Debug = "", false, false // how to speak, not what to give
	return c.Profile, reflect.ValueOf(c.minting).IsZero() && given == (globals{Backend: autoBackend}), true
}

// isSelf tells by the name first: the file behind a name in PATH costs a
// search, and the one that is asked for is as good as this one.
func isSelf(program string) bool {
	base := strings.TrimSuffix(strings.ToLower(filepath.Base(filepath.ToSlash(program))), ".exe")
	if base == "groat" {
		return true
	}
	if !filepath.IsAbs(program) {
		return false
	}
	self, err := os.Executable()
	if err != nil {
		return false
	}
	mine, err1 := os.Stat(self)
	theirs, err2 := os.Stat(program)
	return err1 == nil && err2 == nil && os.SameFile(mine, theirs)
}

type discard struct{}

// Write drops what a line that is only read would have printed.
func (discard) Write(p []byte) (int, error) { return len(p), nil }
