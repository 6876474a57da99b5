// Command floor is the least that a credential process in Go can be: it prints
// the JSON that stands in a file. `floor rss CMD…` runs a command and prints
// the most memory it had resident, in KiB: a big process that starts it
// directly would see its own memory counted.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

type credentials struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
	AccountID       string `json:"AccountId"`
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "rss" {
		c := exec.Command(os.Args[2], os.Args[3:]...)
		c.Stderr = os.Stderr
		if err := c.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(maxRSS(c.ProcessState))
		return
	}
	var c credentials
	data, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
