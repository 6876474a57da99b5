package files

import "bytes"

// Bounded keeps the first Max bytes that are written to it and swallows the
// rest, so that a program that says too much neither fills our memory nor
// blocks.
type Bounded struct {
	Max  int
	More bool // there were more than Max
	kept bytes.Buffer
}

// Write never fails.
func (b *Bounded) Write(p []byte) (int, error) {
	room := b.Max - b.kept.Len()
	b.More = b.More || len(p) > room
	b.kept.Write(p[:min(room, len(p))])
	return len(p), nil
}

// Bytes are what was kept.
func (b *Bounded) Bytes() []byte { return b.kept.Bytes() }

// String is what was kept.
func (b *Bounded) String() string { return b.kept.String() }
