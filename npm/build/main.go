// Command build makes the npm package in npm/dist: the client's WebAssembly module, the JavaScript around it as ES
// modules and as CommonJS, and the declarations; and the package's README.md. It prints what a browser downloads, and fails on any warning.
//
// It is run in the folder npm, by make npm.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const dist = "dist"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "npm:", err)
		os.Exit(1)
	}
}

func run() error {
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	module, err := buildModule()
	if err != nil {
		return fmt.Errorf("build the module: %w", err)
	}
	made, err := virtualModules(module)
	if err != nil {
		return err
	}
	for _, bundle := range bundles {
		if err := bundle.build(made); err != nil {
			return err
		}
	}
	if err := declare(); err != nil {
		return fmt.Errorf("write the declarations: %w", err)
	}
	if err := writeReadme(); err != nil {
		return fmt.Errorf("write the package's README: %w", err)
	}
	return printSizes()
}

// buildModule compiles the Go client to dist/client.wasm.
func buildModule() ([]byte, error) {
	file, err := filepath.Abs(filepath.Join(dist, "client.wasm"))
	if err != nil {
		return nil, err
	}
	command := exec.Command("scripts/module.sh", file, "./jsbridge/cmd/client")
	command.Dir = ".."
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// virtualModules returns the sources that are made here, by the names that the TypeScript imports them by.
func virtualModules(module []byte) (map[string]virtual, error) {
	executor, err := wasmExec()
	if err != nil {
		return nil, fmt.Errorf("read Go's wasm_exec.js: %w", err)
	}
	var small bytes.Buffer
	to, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := to.Write(module); err != nil {
		return nil, err
	}
	if err := to.Close(); err != nil {
		return nil, err
	}
	version, err := packageVersion()
	if err != nil {
		return nil, err
	}
	return map[string]virtual{
		"virtual:wasm-exec":   {executor, api.LoaderJS},
		"virtual:wasm-inline": {small.String(), api.LoaderBinary},
		"virtual:version":     {fmt.Sprintf("export default %q", version), api.LoaderJS},
	}, nil
}

func packageVersion() (string, error) {
	text, err := os.ReadFile("package.json")
	if err != nil {
		return "", err
	}
	var manifest struct{ Version string }
	err = json.Unmarshal(text, &manifest)
	return manifest.Version, err
}

var bareFS = regexp.MustCompile(`(^|[^.\w])fs\.writeSync`)

// wasmExec returns the wasm_exec.js of the Go that has built the module, as a function of what it takes for globalThis.
// As it is, it would set fs, process, path and Go on the page.
func wasmExec() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return "", err
	}
	source := string(text)
	if bareFS.FindAllString(source, -1) == nil || !strings.Contains(source, "globalThis.Go = class") {
		return "", errors.New("it is not as this program knows it; look at what has changed")
	}
	license, body, _ := strings.Cut(source, "\"use strict\";")
	body = bareFS.ReplaceAllString(body, "${1}globalThis.fs.writeSync")
	scoped := "export function makeGo(globalThis) {\n" +
		"const {TextEncoder, TextDecoder, crypto, performance} = globalThis;\n" + body + "\nreturn globalThis.Go;\n}\n"
	small := api.Transform(scoped, api.TransformOptions{MinifyIdentifiers: true, Format: api.FormatESModule, LogLevel: api.LogLevelSilent})
	if len(small.Errors) > 0 {
		return "", errors.New(small.Errors[0].Text)
	}
	return "/*! wasm_exec.js of Go\n" + license + "*/\n" + string(small.Code), nil
}
