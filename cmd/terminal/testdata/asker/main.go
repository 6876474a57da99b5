// asker asks one question and writes to a file how it ended:
// asker DRIVER code|secret FILE.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"groat/cmd/terminal"
)

func main() {
	u := terminal.New(terminal.Options{Driver: os.Args[1], Environ: os.Environ(), Deadline: 15 * time.Second})
	q := terminal.Question{Title: "Token code", Details: []terminal.Detail{{Name: "profile", Value: "admin"}}}
	var answer string
	var err error
	if os.Args[2] == "code" {
		answer, err = u.Code(context.Background(), q)
	} else {
		var b []byte
		b, err = u.Secret(context.Background(), q)
		answer = string(b)
	}
	end := "answer=" + answer
	for text, e := range map[string]error{"cancelled": terminal.ErrCancelled, "interrupted": terminal.ErrInterrupted, "timeout": terminal.ErrTimeout, "noterminal": terminal.ErrNoTerminal} {
		if errors.Is(err, e) {
			end = text
		}
	}
	if err := os.WriteFile(os.Args[3], []byte(fmt.Sprintf("%s\n", end)), 0o600); err != nil {
		panic(err)
	}
}
