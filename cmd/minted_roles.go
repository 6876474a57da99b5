package cmd

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"groat/vault/files"
)

// mintedRoles remembers which roles were minted from whose key, for `revoke`:
// by name, for a while longer than their sessions last, and also past `clear`.
// A lost file means a role that is not named, no more.
type mintedRoles struct{ path string }

// mintedFile maps a key's profile to the roles, each with the end of the memory.
type mintedFile map[string]map[string]time.Time

const (
	mintedMemory = 12 * time.Hour
	maxMinted    = 4 << 20 // bytes
)

func (a *app) mintedRoles() mintedRoles {
	return mintedRoles{filepath.Join(a.paths.state, "roles.json")}
}

// assumed is told of every role that is minted.
func (a *app) assumed(keyProfile, roleARN string, expiration time.Time) {
	if keyProfile == "" {
		return
	}
	if err := a.mintedRoles().note(keyProfile, roleARN, expiration.Add(mintedMemory), a.now()); err != nil {
		a.debugf("could not remember that role %s was minted: %v", roleARN, err)
	}
}

func (m mintedRoles) note(keyProfile, roleARN string, until, now time.Time) error {
	if err := os.MkdirAll(filepath.Dir(m.path), 0o700); err != nil {
		return err
	}
	lock := flock.New(m.path+".lock", flock.SetPermissions(0o600))
	if ok, err := lock.TryLock(); err != nil || !ok {
		if err = lock.Lock(); err != nil { // held for one small write
			return err
		}
	}
	defer func() { _ = lock.Unlock() }()
	f := m.read()
	for name, roles := range f {
		maps.DeleteFunc(roles, func(_ string, until time.Time) bool { return until.Before(now) })
		if len(roles) == 0 {
			delete(f, name)
		}
	}
	if f[keyProfile] == nil {
		f[keyProfile] = map[string]time.Time{}
	}
	f[keyProfile][roleARN] = until.UTC().Truncate(time.Second)
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return files.Disk{Volatile: true}.Write(m.path, data)
}

func (m mintedRoles) read() mintedFile {
	f := mintedFile{}
	data, err := files.Read(m.path, maxMinted, files.Private)
	if err != nil || json.Unmarshal(data, &f) != nil || f == nil {
		return mintedFile{}
	}
	return f
}

// of are the roles that were minted from the profiles' keys and may live.
func (m mintedRoles) of(profiles []string, now time.Time) []string {
	var arns []string
	for name, roles := range m.read() {
		for arn, until := range roles {
			if slices.Contains(profiles, name) && now.Before(until) {
				arns = append(arns, arn)
			}
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}
