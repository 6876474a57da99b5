package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A new folder lets in this user alone; one that is opened to others is
// refused with the command to run.
func TestFoldersAreTheUsersAlone(t *testing.T) {
	base, err := os.MkdirTemp("", "") // Wine cannot remove a t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "data", "vault")
	if err := (Disk{}).MakeFolder(dir); err != nil {
		t.Fatal(err)
	}
	if err := (Disk{}).Write(filepath.Join(dir, "x"), []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := (Disk{}).Write(filepath.Join(dir, "x"), []byte("2")); err != nil { // replaced
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "x")); err != nil || string(b) != "2" {
		t.Errorf("%q, %v", b, err)
	}
	open := filepath.Join(base, "open")
	everybody, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	name, err := windows.UTF16PtrFromString(open)
	if err != nil {
		t.Fatal(err)
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: everybody}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	if err := windows.CreateDirectory(name, &attributes); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(open, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var access *AccessError
	if err := (Disk{}).MakeFolder(open); !errors.As(err, &access) || !strings.Contains(access.What, "open to others (WD)") || !strings.Contains(access.Remedy, `/remove:g "*S-1-1-0"`) {
		t.Errorf("%v %+v", err, access)
	}
}
