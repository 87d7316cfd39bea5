package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// The declarations of what is inside the package; nobody imports them.
var inside = regexp.MustCompile(`^(apply|beside|bridge|client|core|entry|errors|hold|inline|load|places|reading|state|virtual)\.d\.ts$`)

var relative = regexp.MustCompile(`(['"]\./[\w-]+)\.js(['"])`)

// declare lets the compiler write the declarations and copies them to dist, for ES modules and for CommonJS: there the
// same text must import the .cjs files.
func declare() error {
	if err := os.RemoveAll(filepath.Join("out", "types")); err != nil {
		return err
	}
	compiler := exec.Command("node_modules/.bin/tsc", "-p", "tsconfig.json")
	compiler.Stdout, compiler.Stderr = os.Stdout, os.Stderr
	if err := compiler.Run(); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join("out", "types", "*.d.ts"))
	if err != nil {
		return err
	}
	for _, file := range files {
		name := filepath.Base(file)
		if inside.MatchString(name) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dist, name), text, 0o644); err != nil {
			return err
		}
		name = strings.TrimSuffix(name, ".d.ts") + ".d.cts"
		if err := os.WriteFile(filepath.Join(dist, name), relative.ReplaceAll(text, []byte("$1.cjs$2")), 0o644); err != nil {
			return err
		}
	}
	return nil
}
