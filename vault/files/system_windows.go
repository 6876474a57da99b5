package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// errLink is what opening a symbolic link gives.
var errLink = errors.New("it is a symbolic link")

// checkFile accepts all: files of our own have the access list of their folder.
func checkFile(string, *os.File, fs.FileInfo, Rule) *AccessError { return nil }

// checkInfo refuses a Private folder that belongs to others, or that they may
// open. Mode bits say nothing here.
func checkInfo(path string, info fs.FileInfo, rule Rule) *AccessError {
	if rule != Private || !info.IsDir() {
		return nil
	}
	const what = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	us, form, err := ourselves()
	if err != nil {
		return &AccessError{Path: path, What: "cannot be checked: " + err.Error()}
	}
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, what)
	if err != nil {
		return &AccessError{Path: path, What: "has an access list that cannot be read: " + err.Error()}
	}
	owner, others := strangers(sd.String(), form)
	switch {
	case owner != "":
		return &AccessError{Path: path, What: "belongs to another user (" + owner + ")", Remedy: "if its content is yours: takeown /F " + Word(path)}
	case len(others) == 0:
		return nil
	}
	remove := ""
	for _, who := range others {
		if sid, err := windows.StringToSid(who); err == nil {
			who = sid.String()
		}
		remove += ` /remove:g "*` + who + `"`
	}
	return &AccessError{Path: path, What: "is open to others (" + strings.Join(others, ", ") + ")",
		Remedy: "icacls " + Word(path) + ` /inheritance:r /grant:r "*` + us + `:(OI)(CI)F"` + remove}
}

// ourselves is this user's SID, and the form in which SDDL writes it, which is
// an abbreviation for some.
func ourselves() (sid, form string, err error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", "", err
	}
	sid = user.User.Sid.String()
	sd, err := windows.SecurityDescriptorFromString("O:" + sid)
	if err != nil {
		return "", "", err
	}
	return sid, strings.TrimPrefix(sd.String(), "O:"), nil
}

// makeFolder makes a folder with an access list of its own, which what is
// made in it inherits. One that is there, open to others and without a file
// yet gets the list.
func makeFolder(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	us, _, err := ourselves()
	if err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString(ownSDDL(us))
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: sd}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	err = windows.CreateDirectory(name, &attributes)
	if errors.Is(err, fs.ErrExist) && opensToOthers(path) && holdsNoFile(path) {
		var list *windows.ACL
		if list, _, err = sd.DACL(); err == nil {
			const what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
			err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, what, nil, nil, list, nil)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

func opensToOthers(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && checkInfo(path, info, Private) != nil
}

func holdsNoFile(path string) bool {
	entries, err := os.ReadDir(path)
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() })
}

func openNoFollow(path string, _ bool) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errLink}
	}
	return os.Open(path)
}

func openAppend(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, &AccessError{Path: path, What: "is a symbolic link"}
	}
	return os.OpenFile(path, appendFlags, 0o600)
}

// isDescriptors is false: Windows has no such folder.
func isDescriptors(string) bool { return false }

// rename is durable once it returned nil. It tries again for a moment: Windows
// refuses to replace a file that a reader, or a virus scanner, has open.
func rename(from, to string) error {
	const sharingViolation = syscall.Errno(32)
	err := moveThrough(from, to)
	for i := 0; i < 50 && (errors.Is(err, fs.ErrPermission) || errors.Is(err, sharingViolation)); i++ {
		time.Sleep(10 * time.Millisecond)
		err = moveThrough(from, to)
	}
	return err
}

func moveThrough(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(old, name, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// syncFolder does nothing: NTFS journals its directories and os.Open gives no
// handle that could be flushed.
func syncFolder(string) error { return nil }

// ownerDiffers is false: a new file inherits its access list from the
// directory, as the old one did.
func ownerDiffers(_, _ fs.FileInfo) (uid, gid int, differ bool) { return 0, 0, false }
