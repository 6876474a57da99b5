package terminal

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// winCredUI is the credential dialog of Windows (credui.dll,
// CredUIPromptForCredentialsW).
type winCredUI struct{}

func newWinCredUI() (prompter, error) {
	if err := promptForCredentials.Find(); err != nil {
		return nil, err
	}
	return winCredUI{}, nil
}

var promptForCredentials = windows.NewLazySystemDLL("credui.dll").NewProc("CredUIPromptForCredentialsW")

// Limits and flags of wincred.h.
const (
	creduiMaxMessage  = 1023 // CREDUI_MAX_MESSAGE_LENGTH
	creduiMaxCaption  = 127  // CREDUI_MAX_CAPTION_LENGTH
	creduiMaxUserName = 513  // CREDUI_MAX_USERNAME_LENGTH
	creduiMaxPassword = 256  // CREDUI_MAX_PASSWORD_LENGTH

	creduiDoNotPersist        = 0x2     // CREDUI_FLAGS_DO_NOT_PERSIST
	creduiExcludeCertificates = 0x8     // CREDUI_FLAGS_EXCLUDE_CERTIFICATES
	creduiAlwaysShowUI        = 0x80    // CREDUI_FLAGS_ALWAYS_SHOW_UI
	creduiGenericCredentials  = 0x40000 // CREDUI_FLAGS_GENERIC_CREDENTIALS
	creduiKeepUserName        = 0x100000

	errorCancelled = 1223 // ERROR_CANCELLED
)

// creduiInfo is CREDUI_INFOW.
type creduiInfo struct {
	size    uint32
	parent  windows.HWND
	message *uint16
	caption *uint16
	banner  windows.Handle
}

func (winCredUI) name() string { return "wincredui" }
func (winCredUI) close()       {}

// ask shows the dialog. The call cannot be ended from outside; after the
// deadline the dialog goes away with this process.
func (winCredUI) ask(ctx context.Context, r request) ([]byte, error) {
	type answer struct {
		b   []byte
		err error
	}
	got := make(chan answer, 1)
	go func() {
		b, err := showCredUI(r)
		got <- answer{b, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ended(ctx)
	case a := <-got:
		return a.b, a.err
	}
}

// showYesNo shows a message box whose preset answer is no.
func showYesNo(r request) ([]byte, error) {
	text, err := windows.UTF16PtrFromString(r.text() + "\n" + r.Prompt)
	if err != nil {
		return nil, err
	}
	caption, err := windows.UTF16PtrFromString("groat")
	if err != nil {
		return nil, err
	}
	const yes = 6 // IDYES
	answer, err := windows.MessageBox(0, text, caption, windows.MB_YESNO|windows.MB_ICONWARNING|windows.MB_DEFBUTTON2|windows.MB_SETFOREGROUND)
	switch {
	case answer == yes:
		return []byte(yesAnswer), nil
	case answer == 0:
		return nil, fmt.Errorf("the dialog failed: %w", err)
	}
	return nil, ErrCancelled
}

func showCredUI(r request) ([]byte, error) {
	if r.asksYes() {
		return showYesNo(r)
	}
	message, err := windows.UTF16PtrFromString(firstOf(r.text()+r.Prompt, creduiMaxMessage/4))
	if err != nil {
		return nil, err
	}
	caption, err := windows.UTF16PtrFromString("groat")
	if err != nil {
		return nil, err
	}
	target, err := windows.UTF16PtrFromString("groat")
	if err != nil {
		return nil, err
	}
	var user [creduiMaxUserName + 1]uint16
	name := "groat"
	for _, d := range r.Details {
		if d.Name == "profile" {
			name = firstOf(d.Value, 100)
		}
	}
	u16, err := windows.UTF16FromString(name)
	if err != nil {
		return nil, err
	}
	copy(user[:creduiMaxUserName], u16)
	var password [creduiMaxPassword + 1]uint16
	defer clear(password[:])
	info := creduiInfo{message: message, caption: caption}
	info.size = uint32(unsafe.Sizeof(info))
	var save uint32
	code, _, _ := promptForCredentials.Call(
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(target)), 0, 0,
		uintptr(unsafe.Pointer(&user[0])), creduiMaxUserName,
		uintptr(unsafe.Pointer(&password[0])), creduiMaxPassword,
		uintptr(unsafe.Pointer(&save)),
		creduiDoNotPersist|creduiExcludeCertificates|creduiAlwaysShowUI|creduiGenericCredentials|creduiKeepUserName)
	switch code {
	case 0:
		return []byte(windows.UTF16ToString(password[:])), nil
	case errorCancelled:
		return nil, ErrCancelled
	}
	return nil, fmt.Errorf("the credential dialog failed (error %d)", code)
}
