package flight

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"unicode"
)

// record is what a lock file says: who holds the lock and how the last
// attempt under it ended. It is advice for those who wait; the lock itself is
// the operating system's. It never holds a secret: of a failure it has the class
// and no text, which may repeat what was sent or typed.
type record struct {
	PID     int    `json:"pid,omitempty"`     // of the holder; 0: nobody, or not said yet
	Started string `json:"started,omitempty"` // the holder's start, which tells it from a later process of the same number
	Holder  string `json:"holder,omitempty"`  // for people
	Asking  bool   `json:"asking,omitempty"`  // the holder waits for a token code
	Done    uint64 `json:"done,omitempty"`    // attempts ended so far
	Stored  bool   `json:"stored,omitempty"`  // the last one left something to read
	Code    string `json:"code,omitempty"`    // the class of the last one's final failure; "" for any other end
}

// The record stands behind a line for people. Its place must not overlap the
// first byte, which is what is locked on Windows, where locks are mandatory.
const (
	recordHeader = "groat lock file\n"
	recordSize   = 1024
	maxHolder    = 160
)

// readRecord returns the record, or the zero one if there is none or it is
// being written just now.
func readRecord(path string) record {
	f, err := os.Open(path)
	if err != nil {
		return record{}
	}
	defer func() { _ = f.Close() }()
	buf := make([]byte, recordSize)
	n, _ := f.ReadAt(buf, int64(len(recordHeader)))
	return parseRecord(buf[:n])
}

func parseRecord(buf []byte) record {
	sum, body, ok := bytes.Cut(bytes.TrimRight(buf, " \n\x00"), []byte(" "))
	if !ok || string(sum) != checksum(body) {
		return record{}
	}
	var r record
	if json.Unmarshal(body, &r) != nil {
		return record{}
	}
	return r
}

// writeRecord overwrites the record in one write of constant length, so that
// a full disk cannot lose the old one once the file has its size.
func writeRecord(path string, r record) error {
	buf, err := formatRecord(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if st, err := f.Stat(); err == nil && st.Size() == 0 {
		_, _ = f.WriteAt([]byte(recordHeader[1:]), 1)
	}
	_, err = f.WriteAt(buf, int64(len(recordHeader)))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func formatRecord(r record) ([]byte, error) {
	r.Holder = oneLine(r.Holder, maxHolder)
	for {
		body, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("could not encode the lock's record: %w", err)
		}
		if len(body) <= recordSize-10 {
			line := checksum(body) + " " + string(body)
			return []byte(line + strings.Repeat(" ", recordSize-1-len(line)) + "\n"), nil
		}
		// Characters that JSON escapes made it too long.
		r.Holder, r.Code = oneLine(r.Holder, len(r.Holder)/2), oneLine(r.Code, 64)
	}
}

func checksum(body []byte) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE(body)) }

// oneLine makes s fit for a record: no control characters, at most limit bytes.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}
