package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"groat/vault/fault"
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
	a.cli, a.prompts.given = cli{}, nil
	parser, err := kong.New(&a.cli, a.kongOptions()...)
	if err != nil {
		return nil, err
	}
	k, err := kong.Trace(parser, flagsFirst(parser.Model.Node, words))
	if err != nil {
		return nil, err
	}
	if answered, err := a.answer(k); answered {
		return nil, cmp.Or(err, errDone)
	}
	if err := a.fill(k); err != nil {
		var setting *fault.Error
		if errors.As(err, &setting) && (errors.Is(setting.Err, errSetting) || errors.Is(setting.Err, errConfigFile)) {
			if doctor, ok := selected(k).(*doctorCmd); ok { // its job
				_, applied := k.Apply()
				doctor.broken = setting
				return doctor, applied
			}
			return nil, setting // without kong's words around it
		}
		return nil, usageError(plainParseError(k, err), parseHint(k, words))
	}
	a.prompts.given = givenFlags(k)
	if command := selected(k); command != nil {
		a.command = commandPath(k.Selected())
		return command, nil
	}
	return nil, usageError("no command given", helpHint(k))
}

// selected is the command that the words name; nil if they name none.
func selected(k *kong.Context) runner {
	node := k.Selected()
	if node == nil {
		return nil
	}
	command, _ := node.Target.Addr().Interface().(runner)
	return command
}

// given is a flag of the command line that decides what is minted (mints), or
// from which vault.
type given struct {
	word  string
	mints bool
}

// givenFlags leaves out a token code, which is good only once, and a command,
// which may have a passphrase in it.
func givenFlags(k *kong.Context) (all []given) {
	for _, p := range k.Path {
		f := p.Flag
		if f == nil || p.Resolved || f.Group == nil || f.Group.Key != "mint" && f.Group.Key != "vault" || f.Name == "mfa-code" || f.Name == "file-passphrase-command" {
			continue
		}
		word := "--" + f.Name
		if value := fmt.Sprint(f.Target.Interface()); value != "true" || !f.IsBool() {
			word += "=" + value
		}
		g := given{word, f.Group.Key == "mint"}
		if !slices.Contains(all, g) { // a flag that may be repeated: this is all of it
			all = append(all, g)
		}
	}
	return all
}

// answering is a flag that answers instead of the command.
type answering interface {
	answer(a *app, k *kong.Context) error
}

// answer lets such a flag answer, before anything else is looked at, so that
// --help works with broken settings too. Words that are no groat command line
// have no answer.
func (a *app) answer(k *kong.Context) (answered bool, err error) {
	if k.Error != nil {
		return false, nil
	}
	for _, p := range k.Path {
		if p.Flag == nil {
			continue
		}
		if f, ok := p.Flag.Target.Interface().(answering); ok {
			return true, f.answer(a, k)
		}
	}
	return false, nil
}

// fill takes the steps of kong's Parse, but for hooks and validation: kong
// finds those by methods' names that the linker cannot know, so that every
// exported method of every type in use would have to stay in the program, a
// seventh of its size.
func (a *app) fill(k *kong.Context) error {
	if k.Error != nil {
		return k.Error
	}
	if err := k.Reset(); err != nil {
		return err
	}
	if err := k.Resolve(); err != nil {
		return err
	}
	if _, err := k.Apply(); err != nil {
		return err
	}
	if err := a.settings.Validate(k.Model); err != nil {
		return err
	}
	return validate(k)
}

// validate checks what the tree says of its flags and arguments: required,
// enum, xor, and that a command is named.
func validate(k *kong.Context) error {
	node := k.Selected()
	if node == nil || len(node.Children) > 0 {
		return errors.New("no command given")
	}
	for n := node; n != nil; n = n.Parent {
		first := map[string]string{} // xor group → the flag of it that is given
		for _, v := range n.Values() {
			name := strings.ToUpper(v.Name)
			if v.Flag != nil {
				name = "--" + v.Name
			}
			switch {
			case v.Required && !v.Set:
				return errors.New(name + " is missing" + asIn(node))
			case v.Enum != "" && !slices.Contains(v.EnumSlice(), v.Target.String()):
				return fmt.Errorf("%s: %w", name, notOneOf(v.Target.String(), v.EnumSlice()))
			case v.Flag == nil && v.Set && !v.Passthrough && hasEmptyWord(v.Target.Interface()):
				return fmt.Errorf("%s is empty", name)
			case v.Flag != nil && v.Set:
				for _, group := range v.Flag.Xor {
					if other := first[group]; other != "" {
						return fmt.Errorf("%s and %s cannot be used together", other, name)
					}
					first[group] = name
				}
			}
		}
	}
	return nil
}

// asIn is the first example of a command, behind what its words lack.
func asIn(node *kong.Node) string {
	if list := examplesOf(commandPath(node)); len(list) > 0 {
		return ", as in: " + list[0].line
	}
	return ""
}

// hasEmptyWord finds what a script's unset variable leaves. It must not mean
// “no profile named”, for which AWS_PROFILE or a question would stand in.
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
	}
	if guessed && len(flag) > 2 {
		msg += " (did you mean " + strings.ReplaceAll(guess, "?", "") + "?)"
	}
	return msg
}
