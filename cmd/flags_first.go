package cmd

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// flagsFirst puts the flags of a command that takes any number of words
// before those words: the parser ends such a list at the first flag, so that
// `each dev -j 1 prod` and `remove a --force b` would be refused. All other
// command lines stay as they are.
func flagsFirst(root *kong.Node, words []string) []string {
	w := completer{node: root}
	var first, list, dashes []string
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			dashes = words[i : i+1]
			list = append(list, words[i+1:]...)
			i = len(words)
		case strings.HasPrefix(word, "-") && len(word) > 1:
			first = append(first, word)
			if w.wantsValue(word) && i+1 < len(words) {
				i++
				first = append(first, words[i])
			}
		case len(w.node.Children) > 0:
			if w.node = subcommand(w.node, word); w.node == nil {
				return words
			}
			first = append(first, word)
		default:
			list = append(list, word)
		}
	}
	arguments := w.node.Positional
	if len(arguments) == 0 || !arguments[len(arguments)-1].IsCumulative() || arguments[len(arguments)-1].Passthrough {
		return words
	}
	return slices.Concat(first, dashes, list)
}

// wantsValue reports whether a flag's value is the next word.
func (w *completer) wantsValue(word string) bool {
	if strings.HasPrefix(word, "--") {
		flag := w.flag(word)
		return flag != nil && !flag.IsBool() && !strings.Contains(word, "=")
	}
	for i := 1; i < len(word); i++ { // -fj 4, -j4
		flag := w.flag("-" + word[i:i+1])
		if flag == nil {
			return false
		}
		if !flag.IsBool() {
			return i == len(word)-1
		}
	}
	return false
}
