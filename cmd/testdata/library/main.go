// Command library is the least that a program built on the keyring library is
// when it knows its items by listing their names, as aws-vault does: once for
// whether the profile has a key, once for what is expired, and once for the
// session, whose expiration is part of its item's name. It prints the session.
//
//	library BACKEND PLACE put FILE   stores the answer in FILE as the session
//	library BACKEND PLACE fill N     stores N other sessions
//	library BACKEND PLACE answer     prints the session
//
// PLACE is the directory of the file backend, whose passphrase is in
// AWS_VAULT_FILE_PASSPHRASE, or the collection of the Secret Service.
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/keyring"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(backend, place, what string, args []string) error {
	kr, err := keyring.Open(keyring.Config{
		AllowedBackends:         []keyring.BackendType{keyring.BackendType(backend)},
		ServiceName:             "aws-vault",
		LibSecretCollectionName: place,
		FileDir:                 place,
		FilePasswordFunc:        keyring.FixedStringPrompt(os.Getenv("AWS_VAULT_FILE_PASSPHRASE")),
	})
	if err != nil {
		return err
	}
	switch what {
	case "put":
		answer, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		return kr.Set(keyring.Item{Key: name("default") + expiration(), Data: answer, Label: "session"})
	case "fill":
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		for i := range n {
			other := name("other-"+strconv.Itoa(i)) + expiration()
			if err := kr.Set(keyring.Item{Key: other, Data: make([]byte, 1000), Label: other}); err != nil {
				return err
			}
		}
		return nil
	}
	var names []string
	for range 3 {
		if names, err = kr.Keys(); err != nil {
			return err
		}
	}
	for _, n := range names {
		if !strings.HasPrefix(n, name("default")) {
			continue
		}
		item, err := kr.Get(n)
		if err != nil {
			return err
		}
		var c struct {
			Version                                                           int
			AccessKeyId, SecretAccessKey, SessionToken, Expiration, AccountId string //nolint:revive // the names of the format
		}
		if err := json.Unmarshal(item.Data, &c); err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(c)
	}
	return errors.New("no session")
}

func name(profile string) string {
	return "sts.GetSessionToken," + base64.RawURLEncoding.EncodeToString([]byte(profile)) + ",,"
}

func expiration() string { return strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10) }
