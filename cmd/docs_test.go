package cmd

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"groat/provider/profile"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every command, its own flags and the common ones stand in the manual.
func TestManualIsComplete(t *testing.T) {
	manual := readDoc(t, "groat.1.md")
	flags := func(n *kong.Node) {
		for _, f := range n.Flags {
			if !f.Hidden && !strings.Contains(manual, "**--"+f.Name+"**") {
				t.Errorf("%s: --%s is not in the manual", n.FullPath(), f.Name)
			}
		}
	}
	root := model(t).Node
	flags(root)
	leaves(root, func(n *kong.Node) {
		if name := strings.Fields(commandPath(n))[0]; !strings.Contains(manual, "**"+name) {
			t.Errorf("%s is not in the manual", name)
		}
		flags(n)
	})
}

// Every snippet for agents is what its language takes, and groat's lines are
// groat's.
func TestAgentSnippets(t *testing.T) {
	found := map[string]int{}
	for _, block := range regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```").FindAllStringSubmatch(readDoc(t, "agents.md"), -1) {
		language, text := block[1], block[2]
		found[language]++
		switch language {
		case "json":
			if !json.Valid([]byte(text)) {
				t.Errorf("not JSON: %s", text)
			}
		case "ini":
			config := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(config, []byte("[default]\n"+text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := profile.Load(profile.LoadOptions{ConfigFile: config})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range c.Names() {
				if _, err := c.Resolve(name, profile.ResolveOptions{HoldsKey: func(name string) (bool, error) { return name == "default", nil }}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		case "sh":
			if out, err := exec.Command("sh", "-n", "-c", text).CombinedOutput(); err != nil {
				t.Errorf("%s: %s", text, out)
			}
			for line := range strings.Lines(text) {
				if _, words, is := strings.Cut(" "+line, " groat "); is {
					if _, err := newApp([]string{"HOME=" + t.TempDir()}, Streams{}).parse(strings.Fields(words)); err != nil {
						t.Errorf("%s: %v", line, err)
					}
				}
			}
		default:
			t.Errorf("nobody checks %s", language)
		}
	}
	if found["json"] < 3 || found["ini"] < 1 || found["sh"] < 4 {
		t.Errorf("snippets: %v", found)
	}
}

// The variables by which agents are recognised are all named.
func TestAgentVariablesAreDocumented(t *testing.T) {
	doc := readDoc(t, "agents.md")
	for _, known := range agents {
		if !strings.Contains(doc, "`"+known.variable+"`") {
			t.Errorf("%s is not named", known.variable)
		}
	}
}

// Every test that the threat model and SECURITY.md name exists, and every
// promise of the threat model names one.
func TestPromisesNameTheirTests(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, room := range []string{".", "../vault", "../session", "../provider"} {
		err := filepath.WalkDir(room, func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") || strings.Contains(path, "ststest") { // the double's own promise nothing
				return err
			}
			data, err := os.ReadFile(path)
			for _, m := range declared.FindAllSubmatch(data, -1) {
				tests[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	for _, page := range []string{"threat-model.md", "../SECURITY.md", "architecture.md"} {
		text := readDoc(t, page)
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if !tests[m[1]] {
				t.Errorf("%s names %s, which is no test", page, m[1])
			}
		}
		for line := range strings.Lines(text) {
			if row := page != "architecture.md" && strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ---") && !strings.HasPrefix(line, "| Promised"); row && !named.MatchString(line) {
				t.Errorf("%s: no test holds %s", page, line)
			}
		}
	}
}

// Every file that the recipes send one to is there.
func TestRecipesNameTheirFiles(t *testing.T) {
	_, recipes, found := strings.Cut(readDoc(t, "architecture.md"), "\n## Recipes\n")
	recipes, _, _ = strings.Cut(recipes, "\n## ")
	n := 0
	for _, m := range regexp.MustCompile("`((?:cmd|provider|session|vault|docs)/[\\w/.-]+)`").FindAllStringSubmatch(recipes, -1) {
		if strings.Contains(m[1], "NAME") {
			continue
		}
		n++
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Error(err)
		}
	}
	if !found || n < 15 {
		t.Errorf("%d files named", n)
	}
}

// The pages of the manual are linked to one another and nowhere else, none is
// left out of the index, and their text is wrapped.
func TestDocsAreABook(t *testing.T) {
	anchor := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	anchors := map[string]bool{} // file, or file#heading
	texts := map[string]string{}
	for _, file := range pages(t, "../docs/*.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = fenced.ReplaceAllString(string(text), "")
		for line := range strings.Lines(texts[file]) {
			if title := strings.TrimLeft(line, "#"); title != line {
				title = anchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
				anchors[file+"#"+strings.ReplaceAll(title, " ", "-")] = true
			}
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 110 && !strings.Contains("../CONTRIBUTING.md ../SECURITY.md", file) && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "    ") {
				t.Errorf("%s: a line of %d characters: %s", file, n, line)
			}
		}
	}
	for file, text := range texts {
		for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
			path, heading, _ := strings.Cut(m[1], "#")
			to := file
			if path != "" {
				to = filepath.Join(filepath.Dir(file), path)
			}
			_, err := os.Stat(to)
			if !strings.Contains(path, "://") && (err != nil || heading != "" && !anchors[to+"#"+heading]) {
				t.Errorf("%s: the link to %s leads nowhere", file, m[1])
			}
		}
		if index := texts["../docs/README.md"]; strings.HasPrefix(file, "../docs/") && !strings.Contains(index, "("+filepath.Base(file)) && filepath.Base(file) != "README.md" {
			t.Errorf("%s is not in the index", file)
		}
	}
}

// Every setting, and every variable that the program names, is explained.
func TestVariablesAreDocumented(t *testing.T) {
	manual := readDoc(t, "configuration.md") + readDoc(t, "coming-from.md") + readDoc(t, "agents.md")
	variable := regexp.MustCompile(`^(AWS|GROAT|YKMAN)_[A-Z_]*[A-Z]$`)
	n := 0
	eachText(t, func(at, text string) {
		if variable.MatchString(text) {
			n++
			if !strings.Contains(manual, "`"+text+"`") {
				t.Errorf("%s: %s is not documented", at, text)
			}
		}
	})
	names := append(settingNames(model(t).Node, nil), unlockForSetting, maxKeyAgeSetting, trustSetting, agentSetting)
	for _, name := range names {
		if !strings.Contains(manual, "`"+name+"`") {
			t.Errorf("the setting %s is not documented", name)
		}
	}
	if n < 60 || len(names) < 20 {
		t.Errorf("only %d variables and %d settings were found", n, len(names))
	}
}

// CI runs what the README tells people to run.
func TestCIRunsTheReadmesCommand(t *testing.T) {
	const command = "go run github.com/go-task/task/v3/cmd/task@v3.44.1"
	for file, line := range map[string]string{"../README.md": "    " + command, "../.ci/run": "exec " + command + " ci"} {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("%s lacks %q (%v)", file, line, err)
		}
	}
}
