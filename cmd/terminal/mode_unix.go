//go:build unix

package terminal

import "golang.org/x/sys/unix"

// mode is what questions do to the terminal's settings and undo again.
type mode struct {
	changed bool // the terminal is set to during, and was before
	quiet   bool // it stays so after the answer, with the echo off
	suspend byte // the key that stops the job, while it is handed to us
	before  unix.Termios
	during  unix.Termios
}

// enter makes the kernel edit lines, with echo unless hidden. Nothing is
// written to the terminal when it is in that state already.
func (m *mode) enter(d *device, hidden bool) error {
	now, err := unix.IoctlGetTermios(d.fd, getTermios)
	if err != nil {
		return err
	}
	if !m.changed || *now != m.during { // the first time, or a shell has set it since
		m.before = *now
	}
	m.during, m.suspend = m.before, disabledChar
	m.during.Iflag |= unix.ICRNL
	m.during.Iflag &^= unix.IGNCR
	m.during.Oflag |= unix.OPOST
	m.during.Lflag |= unix.ICANON | unix.ISIG | unix.ECHO | unix.ECHOE
	if hidden {
		m.during.Lflag &^= unix.ECHO | unix.ECHONL
		// Ctrl-Z is handed to us at once, as the end of a line, so that the
		// echo is back before the job stops.
		m.suspend = m.before.Cc[unix.VSUSP]
		if m.suspend != disabledChar {
			m.during.Cc[unix.VSUSP], m.during.Cc[unix.VEOL] = disabledChar, m.suspend
		}
	}
	m.changed = m.during != m.before
	if m.during == *now {
		return nil
	}
	return unix.IoctlSetTermios(d.fd, setTermios, &m.during)
}

// leave puts back what enter found. Where somebody else has set the terminal
// meanwhile (a shell that took it back), theirs stays.
func (m *mode) leave(d *device) {
	changed := m.changed
	m.changed, m.quiet = false, false
	if !changed || !setsInBackground && !d.foreground() {
		return
	}
	if now, err := unix.IoctlGetTermios(d.fd, getTermios); err == nil && *now == m.during {
		_ = unix.IoctlSetTermios(d.fd, setTermios, &m.before)
	}
}
