// Bare links the keyring library without the guard: what the guard is for.
package main

import (
	"fmt"

	"github.com/99designs/keyring"
)

func main() { fmt.Println(len(keyring.AvailableBackends()) > 0) }
