package cmd

import (
	"bytes"
	"io"
	"sync"
)

// prefixed writes whole lines behind a prefix.
type prefixed struct {
	f      *parallel
	to     io.Writer
	prefix string
	data   bool // stdout: what cannot be written is a failure
	rest   []byte
}

// Write keeps what has no line end yet.
func (p *prefixed) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for {
		i := bytes.IndexByte(p.rest, '\n')
		if i < 0 {
			if len(p.rest) > maxLine {
				p.flush()
			}
			return len(b), nil
		}
		if err := p.line(p.rest[:i+1]); err != nil {
			return len(b), err
		}
		p.rest = p.rest[i+1:]
	}
}

// flush ends a last line that the command did not end.
func (p *prefixed) flush() {
	if len(p.rest) > 0 {
		_ = p.line(append(p.rest, '\n'))
		p.rest = nil
	}
}

func (p *prefixed) line(line []byte) error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	_, err := p.to.Write(append([]byte(p.prefix), line...))
	if err != nil && p.data && p.f.outErr == nil {
		p.f.outErr = err
	}
	return err
}

// lockedWriter lets several goroutines write to one stream.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes under the lock.
func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}
