//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

func maxRSS(p *os.ProcessState) int64 {
	n := int64(p.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" {
		n /= 1024 // bytes there
	}
	return n
}
