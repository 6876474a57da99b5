package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"groat/provider/profile"
	"groat/vault/accesskey"
)

// credentialsFile is the AWS shared credentials file with keys in the clear.
type credentialsFile struct {
	a       *app
	path    string
	named   bool // by --source-dir: it has to be there
	deletes bool
	file    *profile.Config
}

// keyLines are the keys of a credentials file that make up a long-lived key.
var keyLines = []string{"aws_access_key_id", "aws_secret_access_key"}

func (c *importCmd) openCredentialsFile(a *app) keySource {
	path := a.paths.awsKeys
	if c.SourceDir != "" {
		path = filepath.Join(c.SourceDir, "credentials")
	}
	return &credentialsFile{a: a, path: path, named: c.SourceDir != "", deletes: c.DeleteSource && !c.DryRun}
}

func (s *credentialsFile) place() string { return s.path }
func (s *credentialsFile) close() error  { return nil }

func (s *credentialsFile) profiles(context.Context) ([]string, error) {
	if _, err := os.Stat(s.path); err != nil && s.named {
		return nil, fmt.Errorf("could not read the keys: %w", errors.Join(profile.ErrAccess, err))
	}
	file, err := profile.Load(profile.LoadOptions{CredentialsFile: s.path})
	if err != nil {
		return nil, err
	}
	if err := file.Fatal(); err != nil { // keys under a broken header would be passed over
		return nil, err
	}
	s.file = file
	var names []string
	for _, name := range file.Names() {
		switch {
		case file.Value(name, keyLines[0]) == "" && file.Value(name, keyLines[1]) == "":
		case file.Value(name, "aws_session_token") != "" || file.Value(name, "aws_security_token") != "":
			s.a.say(fmt.Sprintf("%s: temporary credentials in %s are passed over", quote(name), s.path))
		default:
			names = append(names, name)
		}
	}
	return names, nil
}

func (s *credentialsFile) peek(name string) (accesskey.Key, bool) {
	return accesskey.Key{ID: s.file.Value(name, keyLines[0]), Secret: s.file.Value(name, keyLines[1])}, true
}

// key refuses a profile with several keys, of which readers see the last
// alone, where the lines are to be deleted: the others would be lost.
func (s *credentialsFile) key(_ context.Context, name string) (accesskey.Key, error) {
	key, _ := s.peek(name)
	if s.deletes && (s.file.Said(name, keyLines[0]) > 1 || s.file.Said(name, keyLines[1]) > 1) {
		return key, usageError("there are several keys under this name, and --delete-source would delete all of them", "leave one of them in the file")
	}
	return key, nil
}

// delete takes the two lines of each key out, and no other byte. A key that
// somebody changed since it was read stays. No copy of the file is kept.
func (s *credentialsFile) delete(ctx context.Context, keys map[string]accesskey.Key) error {
	for try := 1; ; try++ {
		_, err := profile.EditFile(ctx, s.path, profile.EditOptions{Credentials: true}, func(d *profile.Document) error {
			for name, key := range keys {
				id, _ := d.Get(name, keyLines[0])
				secret, _ := d.Get(name, keyLines[1])
				if id != key.ID || secret != key.Secret {
					return fmt.Errorf("the key of %s was changed meanwhile", quote(name))
				}
				if err := removeLines(d, name); err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, profile.ErrConflict) || try == 3 {
			return err
		}
	}
}

func (s *credentialsFile) preview(ctx context.Context, names []string) (string, error) {
	return profile.EditFile(ctx, s.path, profile.EditOptions{Credentials: true, DryRun: true}, func(d *profile.Document) error {
		for _, name := range names {
			if err := removeLines(d, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func removeLines(d *profile.Document, name string) error {
	for _, line := range keyLines {
		if err := d.Remove(name, line); err != nil {
			return err
		}
	}
	return nil
}
