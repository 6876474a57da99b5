package cmd

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// qrCode is a QR code with the light border that readers want around it.
type qrCode struct {
	size int
	dark func(x, y int) bool
}

const (
	qrBorder = 4 // modules; ISO/IEC 18004 wants as many
	qrPixels = 8 // of a module in a file
)

func drawQR(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.L, qr.Unicode)
	if err != nil {
		return qrCode{}, fmt.Errorf("could not draw the QR code: %w", err)
	}
	n := code.Bounds().Dx()
	return qrCode{n + 2*qrBorder, func(x, y int) bool {
		x, y = x-qrBorder, y-qrBorder
		return x >= 0 && y >= 0 && x < n && y < n && code.At(x, y) == color.Black
	}}, nil
}

// halfBlocks are the code's lines for a terminal, two modules a cell, in
// colours of their own: black on white, whatever the terminal's are.
func (c qrCode) halfBlocks() []string {
	const colours, plain = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
	var lines []string
	for y := 0; y < c.size; y += 2 {
		var b strings.Builder
		for x := range c.size {
			b.WriteRune([]rune{' ', '▀', '▄', '█'}[index(c.dark(x, y))+2*index(c.dark(x, y+1))])
		}
		lines = append(lines, colours+b.String()+plain)
	}
	return lines
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// writePNG writes a new file that nobody else can read; it goes through no
// link and over nothing.
func (c qrCode) writePNG(path string) error {
	img := image.NewPaletted(image.Rect(0, 0, c.size*qrPixels, c.size*qrPixels), color.Palette{color.White, color.Black})
	for y := range c.size * qrPixels {
		for x := range c.size * qrPixels {
			img.SetColorIndex(x, y, uint8(index(c.dark(x/qrPixels, y/qrPixels))))
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usageError("--qr-png: "+path+" exists already", "name a new file")
	}
	if err == nil {
		err = errors.Join(png.Encode(f, img), f.Close())
	}
	if err != nil {
		return fmt.Errorf("could not write the QR code: %w", err)
	}
	return nil
}
