//go:build !windows

package provider

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"groat/provider/profile"
)

// checkOwner refuses to run a line of a file that somebody else could have
// written: one that neither the user nor root owns, or that others can write.
func checkOwner(what, profileName, file string) error {
	if file == "" {
		return nil
	}
	info, err := os.Stat(file) // of a link's target: that is where the line stands
	if err != nil {
		return fmt.Errorf("could not check who owns %s: %w", sanitizeText(file), err)
	}
	uid, owner, group := os.Getuid(), os.Getuid(), -1
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		owner, group = int(st.Uid), int(st.Gid)
	}
	why, remedy := "", ""
	switch {
	case owner != uid && owner != 0:
		why, remedy = "neither you nor root own it", "take it over: sudo chown $(id -u) "+quotePath(file)
	case writableByOthers(info.Mode(), uid, group):
		why, remedy = fmt.Sprintf("others can write it (mode %04o)", info.Mode().Perm()), "run: chmod go-w "+quotePath(file)
		if isWSLMount(file, info.Mode()) {
			remedy = "on WSL every file under /mnt looks like that: keep the file in the Linux home, or mount with options = \"metadata,umask=077\" in /etc/wsl.conf"
		}
	default:
		return nil
	}
	return &profile.Error{
		File:    file,
		Profile: profileName,
		Err:     fmt.Errorf("%s of profile %q is not run, as it stands in %s and %s (%w)", what, profileName, sanitizeText(file), why, profile.ErrUnsupported),
		Remedy:  remedy,
	}
}

// writableByOthers leaves aside a group that bears the user's own number:
// systems with user private groups make files writable by it (umask 002).
func writableByOthers(mode fs.FileMode, uid, group int) bool {
	if mode.Perm()&0o002 != 0 {
		return true
	}
	return mode.Perm()&0o020 != 0 && (group != uid || uid == 0)
}

// isWSLMount recognises a Windows drive, which shows every file as 0777.
func isWSLMount(file string, mode fs.FileMode) bool {
	return strings.HasPrefix(file, "/mnt/") && mode.Perm() == 0o777
}

// quotePath writes a path as the shell reads it.
func quotePath(s string) string {
	s = sanitizeText(s)
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
