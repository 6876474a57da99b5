package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	jose "github.com/dvsekhvalnov/jose2go"
	"github.com/mtibben/percent"

	"groat/vault/files"
)

// joseFiles is aws-vault's file backend: a folder with one JOSE item for each
// name, percent-encoded. Nothing but remove changes it.
type joseFiles struct {
	dir string
	ask PassphraseFunc

	mu         sync.Mutex
	passphrase *string // that opened an item
}

func newJOSEFiles(dir string, ask PassphraseFunc) *joseFiles { return &joseFiles{dir: dir, ask: ask} }

// path is the file of an item; a name that no file can have is ErrNotFound.
func (j *joseFiles) path(name string) (string, error) {
	file := percent.Encode(name, "/")
	if file == "" || file == "." || file == ".." || filepath.Base(file) != file {
		return "", ErrNotFound
	}
	return filepath.Join(j.dir, file), nil
}

func (j *joseFiles) names(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(j.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, because(ErrUnavailable, "there is no %s", j.dir)
	}
	if err != nil {
		return nil, because(ErrUnavailable, "%w", err)
	}
	var names []string
	for _, e := range entries {
		name := percent.Decode(e.Name())
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") && percent.Encode(name, "/") == e.Name() {
			names = append(names, name)
		}
	}
	return names, nil
}

func (j *joseFiles) read(name string) ([]byte, error) {
	path, err := j.path(name)
	if err != nil {
		return nil, err
	}
	token, err := files.Read(path, maxJOSE, files.Steering)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotFound
	case errors.Is(err, files.ErrIrregular), errors.Is(err, files.ErrTooLarge):
		return nil, because(ErrCorrupt, "%w", err)
	case err != nil:
		return nil, because(ErrUnavailable, "%w", err)
	}
	return bytes.TrimRight(token, "\r\n"), nil
}

// maxTried bounds how many other items a passphrase is tried on: each may ask
// for a second of work.
const maxTried = 8

// opensAnother tells a wrong passphrase from a damaged item: it looks for an
// item that the passphrase opens.
func (j *joseFiles) opensAnother(ctx context.Context, passphrase, but string) bool {
	names, err := j.names(ctx)
	tried := 0
	for _, name := range names {
		if name == but || err != nil || tried == maxTried || ctx.Err() != nil {
			continue
		}
		token, err := j.read(name)
		if err != nil || checkJOSE(token) != nil {
			continue
		}
		tried++
		if payload, ok := decrypt(token, passphrase); ok {
			clear(payload)
			return true
		}
	}
	return false
}

// get opens one item. Until a passphrase has opened something, a wrong one
// and a damaged item look alike, and the passphrase is asked again where it
// comes from a person.
func (j *joseFiles) get(ctx context.Context, name string) ([]byte, error) {
	token, err := j.read(name)
	if err != nil {
		return nil, err
	}
	if err := checkJOSE(token); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.passphrase != nil {
		payload, ok := decrypt(token, *j.passphrase)
		if !ok {
			return nil, errOtherPassphrase
		}
		return itemData(payload, name)
	}
	if j.ask == nil {
		return nil, because(ErrLocked, "there is no way to ask for the passphrase")
	}
	for attempt := 1; ; attempt++ {
		answer, origin, err := j.ask(ctx, PassphraseRequest{Path: j.dir, Attempt: attempt})
		if err != nil {
			return nil, err
		}
		passphrase := string(answer)
		clear(answer)
		if payload, ok := decrypt(token, passphrase); ok {
			j.passphrase = &passphrase
			return itemData(payload, name)
		}
		if j.opensAnother(ctx, passphrase, name) {
			j.passphrase = &passphrase
			return nil, errOtherPassphrase
		}
		if origin != FromPrompt || attempt == PromptAttempts {
			return nil, fmt.Errorf("%w, or the item is damaged", ErrPassphrase)
		}
	}
}

var errOtherPassphrase = because(ErrCorrupt, "the passphrase that opens others does not open it")

// decrypt opens a token that checkJOSE has accepted.
func decrypt(token []byte, passphrase string) (payload []byte, ok bool) {
	payload, header, err := jose.DecodeBytes(string(token), passphrase)
	return payload, err == nil && header["alg"] == joseAlg && header["enc"] == joseEnc
}

// itemData gives the data of an item whose own name is the one asked for.
func itemData(payload []byte, name string) ([]byte, error) {
	defer clear(payload)
	var item struct {
		Key  string
		Data []byte
	}
	if err := json.Unmarshal(payload, &item); err != nil {
		return nil, because(ErrCorrupt, "aws-vault did not write it") // the cause may quote the secret
	}
	if item.Key != name {
		return nil, because(ErrCorrupt, "its file holds the item %q", item.Key)
	}
	return item.Data, nil
}

func (j *joseFiles) remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := j.path(name)
	if err != nil {
		return err
	}
	switch _, err := (files.Disk{}).Remove(path); {
	case errors.Is(err, fs.ErrNotExist):
		return ErrNotFound
	case err != nil:
		return because(ErrUnavailable, "%w", err)
	}
	return nil
}

func (j *joseFiles) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.passphrase = nil
	return nil
}
