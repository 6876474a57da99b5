package cmd

import (
	"slices"
	"strings"

	"groat/provider/profile"
)

// agentSetting has no flag: it is a habit of the machine, not of one command.
const agentSetting = "agent"

// agentRule is what an agent may where a profile does not say; "" where none
// calls, or nobody said.
func (s *settings) agentRule(agent string) (string, error) {
	if agent == "" {
		return "", nil
	}
	text, place, inFile, err := s.value(agentSetting)
	if err == nil && place != "" && !slices.Contains(profile.AgentWords, text) {
		err = settingError(place, notOneOf(text, profile.AgentWords).Error(), inFile, "")
	}
	return text, err
}

// agents are the variables by which AI agents show themselves to what they
// start, with the products' names. The AWS SDKs look at the same ones.
var agents = []struct{ variable, name string }{
	{"CLAUDECODE", "claude"},
	{"GEMINI_CLI", "gemini"},
	{"CODEX_THREAD_ID", "codex"},
	{"KIRO_SESSION_ID", "kiro"},
	{"OPENCODE", "opencode"},
	{"ANTIGRAVITY_AGENT", "antigravity"},
	{"AMP_CURRENT_THREAD_ID", "amp"},
	{"PI_CODING_AGENT", "pi"},
	{"COPILOT_CLI", "copilot"},
	{"CURSOR_AGENT", "cursor"},
}

// agentVariable is set by others to their own name.
const agentVariable = "AI_AGENT"

// maxAgentName leaves room for a user's name in a role session name.
const maxAgentName = 32

// agent is the AI agent that calls, in lower case; "" where none shows
// itself. It is a seat belt: whoever calls can take a variable away.
func (e environment) agent() string {
	for _, known := range agents {
		if e.getenv(known.variable) != "" {
			return known.name
		}
	}
	name := strings.Map(agentRune, strings.ToLower(e.getenv(agentVariable)))
	return name[:min(len(name), maxAgentName)]
}

// agentRune leaves what may stand in a role session name.
func agentRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_+=,.@-", r) {
		return r
	}
	return -1
}
