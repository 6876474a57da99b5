package child

import (
	"os"
	"strings"
)

// BootID names the run of the system since it was started; "" if unknown.
func BootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}
