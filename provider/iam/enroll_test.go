package iam

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/ststest"
	"groat/session"
)

// enrolling is a user who wants a device, and a vault.
type enrolling struct {
	*world
	user  *ststest.User
	key   *ststest.AccessKey
	vault map[string]string // sealed, pending seeds
	known map[string]bool   // serials that Finish made known
	codes func(d *ststest.Device) (one, two string, err error)
	used  *session.UsedCodes
	shown Device
	said  said
}

func newEnrolling(t *testing.T, o ststest.Options) *enrolling {
	w := newWorld(t, o)
	u := w.AddUser(account, "alice").RequireMFA(8 * time.Hour)
	return &enrolling{
		world: w, user: u, key: u.AddAccessKey(), vault: map[string]string{}, known: map[string]bool{},
		codes: nextCodes, used: &session.UsedCodes{Path: filepath.Join(t.TempDir(), "locks", "state", "used-codes.json")},
	}
}

// nextCodes are two codes in a row, of the step before and of this one.
func nextCodes(d *ststest.Device) (one, two string, err error) {
	now := time.Now()
	return d.Code(now.Add(-provider.CodePeriod)), d.Code(now), nil
}

func (e *enrolling) enroller(g *gate) Enroller {
	return Enroller{
		Client: e.through(e.client(e.key), g), Clock: e.clock(), Account: account, User: "alice",
		Pending: store{g, e.vault}, Used: e.used, Say: e.said.say,
		Show: func(_ context.Context, d Device) error {
			if _, sealed := e.vault["pending "+account+"/alice"]; !sealed || !strings.Contains(e.vault["pending "+account+"/alice"], d.Seed) {
				return errors.New("shown before it was sealed")
			}
			e.shown = d
			return nil
		},
		Codes: func(_ context.Context, serial, _ string) (string, string, error) {
			d := e.Device(serial)
			if d == nil { // deleted meanwhile; the person's app does not know
				one, _, _ := provider.TOTP(e.shown.Seed, time.Now().Add(-provider.CodePeriod))
				two, _, _ := provider.TOTP(e.shown.Seed, time.Now())
				return one, two, nil
			}
			return e.codes(d)
		},
		Finish: func(_ context.Context, d Device) error {
			return g.do(func() error { e.known[d.Serial] = true; return nil })
		},
	}
}

func (e *enrolling) enroll(name string, g *gate) (Device, error) {
	d, err := e.enroller(g).Enroll(g.context(), name)
	e.said.err(err)
	return d, err
}

// unnamed are the devices that lie about at AWS and nobody knows of.
func (e *enrolling) unnamed() []string {
	var all []string
	for n := range 8 {
		name := "alice"
		if n > 0 {
			name = fmt.Sprintf("alice-%d", n+1)
		}
		d := e.Device("arn:aws:iam::" + account + ":mfa/" + name)
		if d == nil || d.Enabled() && e.known[d.Serial] || strings.Contains(e.vault["pending "+account+"/alice"], d.Serial) {
			continue
		}
		if !e.said.has("named "+name+" ") && !e.said.has("named "+name+":") && !e.said.has(d.Serial) {
			all = append(all, d.Serial)
		}
	}
	return all
}

func TestEnroll(t *testing.T) {
	e := newEnrolling(t, ststest.Options{})
	d, err := e.enroll("", &gate{})
	if err != nil {
		t.Fatal(err)
	}
	device := e.Device(d.Serial)
	if d.Serial != "arn:aws:iam::123456789012:mfa/alice" || !device.Enabled() || !e.known[d.Serial] || len(e.vault) != 0 {
		t.Errorf("%v, known %v, pending %v", d, e.known, slices.Collect(maps.Keys(e.vault)))
	}
	// Both codes are spent, for every process here.
	one, two, _ := nextCodes(device)
	for _, c := range []string{one, two} {
		if fresh, err := e.used.Use(t.Context(), d.Serial, c, 0); fresh || err != nil {
			t.Errorf("code %s may be sent again (%v)", c, err)
		}
	}
	// A second one is named after the user, too.
	if d, err = e.enroll("", &gate{}); err != nil || d.Serial != "arn:aws:iam::123456789012:mfa/alice-2" {
		t.Errorf("second: %v, %v", d, err)
	}
	if d, err = e.enroll("phone", &gate{}); err != nil || d.Serial != "arn:aws:iam::123456789012:mfa/phone" {
		t.Errorf("named: %v, %v", d, err)
	}
	if got, want := (Device{Seed: "ABC"}).URL("acme", "a@b.c"), "otpauth://totp/acme:a@b.c?secret=ABC&issuer=AWS"; got != want {
		t.Error(got)
	}
}

