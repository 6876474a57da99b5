package child

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// processOf looks into a snapshot of all processes. A parent that has ended
// may have left its number to another: one that is younger than its child is
// no parent, and the way up ends there.
func processOf(pid int) (c Caller, parent int, ok bool) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return Caller{}, 0, false
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if int(entry.ProcessID) != pid {
			continue
		}
		path, begun := imageOf(entry.ProcessID)
		if path == "" {
			path = windows.UTF16ToString(entry.ExeFile[:])
		}
		if _, parentBegun := imageOf(entry.ParentProcessID); parentBegun > begun && begun != 0 {
			return Caller{Path: path}, 0, true
		}
		return Caller{Path: path}, int(entry.ParentProcessID), true
	}
	return Caller{}, 0, false
}

// imageOf is a process's executable, and when it began in 100 ns; zero values
// where it may not be asked.
func imageOf(pid uint32) (path string, begun int64) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return "", 0
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(h, &created, &exited, &kernel, &user) == nil {
		begun = created.Nanoseconds()
	}
	name := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(name))
	if windows.QueryFullProcessImageName(h, 0, &name[0], &size) == nil {
		path = windows.UTF16ToString(name[:size])
	}
	return path, begun
}
