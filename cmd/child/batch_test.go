package child

import "testing"

func TestBatchLine(t *testing.T) {
	for arg, want := range map[string]string{
		``:                  `""`,
		`plain`:             `"plain"`,
		`a b&c|d`:           `"a b&c|d"`,
		`" & calc & "`:      `""" & calc & """`,
		`back\`:             `"back\\"`,
		`a\"b`:              `"a\\""b"`,
		`a\\b`:              `"a\\b"`,
		`%PATH%`:            `"%%cd:~,%PATH%%cd:~,%"`,
		`50%`:               `"50%%cd:~,%"`,
		"größe\tx !PATH! ^": "\"größe\tx !PATH! ^\"",
	} {
		line, err := batchLine(`C:\a b\x.cmd`, []string{"1", arg})
		if want = `cmd.exe /e:ON /v:OFF /d /c ""C:\a b\x.cmd" "1" ` + want + `"`; err != nil || line != want {
			t.Errorf("%q: %s, %v; want %s", arg, line, err, want)
		}
	}
	for _, arg := range []string{"a\nb", "a\rb", "a\x00b"} {
		if line, err := batchLine(`x.cmd`, []string{arg}); err == nil {
			t.Errorf("%q is taken: %s", arg, line)
		}
	}
	for _, path := range []string{`a".cmd`, "a\n.cmd", `a.cmd\`} {
		if line, err := batchLine(path, nil); err == nil {
			t.Errorf("%q is taken: %s", path, line)
		}
	}
}

func TestIsBatch(t *testing.T) {
	for path, want := range map[string]bool{
		`x.bat`: true, `C:\y\x.CMD`: true, `x.bat. .`: true, `x.cmd `: true,
		`x.exe`: false, `x`: false, `x.bat.exe`: false, `bat`: false,
	} {
		if isBatch(path) != want {
			t.Errorf("%q", path)
		}
	}
}
