package busguard

// D-Bus clients are linked on Linux only.
func init() { withhold() }
