//go:build !unix

package session

func limitFileSize() { panic("not used here") }
