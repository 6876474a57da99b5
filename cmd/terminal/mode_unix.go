//go:build unix

package terminal

import "golang.org/x/sys/unix"

// mode is what a prompt does to the terminal's settings and undoes again.
type mode struct {
	d       *device
	hidden  bool
	shown   bool // a prompt stands on the screen
	changed bool
	suspend byte // the key that stops the job while hidden
	before  unix.Termios
	during  unix.Termios
}

// enter makes the kernel edit lines, with echo unless hidden. Nothing is
// written to the terminal when it is in that state already.
func (m *mode) enter() error {
	t, err := unix.IoctlGetTermios(m.d.fd, getTermios)
	if err != nil {
		return err
	}
	m.before, m.during = *t, *t
	m.during.Iflag |= unix.ICRNL
	m.during.Iflag &^= unix.IGNCR
	m.during.Oflag |= unix.OPOST
	m.during.Lflag |= unix.ICANON | unix.ISIG | unix.ECHO | unix.ECHOE
	if m.hidden {
		m.during.Lflag &^= unix.ECHO | unix.ECHONL
		// Ctrl-Z is handed to us at once, as the end of a line, so that the
		// echo is back before the job stops.
		m.suspend = m.before.Cc[unix.VSUSP]
		if m.suspend != disabledChar {
			m.during.Cc[unix.VSUSP], m.during.Cc[unix.VEOL] = disabledChar, m.suspend
		}
	}
	m.shown = true
	if m.during == m.before {
		return nil
	}
	m.changed = true
	return unix.IoctlSetTermios(m.d.fd, setTermios, &m.during)
}

// leave puts back what enter found. Where somebody else has set the terminal
// meanwhile (a shell that took it back), theirs stands.
func (m *mode) leave() {
	if !m.changed {
		return
	}
	m.changed = false
	if !setsInBackground && !m.d.foreground() {
		return
	}
	if now, err := unix.IoctlGetTermios(m.d.fd, getTermios); err == nil && *now == m.during {
		_ = unix.IoctlSetTermios(m.d.fd, setTermios, &m.before)
	}
}

// discardInput throws away what was typed for a question that ended without
// an answer.
func (m *mode) discardInput() {
	if m.shown && m.d.foreground() {
		_ = flushInput(m.d.fd)
	}
}
