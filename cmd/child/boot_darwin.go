package child

import "golang.org/x/sys/unix"

// BootID names the run of the system since it was started; "" if unknown.
func BootID() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}
