package child

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// processes reads /proc. An environment that may not be read has no mark.
func processes(mark string) []process {
	var table []process
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// "pid (name) state parent …", and the name may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 2 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(string(fields[1]))
		environ, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		marked := slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(v []byte) bool { return string(v) == mark })
		table = append(table, process{pid, parent, marked})
	}
	return table
}
