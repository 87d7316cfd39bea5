package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The package's README.md is made of the repository's: what stands before its first section, and these sections.
var sections = []string{"In JavaScript and React", "From version 1", "Documents"}

const (
	readme = "README.md"
	files  = "https://github.com/server-state-sync/server-state-sync/blob/HEAD/"
)

// writeReadme writes what npm shows of the package.
func writeReadme() error {
	text, err := os.ReadFile(filepath.Join("..", readme))
	if err != nil {
		return err
	}
	head, rest, _ := strings.Cut(string(text), "\n## ")
	parts := []string{head}
	for _, section := range sections {
		_, body, found := strings.Cut("\n## "+rest, "\n## "+section+"\n")
		if !found {
			return fmt.Errorf("%s has no section %q", readme, section)
		}
		body, _, _ = strings.Cut(body, "\n## ")
		parts = append(parts, "## "+section+"\n"+body)
	}
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	made, err := standAlone(strings.Join(parts, "\n\n")+"\n", string(text))
	if err != nil {
		return err
	}
	return os.WriteFile(readme, []byte(made), 0o644)
}

var (
	link    = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noPlace = regexp.MustCompile(`[^a-z0-9 -]`)
)

// standAlone lets the links of a text lead into the repository, but for those to its own headings. whole is what the
// text was taken from.
func standAlone(text, whole string) (string, error) {
	own, all := places(text), places(whole)
	var wrong []error
	made := link.ReplaceAllStringFunc(text, func(found string) string {
		to := link.FindStringSubmatch(found)
		file, place := to[1], to[2]
		switch {
		case file != "":
			return "](" + files + file + place + ")"
		case own[place]:
			return found
		case !all[place]:
			wrong = append(wrong, fmt.Errorf("%s has no heading for its link to %s", readme, place))
		}
		return "](" + files + readme + place + ")"
	})
	return made, errors.Join(wrong...)
}

// places lists what leads to the headings of a text, as GitHub and npm name them.
func places(text string) map[string]bool {
	found := map[string]bool{}
	for _, title := range heading.FindAllStringSubmatch(text, -1) {
		found["#"+strings.ReplaceAll(noPlace.ReplaceAllString(strings.ToLower(title[1]), ""), " ", "-")] = true
	}
	return found
}
