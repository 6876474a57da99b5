package files

import (
	"slices"
	"testing"
)

func TestStrangersOfAnAccessList(t *testing.T) {
	const us, them = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
	for sddl, want := range map[string][]string{
		ownSDDL(us):                                            {},
		"O:" + us + "G:" + us + ownSDDL(us):                    {},
		"O:BAG:SY" + ownSDDL(us):                               {},
		"O:" + us + "D:AI(A;OICIIO;FA;;;CO)":                   {},
		"O:" + us + "D:(D;;FA;;;WD)(A;;FA;;;OW)":               {},
		"O:" + us + "D:P(A;;FA;;;S-1-5-18)S:(AU;SAFA;FA;;;WD)": {},
		"O:" + them + "G:" + us + ownSDDL(us):                  {"owner " + them},
		"O:" + us + "D:(A;;FR;;;WD)":                           {"WD"},
		"O:" + us + "D:(A;;FR;;;BU)(A;;FA;;;BU)":               {"BU"},
		"O:" + us + ownSDDL(us) + "(A;;0x1;;;" + them + ")":    {them},
		"O:" + us + "D:(XA;;FX;;;WD;(@User.Title==\"x\"))":     {"WD"},
		"O:" + us:                         {"WD"},
		"O:" + us + "D:NO_ACCESS_CONTROL": {"WD"},
		"O:" + us + "D:(what is this)":    {"WD"},
	} {
		owner, got := strangers(sddl, us)
		if owner != "" {
			got = append(got, "owner "+owner)
		}
		if !slices.Equal(append([]string{}, got...), want) {
			t.Errorf("%s: %q, want %q", sddl, got, want)
		}
	}
}
