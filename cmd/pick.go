package cmd

import (
	"context"
	"maps"
	"slices"
	"time"
)

// pickable are all profiles, those used last first: when a profile was used
// is known from when its newest session was issued.
func (a *app) pickable(ctx context.Context) ([]string, error) {
	names, err := a.profileNames(ctx)
	if err != nil {
		return nil, err
	}
	helpers, err := a.aws.helpers()
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return helpers[name] })
	used := map[string]time.Time{}
	vaults, err := a.vaults().Vaults()
	if err != nil {
		return nil, err
	}
	for _, v := range vaults {
		entries, _ := a.vaults().sessions(v).List(ctx) // damaged ones were used long ago
		for _, e := range entries {
			if i := e.Info; i.Issued.After(used[i.Profile]) {
				used[i.Profile] = i.Issued
			}
		}
	}
	slices.SortStableFunc(names, func(x, y string) int { return used[y].Compare(used[x]) })
	return names, nil
}

// profileNames are the names of all profiles, in order: those of the
// configuration and those that only have a stored key.
func (a *app) profileNames(ctx context.Context) ([]string, error) {
	config, err := a.aws.config()
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, name := range config.Names() {
		names[name] = true
	}
	all, err := a.vaults().All(ctx)
	if err != nil {
		return nil, err
	}
	if all.Lost != nil {
		a.warn(all.Lost.Error())
	}
	for name := range all.Holders {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}
