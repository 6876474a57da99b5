// Guarded links both D-Bus clients that groat links, behind the guard, and
// prints the environment that children would get.
package main

import (
	"fmt"

	"github.com/99designs/keyring"
	"github.com/godbus/dbus/v5"

	"groat/vault/busguard"
)

func main() {
	_ = dbus.ObjectPath("/")
	fmt.Println(len(keyring.AvailableBackends()) > 0)
	for _, kv := range busguard.Environ() {
		fmt.Println(kv)
	}
}
