package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"

	"groat/provider"
	"groat/provider/profile"
	"groat/session"
)

// whoAmI is a program that knows nothing of groat: it takes credentials from
// the environment, as every SDK does, and asks AWS who it is.
func whoAmI() int {
	var names []string
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "AWS_ENDPOINT") || name == "GROAT_PROFILE" || name == "GROAT_FILE_PASSPHRASE" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	fmt.Println("environment:", strings.Join(names, " "))
	id, err := provider.CallerIdentity(context.Background(),
		provider.CallOptions{Region: os.Getenv("AWS_REGION"), Endpoints: profile.Endpoints{URL: map[string]string{"sts": os.Getenv("AWS_ENDPOINT_URL_STS")}}},
		session.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("I am", id.ARN)
	return 0
}
