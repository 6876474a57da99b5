package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// parse fills the tree from the words. What follows the first "--" belongs
// to the child of exec and each; for all other commands it is positional.
func (a *app) parse(words []string) (runner, error) {
	if len(words) == 0 {
		words = []string{"--help"}
	}
	head, tail, given := cutTail(words)
	command, err := a.parseAll(head)
	if e, ok := command.(*execCmd); ok {
		e.setHead(head)
	}
	if !given || errors.Is(err, errDone) {
		return command, err
	}
	if t, ok := command.(tailTaker); ok {
		t.setTail(tail)
		return command, err
	}
	return a.parseAll(words)
}

func cutTail(words []string) (head, tail []string, given bool) {
	for i, w := range words {
		if w == "--" {
			return words[:i], words[i+1:], true
		}
	}
	return words, nil, false
}

func (a *app) parseAll(words []string) (runner, error) {
	a.cli, a.given, a.answered = cli{}, nil, nil
	parser, err := kong.New(&a.cli, a.kongOptions()...)
	if err != nil {
		return nil, err
	}
	k, err := parser.Parse(flagsFirst(parser.Model.Node, words))
	if err == nil {
		err = refuseEmptyWords(k)
	}
	var refused *kong.ParseError
	if errors.As(err, &refused) {
		k = refused.Context
	}
	var setting *settingError
	switch {
	case errors.Is(err, errDone):
		return nil, cmp.Or(a.answered, errDone)
	case errors.As(err, &setting):
		return nil, setting // without kong's words around it
	case err != nil:
		return nil, usageError(plainParseError(k, err), parseHint(k, words))
	}
	a.given = givenFlags(k)
	command, ok := k.Selected().Target.Addr().Interface().(runner)
	if !ok {
		return nil, fmt.Errorf("%s cannot be run", commandPath(k.Selected()))
	}
	return command, nil
}

// givenFlags are the flags of the command line that decide what is minted,
// and from which vault. A token code is good only once, and a command may
// have a passphrase in it.
func givenFlags(k *kong.Context) []string {
	var words []string
	for _, p := range k.Path {
		f := p.Flag
		if f == nil || p.Resolved || f.Group == nil || f.Group.Key != "mint" && f.Group.Key != "vault" || f.Name == "mfa-code" || f.Name == "file-passphrase-command" {
			continue
		}
		word := "--" + f.Name
		if value := fmt.Sprint(f.Target.Interface()); value != "true" || !f.IsBool() {
			word += "=" + value
		}
		words = append(words, word)
	}
	return words
}

// refuseEmptyWords finds what a script's unset variable leaves. It must not mean
// “no profile named”, for which AWS_PROFILE or a question would stand in.
func refuseEmptyWords(k *kong.Context) error {
	for _, p := range k.Path {
		if v := p.Positional; v != nil && !v.Passthrough && hasEmptyWord(v.Target.Interface()) {
			return fmt.Errorf("the %s is an empty word", v.Name)
		}
	}
	return nil
}

func hasEmptyWord(argument any) bool {
	switch words := argument.(type) {
	case string:
		return words == ""
	case []string:
		return slices.Contains(words, "")
	}
	return false
}

// helpHint points to the page of the command that was being parsed.
func helpHint(k *kong.Context) string {
	if k == nil || k.Selected() == nil {
		return "run: groat --help"
	}
	return "run: groat " + commandPath(k.Selected()) + " --help"
}

// quotedWord is what was given, in kong's messages.
var quotedWord = regexp.MustCompile(`"[^"]*"`)

// plainParseError is kong's message without its words for tokens, and
// without its guesses for flags of one letter, to which all are close.
func plainParseError(k *kong.Context, err error) string {
	msg, guess, guessed := strings.Cut(err.Error(), ", did you mean ")
	flag, _ := strings.CutPrefix(msg, "unknown flag ")
	value := quotedWord.FindString(msg)
	switch word, unexpected := strings.CutPrefix(msg, "unexpected argument "); {
	case unexpected && (k.Selected() == nil || len(k.Selected().Children) > 0):
		msg = "unknown command " + quote(word)
	case strings.HasSuffix(msg, `but got "EOL" (<EOL>)`):
		name, _, _ := strings.Cut(msg, ": expected ")
		msg = name + " needs a value"
	case strings.Contains(msg, "(long flag)"), strings.Contains(msg, "(short flag)"):
		name, _, _ := strings.Cut(msg, ": expected ")
		msg = name + " needs a value, and " + value + " is a flag"
	case strings.Contains(msg, ": expected a valid "):
		name, _, _ := strings.Cut(msg, ": expected ")
		msg = name + ": " + value + " is not a whole number"
	case strings.Contains(msg, ": bool value must be "):
		name, _, _ := strings.Cut(msg, ": bool ")
		msg = name + ": " + value + " is neither true nor false"
	case strings.Contains(msg, " must be one of "):
		msg = strings.ReplaceAll(strings.Replace(msg, " but got ", ", not ", 1), `","`, `", "`)
	case strings.HasPrefix(msg, "expected one of "):
		msg = "no command given: " + msg
	case strings.HasPrefix(msg, `expected "`):
		msg = "missing: " + strings.Trim(strings.TrimPrefix(msg, "expected "), `"`)
	}
	if guessed && len(flag) > 2 {
		msg += " (did you mean " + strings.ReplaceAll(guess, "?", "") + "?)"
	}
	return msg
}
