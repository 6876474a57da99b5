package cmd

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const qrText = "otpauth://totp/acme:myusername?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=AWS"

// scanned is what another program reads in a picture.
func scanned(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command(program(t, "zbarimg"), "-q", "--raw", file).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// What is drawn on a terminal is a QR code to who looks at it, on dark ground
// and on light.
func TestQRCodeOnATerminal(t *testing.T) {
	promised(t, "zbarimg")
	code, err := drawQR(qrText)
	if err != nil {
		t.Fatal(err)
	}
	for name, ground := range map[string]color.Gray{"dark": {0}, "light": {255}} {
		const cell = 8 // pixels wide, twice as many high
		lines := code.halfBlocks()
		img := image.NewGray(image.Rect(0, 0, (code.size+20)*cell, (len(lines)+10)*2*cell))
		for i := range img.Pix {
			img.Pix[i] = ground.Y
		}
		fill := func(x, y int, c color.Gray) {
			for i := range cell {
				for j := range cell {
					img.SetGray(10*cell+x*cell+i, 10*cell+y*cell+j, c)
				}
			}
		}
		for row, line := range lines {
			text, ok := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
			text, ok2 := strings.CutSuffix(text, "\x1b[0m")
			if !ok || !ok2 {
				t.Fatalf("line %q brings no colours of its own", line)
			}
			for x, r := range []rune(text) {
				fill(x, 2*row, color.Gray{map[bool]uint8{true: 0, false: 255}[r == '█' || r == '▀']})
				fill(x, 2*row+1, color.Gray{map[bool]uint8{true: 0, false: 255}[r == '█' || r == '▄']})
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "screen.png")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := scanned(t, file); got != qrText {
			t.Errorf("%s: %q", name, got)
		}
		if len(lines) > 30 || code.size > 78 {
			t.Errorf("%d lines of %d cells do not fit a screen", len(lines), code.size)
		}
	}
}

// The file is for its owner alone, and goes over nothing that is there.
func TestQRCodeInAFile(t *testing.T) {
	code, err := drawQR(qrText)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "qr.png")
	if err := code.writePNG(file); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if err := code.writePNG(file); err == nil {
		t.Error("an existing file was written over")
	}
	if os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "link")) == nil && code.writePNG(filepath.Join(dir, "link")) == nil {
		t.Error("a link was followed")
	}
	promised(t, "zbarimg")
	if got := scanned(t, file); got != qrText {
		t.Errorf("%q", got)
	}
}
