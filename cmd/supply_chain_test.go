package cmd

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	goversion "go/version"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// notBefore are the first versions without a hole that is known and that
// matters here, and why an older one must never be linked again.
var notBefore = map[string]string{
	"github.com/dvsekhvalnov/jose2go": "v1.11.0", // an empty signature passed for a genuine item; decompression without a bound
	"golang.org/x/crypto":             "v0.45.0", // denials of service
	"github.com/godbus/dbus/v5":       "v5.1.0",  // messages that crash
}

// The released program links modules of a known licence, none with a known
// hole, and what comes in only by another module is named.
func TestSupplyChain(t *testing.T) {
	info, err := buildinfo.ReadFile(groatBinary(t))
	if err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	toolchain := regexp.MustCompile(`(?m)^toolchain (go\S+)$`).FindSubmatch(gomod)
	if toolchain == nil || goversion.Compare(string(toolchain[1]), "go1.26.8") < 0 {
		t.Errorf("go.mod names no toolchain, or an old one: %s", toolchain)
	}
	words := []string{"list", "-m", "-json"}
	for _, m := range info.Deps {
		words = append(words, m.Path)
	}
	out, err := exec.Command("go", words...).Output()
	if err != nil {
		t.Fatal(err)
	}
	page := readDoc(t, "reliability.md")
	licences := map[string]int{}
	for list := json.NewDecoder(strings.NewReader(string(out))); list.More(); {
		var m struct {
			Path, Version, Dir string
			Indirect           bool
		}
		if err := list.Decode(&m); err != nil {
			t.Fatal(err)
		}
		licence := licenceOf(m.Dir)
		if licences[licence]++; licence == "" {
			t.Errorf("%s has no licence that is known", m.Path)
		}
		if least, known := notBefore[m.Path]; known && older(m.Version, least) {
			t.Errorf("%s %s: not before %s", m.Path, m.Version, least)
		}
		if m.Indirect && !strings.HasPrefix(m.Path, "github.com/aws/") && !strings.Contains(page, "`"+m.Path+"`") {
			t.Errorf("%s is linked for another module's sake, and docs/reliability.md does not say so", m.Path)
		}
	}
	t.Logf("supply chain: %d modules linked, by licence %v", len(info.Deps), licences)
	if !older("v1.9.9", "v1.11.0") || older("v1.11.0", "v1.11.0") || older("v2.0.0-x", "v1.11.0") {
		t.Error("versions are not compared")
	}
}

// licenceOf knows the texts of the licences that may be linked.
func licenceOf(dir string) string {
	for _, pattern := range []string{"[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*", "COPYING*"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			text := strings.Join(strings.Fields(string(data)), " ")
			for name, phrase := range map[string]string{
				"MIT": "Permission is hereby granted, free of charge, to any person obtaining a copy", "Apache-2.0": "Apache License Version 2.0",
				"BSD": "Redistribution and use in source and binary forms, with or without modification, are permitted",
			} {
				if strings.Contains(text, phrase) {
					return name
				}
			}
		}
	}
	return ""
}

// older compares two versions of Go modules by their numbers.
func older(v, than string) bool {
	var a, b [3]int
	_, _ = fmt.Sscanf(v, "v%d.%d.%d", &a[0], &a[1], &a[2])
	_, _ = fmt.Sscanf(than, "v%d.%d.%d", &b[0], &b[1], &b[2])
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
