package terminal

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// env reads the injected environment.
func (u *UI) env(name string) string {
	for _, entry := range u.opts.Environ {
		k, v, _ := strings.Cut(entry, "=")
		if k == name || runtime.GOOS == "windows" && strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// lookPath finds a program on the injected PATH. Relative entries are
// skipped: they would run what lies in the current directory.
func (u *UI) lookPath(program string) (string, error) {
	names := []string{program}
	if runtime.GOOS == "windows" {
		names = []string{program + ".exe"}
	}
	for _, dir := range filepath.SplitList(u.env("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		for _, n := range names {
			p := filepath.Join(dir, n)
			fi, err := os.Stat(p)
			if err == nil && fi.Mode().IsRegular() && (runtime.GOOS == "windows" || fi.Mode()&0o111 != 0) {
				return p, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not on the PATH", program)
}

// display reports why no X11 or Wayland window can open; nil when one can. A
// variable alone is no display: tmux sessions and cron jobs keep stale ones,
// so the server's socket is connected to.
func (u *UI) display(ssh bool) error {
	way, x := u.env("WAYLAND_DISPLAY"), u.env("DISPLAY")
	if way == "" && x == "" {
		return errors.New("there is no display")
	}
	if ssh && (x == "" || localDisplay(x)) {
		return errors.New("a window would open on the remote machine's own screen")
	}
	if way != "" && !ssh && dial("unix", waylandSocket(way, u.env("XDG_RUNTIME_DIR"))) == nil {
		return nil
	}
	if x != "" && dialX(x) == nil {
		return nil
	}
	return errors.New("the display does not answer")
}

// localDisplay: ":0" and "unix:0" are this machine's screen, while ssh's
// forwarding says "localhost:10.0".
func localDisplay(x string) bool {
	host, _, _ := strings.Cut(x, ":")
	return host == "" || host == "unix" || strings.HasPrefix(host, "/")
}

func waylandSocket(name, runtimeDir string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(runtimeDir, name)
}

// dialX connects to the X server named as X(7) has it: host:display.screen.
func dialX(x string) error {
	i := strings.LastIndex(x, ":")
	if i < 0 {
		return errors.New("malformed DISPLAY")
	}
	host, num := x[:i], x[i+1:]
	num, _, _ = strings.Cut(num, ".")
	n, err := strconv.Atoi(num)
	if err != nil || n < 0 || n > 59535 {
		return errors.New("malformed DISPLAY")
	}
	if strings.HasPrefix(host, "/") { // launchd's socket
		return dial("unix", x)
	}
	if localDisplay(x) {
		sock := "/tmp/.X11-unix/X" + num
		if dial("unix", sock) == nil {
			return nil
		}
		return dial("unix", "@"+sock) // Linux: the abstract namespace
	}
	return dial("tcp", net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(6000+n)))
}

func dial(network, address string) error {
	c, err := net.DialTimeout(network, address, 300*time.Millisecond)
	if err != nil {
		return err
	}
	return c.Close()
}