// Codes that cannot be right are not sent.
func TestEnrollChecksCodes(t *testing.T) {
	at := func(d *ststest.Device, n int) string {
		return d.Code(time.Now().Add(time.Duration(n) * provider.CodePeriod))
	}
	for name, codes := range map[string]func(d *ststest.Device) (string, string, error){
		"both codes are the same": func(d *ststest.Device) (string, string, error) { return at(d, 0), at(d, 0), nil },
		"backwards":               func(d *ststest.Device) (string, string, error) { return at(d, 0), at(d, -1), nil },
		"a gap":                   func(d *ststest.Device) (string, string, error) { return at(d, -2), at(d, 0), nil },
		"another's":               func(d *ststest.Device) (string, string, error) { return d.WrongCode(), at(d, 0), nil },
	} {
		e := newEnrolling(t, ststest.Options{})
		e.codes = codes
		_, err := e.enroll("", &gate{})
		if !errors.Is(err, provider.ErrRefused) || e.Count("iam:EnableMFADevice") != 0 {
			t.Errorf("%s: %v, %d calls", name, err, e.Count("iam:EnableMFADevice"))
		}
		// The policy lets nobody delete it: it waits, and the next attempt takes it up.
		if !e.said.has("stays at AWS") || len(e.vault) != 1 {
			t.Errorf("%s: %v", name, e.said.text)
		}
		e.codes = nextCodes
		if d, err := e.enroll("", &gate{}); err != nil || d.Serial != "arn:aws:iam::123456789012:mfa/alice" || len(e.vault) != 0 {
			t.Errorf("%s, resumed: %v, %v", name, d, err)
		}
	}
}

// Where AWS lets us, a device that nobody enabled is deleted.
func TestEnrollDeclined(t *testing.T) {
	declined := errors.New("declined")
	e := newEnrolling(t, ststest.Options{})
	e.user.RequireMFA(0)
	e.codes = func(*ststest.Device) (string, string, error) { return "", "", declined }
	if _, err := e.enroll("", &gate{}); !errors.Is(err, declined) {
		t.Error(err)
	}
	if e.Device("arn:aws:iam::123456789012:mfa/alice") != nil || len(e.vault) != 0 || !e.said.has("deleted MFA device") {
		t.Errorf("the device is still there: %v", e.said.text)
	}
}

func TestEnrollRefusals(t *testing.T) {
	full := newEnrolling(t, ststest.Options{})
	for range 8 {
		full.user.AddMFA()
	}
	if _, err := full.enroll("", &gate{}); !errors.Is(err, provider.ErrRefused) || !full.said.has("eight") {
		t.Error(err)
	}
	// Older policies allow only the user's own name.
	old := newEnrolling(t, ststest.Options{})
	old.user.DeviceNames("alice")
	if _, err := old.enroll("", &gate{}); err != nil {
		t.Error(err)
	}
	if _, err := old.enroll("", &gate{}); !isDenied(err) || !old.said.has("only a device with the user's own name") {
		t.Error(err)
	}
	// AWS is busy for a while, and then no more.
	busy := newEnrolling(t, ststest.Options{})
	busy.Inject(ststest.Fault{Kind: ststest.FaultStatus, Operation: "iam:EnableMFADevice", Times: 2, Status: 409, Code: "EntityTemporarilyUnmodifiable"})
	if _, err := busy.enroll("", &gate{}); err != nil || busy.slept != 2*busyPause {
		t.Errorf("%v after %v", err, busy.slept)
	}
	// Somebody deleted the pending one.
	gone := newEnrolling(t, ststest.Options{})
	gone.user.RequireMFA(0)
	gone.codes = func(*ststest.Device) (string, string, error) { return "", "", provider.ErrUnreachable }
	if _, err := gone.enroll("", &gate{}); err == nil || len(gone.vault) != 1 {
		t.Fatalf("%v, %d pending", err, len(gone.vault))
	}
	if err := gone.client(gone.key).deleteDevice(t.Context(), gone.shown.Serial); err != nil {
		t.Fatal(err)
	}
	gone.codes = nextCodes
	if d, err := gone.enroll("", &gate{}); err != nil || !gone.Device(d.Serial).Enabled() || !gone.said.has("was deleted at AWS") {
		t.Errorf("%v, %v: %v", d, err, gone.said.text)
	}
}

// Whatever goes wrong, and wherever, no device is left that nobody knows of,
// and the next attempt succeeds.
func TestEnrollAtEveryPoint(t *testing.T) {
	points := 0
	for _, kill := range []bool{true, false} {
		for _, after := range []bool{false, true} {
			for _, strict := range []bool{true, false} {
				for at := 1; ; at++ {
					e := newEnrolling(t, ststest.Options{})
					if !strict {
						e.user.RequireMFA(0)
					}
					g := &gate{at: at, kill: kill, after: after}
					_, err := e.enroll("", g)
					if g.n < at {
						break
					}
					points++
					name := fmt.Sprintf("kill=%v after=%v strict=%v at %d", kill, after, strict, at)
					if kill && err == nil {
						t.Errorf("%s: nothing was noticed", name)
					}
					if err != nil {
						if d, err := e.enroll("", &gate{}); err != nil || !e.known[d.Serial] || !e.Device(d.Serial).Enabled() {
							t.Errorf("%s: the next attempt: %v, %v\n%s", name, d, err, strings.Join(e.said.text, "\n"))
						}
					}
					if left := e.unnamed(); len(left) > 0 {
						t.Errorf("%s: nobody knows of %v\n%s", name, left, strings.Join(e.said.text, "\n"))
					}
					if len(e.vault) != 0 {
						t.Errorf("%s: %d pending seeds are left", name, len(e.vault))
					}
					e.Close()
				}
			}
		}
	}
	t.Logf("%d points", points)
}
