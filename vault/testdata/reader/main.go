// Reader reads one item with the keyring library, as another tool built on it
// would: reader BACKEND COLLECTION-OR-FOLDER-OR-PREFIX NAME prints the item's
// key and data. With the name "-" it prints the names that the library lists.
package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"github.com/99designs/keyring"
)

func main() {
	backend, place, name := os.Args[1], os.Args[2], os.Args[3]
	kr, err := keyring.Open(keyring.Config{
		AllowedBackends:         []keyring.BackendType{keyring.BackendType(backend)},
		ServiceName:             "kdewallet",
		LibSecretCollectionName: place,
		KWalletAppID:            "reader",
		KWalletFolder:           place,
		PassDir:                 os.Getenv("PASSWORD_STORE_DIR"),
		PassPrefix:              place,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if name == "-" {
		keys, err := kr.Keys()
		fmt.Println(keys, err)
		return
	}
	item, err := kr.Get(name)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(item.Key, hex.EncodeToString(item.Data))
}
