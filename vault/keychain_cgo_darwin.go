//go:build cgo && !nokeychain

package vault

import (
	"errors"

	gokeychain "github.com/99designs/go-keychain"
)

// defaultKeychain is the name of our own keychain: its items do not mix with
// the log-in keychain's, and it can be locked by itself.
const defaultKeychain = "groat"

// openKeychain keeps items of the service "groat" in our own keychain. Every
// item trusts this program, so that reading one asks nothing while the
// keychain is unlocked: sessions included.
func openKeychain(cfg Config) (Vault, error) {
	name := cfg.Keychain
	if name == "" {
		name = defaultKeychain
	}
	return newOSVault(cfg, "keychain", newKeychain(cfg, "groat", name)), nil
}

// openForeignKeychain reads another tool's keychain; macOS asks for each item
// whether this program may.
func openForeignKeychain(cfg Config) (foreignStore, error) {
	return foreignItems{newKeychain(cfg, awsVaultName, cfg.Keychain), nil}, nil
}

func newKeychain(cfg Config, service, name string) *keychain {
	calls := systemKeychain{path: name + ".keychain", service: service}
	return &keychain{calls: calls, name: name, timeout: cfg.timeout()}
}

// systemKeychain makes the calls.
type systemKeychain struct{ path, service string }

// status gives the system's own code, as which our constants are compared.
func status(err error) error {
	var code gokeychain.Error
	if errors.As(err, &code) {
		return secStatus(code)
	}
	return err
}

// item is a generic password of ours; all of them where account is empty.
func (s systemKeychain) item(account string) gokeychain.Item {
	i := gokeychain.NewItem()
	i.SetSecClass(gokeychain.SecClassGenericPassword)
	i.SetService(s.service)
	i.SetAccount(account)
	return i
}

// query is item in our keychain alone, whatever the search list.
func (s systemKeychain) query(account string) gokeychain.Item {
	i := s.item(account)
	i.SetMatchSearchList(gokeychain.NewWithPath(s.path))
	return i
}

func (s systemKeychain) exists() error { return status(gokeychain.NewWithPath(s.path).Status()) }

func (s systemKeychain) create() error {
	_, err := gokeychain.NewKeychainWithPrompt(s.path)
	return status(err)
}

func (s systemKeychain) read(account string, secrets bool) ([]keychainEntry, error) {
	q := s.query(account)
	q.SetMatchLimit(gokeychain.MatchLimitOne)
	if account == "" {
		q.SetMatchLimit(gokeychain.MatchLimitAll)
	}
	q.SetReturnAttributes(true)
	q.SetReturnData(secrets)
	results, err := gokeychain.QueryItem(q)
	found := make([]keychainEntry, 0, len(results))
	for _, r := range results {
		found = append(found, keychainEntry{r.Account, r.Data})
	}
	return found, status(err)
}

func (s systemKeychain) add(account string, value []byte) error {
	i := s.item(account)
	label := "groat: " + account
	i.SetLabel(label)
	i.SetData(value)
	i.SetAccessible(gokeychain.AccessibleWhenUnlocked)
	i.SetAccess(&gokeychain.Access{Label: label}) // no list: the program that makes it
	i.UseKeychain(gokeychain.NewWithPath(s.path))
	return status(gokeychain.AddItem(i))
}

// update changes the data alone: to set the access list again would ask.
func (s systemKeychain) update(account string, value []byte) error {
	change := gokeychain.NewItem()
	change.SetData(value)
	return status(gokeychain.UpdateItem(s.query(account), change))
}

func (s systemKeychain) remove(account string) error {
	return status(gokeychain.DeleteItem(s.query(account)))
}
