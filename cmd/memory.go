package cmd

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"groat/vault/files"
)

// memory remembers words of profiles, each until its time, in a file. A lost
// file means no more than that they are forgotten.
type memory struct{ path string }

// memoryFile maps a profile to its words, each with the end of the memory.
type memoryFile map[string]map[string]time.Time

const (
	mintedMemory = 12 * time.Hour
	maxMemory    = 4 << 20 // bytes
)

// mintedRoles are the roles that were minted from a profile's key, for
// `revoke`: by name, for a while longer than their sessions last, and also
// past `clear`.
func (p *paths) mintedRoles() memory {
	return memory{filepath.Join(p.state, "roles.json")}
}

// consents remembers what people said yes to, in a file of the same kind.
func (p *paths) consents() memory {
	return memory{filepath.Join(p.state, "consents.json")}
}

// assumed is told of every role that is minted.
func (v *vaults) assumed(keyProfile, roleARN string, expiration time.Time) {
	if keyProfile == "" {
		return
	}
	if err := v.paths.mintedRoles().note(keyProfile, roleARN, expiration.Add(mintedMemory), v.now()); err != nil {
		v.debugf("could not remember that role %s was minted: %v", roleARN, err)
	}
}

func (m memory) note(profile, word string, until, now time.Time) error {
	if err := (files.Disk{}).MakeFolder(filepath.Dir(m.path)); err != nil {
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
	for name, words := range f {
		maps.DeleteFunc(words, func(_ string, until time.Time) bool { return until.Before(now) })
		if len(words) == 0 {
			delete(f, name)
		}
	}
	if f[profile] == nil {
		f[profile] = map[string]time.Time{}
	}
	f[profile][word] = until.UTC().Truncate(time.Second)
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return files.Disk{Volatile: true}.Write(m.path, data)
}

// read takes a file that others may have written, or put there, for a lost one.
func (m memory) read() memoryFile {
	f, _ := m.load()
	return f
}

// load also says why a file that is there counts for nothing.
func (m memory) load() (memoryFile, error) {
	err := (files.Disk{}).CheckFolder(filepath.Dir(m.path))
	if err == nil {
		var data []byte
		f := memoryFile{}
		if data, err = files.Read(m.path, maxMemory, files.Private); err == nil && json.Unmarshal(data, &f) == nil && f != nil {
			return f, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return memoryFile{}, err
}

// holds reports a word whose time is not over. None was noted for longer than
// most: where it seems so, the clock was set back.
func (m memory) holds(profile, word string, most time.Duration, now time.Time) bool {
	until, noted := m.read()[profile][word]
	left := until.Sub(now)
	return noted && left > 0 && left <= most
}

// of are the roles that were minted from the profiles' keys and may live.
func (m memory) of(profiles []string, now time.Time) []string {
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
