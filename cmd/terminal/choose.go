package terminal

import (
	"context"
	"fmt"
	"strconv"

	"github.com/sahilm/fuzzy"
)

// shownItems is how many items a list shows at once; typing narrows it.
const shownItems = 20

// Choose lets a person pick one of the items on the terminal and returns its
// index. The answer is a number from the list or part of a name: an exact
// name or the only match is chosen, several are listed anew, best first.
func (u *UI) Choose(ctx context.Context, title string, items []string) (int, error) {
	if len(items) == 0 {
		return 0, noTerminal("there is nothing to choose from")
	}
	shown := make([]int, len(items)) // what the numbers on the screen stand for
	for i := range items {
		shown[i] = i
	}
	for range maxTries {
		q := Question{Title: title, Prompt: "number or part of a name"}
		for n, i := range shown {
			if n == shownItems {
				q.Details = append(q.Details, Detail{"…", fmt.Sprintf("and %d more", len(shown)-n)})
				break
			}
			q.Details = append(q.Details, Detail{fmt.Sprintf("%2d", n+1), items[i]})
		}
		var chosen int
		var matches []int
		q.Check = func(b []byte) string {
			answer := string(b)
			if chosen, matches = pick(answer, items, shown); chosen < 0 && len(matches) == 0 {
				return "nothing matches " + strconv.Quote(answer)
			}
			return ""
		}
		if _, err := u.ask(ctx, q, kindTerminalLine); err != nil {
			return 0, err
		}
		if chosen >= 0 {
			return chosen, nil
		}
		shown = matches
	}
	return 0, fmt.Errorf("%w after %d answers that chose nothing", ErrCancelled, maxTries)
}

// pick decides on an answer: the chosen index, or -1 and the indexes that
// match. An exact name comes before a number: profiles may be called "2".
func pick(answer string, items []string, shown []int) (int, []int) {
	for i, it := range items {
		if it == answer {
			return i, nil
		}
	}
	if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(shown) {
		return shown[n-1], nil
	}
	var matches []int
	for _, m := range fuzzy.Find(answer, items) {
		matches = append(matches, m.Index)
	}
	if len(matches) == 1 {
		return matches[0], nil
	}
	return -1, matches
}
