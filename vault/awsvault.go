package vault

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"sort"
	"sync"

	"groat/vault/accesskey"
	"groat/vault/fault"
)

// AWSVault reads the long-lived keys that aws-vault keeps, to import them.
// Its temporary sessions and OpenID tokens are passed over.
type AWSVault struct {
	backend string
	store   foreignStore
}

// foreignStore is where another tool keeps its items, by its own names. get
// and remove return an error wrapping ErrNotFound for a missing item; get
// returns the data of exactly the item asked for.
type foreignStore interface {
	names(ctx context.Context) ([]string, error)
	get(ctx context.Context, name string) ([]byte, error)
	remove(ctx context.Context, name string) error
	close() error
}

// OpenAWSVault opens aws-vault's items in one backend. The fields of cfg that
// are empty get aws-vault's own defaults; FileDir and Passphrase are the file
// backend's. Nothing is read, asked or dialled before the first call.
func OpenAWSVault(cfg Config) (*AWSVault, error) {
	store, err := openForeign(awsVaultDefaults(cfg))
	if err != nil {
		return nil, &Error{Op: "open", Backend: "aws-vault " + cfg.Backend, Err: err}
	}
	return &AWSVault{backend: cfg.Backend, store: store}, nil
}

// awsVaultName is aws-vault's name for its keychain, prefix, keyring and wallet.
const awsVaultName = "aws-vault"

// awsVaultDefaults fills in where aws-vault looks by itself.
func awsVaultDefaults(cfg Config) Config {
	for field, value := range map[*string]string{
		&cfg.Keychain: awsVaultName, &cfg.KWalletFolder: awsVaultName, &cfg.SecretServiceCollection: "awsvault",
		&cfg.PassPrefix: ".", // the store itself
	} {
		if *field == "" {
			*field = value
		}
	}
	return cfg
}

// openForeign chooses the store by cfg.Backend.
func openForeign(cfg Config) (foreignStore, error) {
	if b, _ := row(cfg.Backend); b.foreign != nil {
		return b.foreign(cfg)
	}
	return nil, because(ErrUnavailable, "aws-vault's items in %q cannot be read on this system", cfg.Backend)
}

func openForeignFile(cfg Config) (foreignStore, error) {
	return newJOSEFiles(cfg.FileDir, cfg.Passphrase), nil
}

// foreignItems is another tool's share of a backend that encrypts by itself.
type foreignItems struct {
	itemStore
	list func(ctx context.Context) ([]string, error) // nil: the store's own
}

func (f foreignItems) names(ctx context.Context) ([]string, error) {
	if f.list != nil {
		return f.list(ctx)
	}
	return f.itemStore.names(ctx, "")
}

// Backend names the backend.
func (a *AWSVault) Backend() string { return a.backend }

// Names lists the profiles for which aws-vault holds a long-lived key,
// sorted. No item is opened.
func (a *AWSVault) Names(ctx context.Context) ([]string, error) {
	all, err := a.store.names(ctx)
	if err != nil {
		return nil, a.failed("names", "", err)
	}
	names := make([]string, 0, len(all))
	for _, name := range all {
		if !foreignSession(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// Key opens one profile's key. Errors wrap ErrNotFound, ErrCorrupt (damaged,
// forged, of another name, or no long-lived key), ErrPassphrase, ErrLocked or
// ErrUnavailable.
func (a *AWSVault) Key(ctx context.Context, profile string) (accesskey.Key, error) {
	data, err := a.store.get(ctx, profile)
	if err != nil {
		return accesskey.Key{}, a.failed("get", profile, err)
	}
	defer clear(data)
	// The JSON of the SDK's aws.Credentials (v2) or credentials.Value (v1).
	var creds struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	switch err := json.Unmarshal(data, &creds); {
	case err != nil || creds.AccessKeyID == "" || creds.SecretAccessKey == "":
		return accesskey.Key{}, a.failed("get", profile, because(ErrCorrupt, "it holds no access key")) // the cause may quote a secret
	case creds.SessionToken != "":
		return accesskey.Key{}, a.failed("get", profile, because(ErrCorrupt, "it holds session credentials, not a long-lived key"))
	}
	return accesskey.Key{ID: creds.AccessKeyID, Secret: creds.SecretAccessKey}, nil
}

// Remove deletes one profile's key from aws-vault's store.
func (a *AWSVault) Remove(ctx context.Context, profile string) error {
	if err := a.store.remove(ctx, profile); err != nil {
		return a.failed("remove", profile, err)
	}
	return nil
}

// Close releases the backend and wipes the passphrase.
func (a *AWSVault) Close() error { return a.store.close() }

func (a *AWSVault) failed(op, name string, err error) error {
	var already *Error
	if errors.As(err, &already) {
		return err
	}
	e := &Error{Op: op, Backend: "aws-vault " + a.backend, Kind: KindKey, Name: name, Err: err}
	if e.Remedy = fault.Hint(err); e.Remedy == "" && errors.Is(err, ErrCorrupt) {
		e.Remedy = "it was left alone; the other profiles can be imported by name"
	}
	return e
}

// sessionNames are the names under which versions of aws-vault have kept what
// is not a long-lived key.
var sessionNames = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`^[^,]+,[^,]+,[^,]*,[0-9]+$`),       // type,profile,serial,expiration
		regexp.MustCompile(`^session:[^ ]+:[^ ]*:[^:]+$`),      // until version 5
		regexp.MustCompile(`^.+ session \((\d+|[a-f0-9]+)\)$`), // until version 4
		regexp.MustCompile(`^oidc:.+$`),                        // Identity Center tokens
	}
})

// foreignSession reports whether a name is that of a session or token.
func foreignSession(name string) bool {
	for _, re := range sessionNames() {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}
