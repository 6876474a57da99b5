package child

import (
	"errors"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// job is a job object, which holds a program and all that it starts. Where the
// system gives none, its methods do nothing: the program still runs.
type job struct{ handle windows.Handle }

func newJob(limits uint32) job {
	handle, _ := windows.CreateJobObject(nil, nil)
	j := job{handle}
	j.limit(limits)
	return j
}

// limit replaces the limits.
func (j job) limit(limits uint32) {
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: limits},
	}
	_, _ = windows.SetInformationJobObject(j.handle, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
}

// start starts the program in the job: suspended, so that nothing that it
// starts is left out.
func (j job) start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.CreationFlags |= windows.CREATE_SUSPENDED
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := uint32(cmd.Process.Pid)
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err == nil {
		_ = windows.AssignProcessToJobObject(j.handle, process)
		_ = windows.CloseHandle(process)
	}
	if err := resume(pid); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return err
	}
	return nil
}

// resume lets a suspended process run. Go does not keep the handle of its
// thread, which is looked up.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	resumed := errors.New("its thread was not found")
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err := windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return err
		}
		_, resumed = windows.ResumeThread(thread)
		_ = windows.CloseHandle(thread)
	}
	return resumed
}

// free closes the job without ending what is in it.
func (j job) free() {
	j.limit(0)
	j.close()
}

func (j job) end()   { _ = windows.TerminateJobObject(j.handle, 1) }
func (j job) close() { _ = windows.CloseHandle(j.handle) }
