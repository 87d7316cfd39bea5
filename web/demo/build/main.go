// Command build makes what the demo's pages load, in web/demo/dist: the Go page as WebAssembly, the React page and the
// front page as bundles of the npm package, the style; each under a name with the hash of its content, and compressed.
//
// It is run in the folder web/demo, by make demo, after the npm package was built.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	dist    = "dist/assets"
	out     = "out" // what is kept between builds
	npm     = "../../npm"
	goRooms = "chat.wasm"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// made is what the manifest says of a file.
type made struct {
	Path  string `json:"path"`
	Bytes int    `json:"bytes"`
	Small int    `json:"small"`
}

func run() error {
	if err := errors.Join(os.RemoveAll(dist), os.MkdirAll(dist, 0o755), os.MkdirAll(out, 0o755)); err != nil {
		return err
	}
	manifest := map[string]made{}
	steps := []struct {
		name string
		do   func(map[string]made) error
	}{
		{"compile the Go page", goPage},
		{"copy the client's module, the icon and Go's wasm_exec.js", copies},
		{"bundle the React page, the front page and the style", bundle},
		{"compress, with brotli and gzip", compress},
	}
	for _, step := range steps {
		began := time.Now()
		fmt.Printf("%-60s", step.name)
		if err := step.do(manifest); err != nil {
			fmt.Println()
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("%5.1f s\n", time.Since(began).Seconds())
	}
	page, client := manifest[goRooms], manifest["client.wasm"]
	fmt.Printf("the Go page's module is %d bytes (%d brotli); the npm package's %d (%d brotli)\n", page.Bytes, page.Small, client.Bytes, client.Small)
	text, err := json.MarshalIndent(manifest, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile("dist/manifest.json", text, 0o644)
}

func goPage(manifest map[string]made) error {
	file := filepath.Join(out, goRooms)
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", file, "./chat")
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return err
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	command = exec.Command("go", "run", "./internal/shrink/cmd/shrink", file)
	command.Dir, command.Stderr = "../..", os.Stderr
	if err := command.Run(); err != nil {
		return err
	}
	return put(manifest, file)
}

func copies(manifest map[string]made) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	for _, file := range []string{
		filepath.Join(npm, "dist", "client.wasm"), "style/icon.svg",
		filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"),
	} {
		if err := put(manifest, file); err != nil {
			return err
		}
	}
	return nil
}

// put copies a file to dist under a name with its hash.
func put(manifest map[string]made, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(text)
	name, extension := filepath.Base(file), filepath.Ext(file)
	hashed := strings.TrimSuffix(name, extension) + "-" + strings.ToUpper(hex.EncodeToString(hash[:4])) + extension
	manifest[name] = made{Path: hashed, Bytes: len(text)}
	return os.WriteFile(filepath.Join(dist, hashed), text, 0o644)
}

// entries are what the pages name; everything else is loaded by them.
var entries = []string{"react/chat.tsx", "front/front.ts", "chat/load.ts", "style/chat.css"}

func bundle(manifest map[string]made) error {
	modules, err := filepath.Abs(filepath.Join(npm, "node_modules"))
	if err != nil {
		return err
	}
	here, err := filepath.Abs(filepath.Join(npm, "dist"))
	if err != nil {
		return err
	}
	result := api.Build(api.BuildOptions{
		EntryPoints: entries, EntryNames: "[name]-[hash]", ChunkNames: "[name]-[hash]",
		Outdir: dist, Bundle: true, Splitting: true, Format: api.FormatESModule, Platform: api.PlatformBrowser, Target: api.ES2022,
		JSX: api.JSXAutomatic, NodePaths: []string{modules},
		Alias: map[string]string{
			"server-state-sync/react": filepath.Join(here, "react.js"),
			"server-state-sync":       filepath.Join(here, "index.js"),
		},
		Define:           map[string]string{"process.env.NODE_ENV": `"production"`},
		MinifyWhitespace: true, MinifySyntax: true, MinifyIdentifiers: true, LegalComments: api.LegalCommentsEndOfFile,
		Write: true, Metafile: true, LogLevel: api.LogLevelSilent,
		LogOverride: map[string]api.LogLevel{"ignored-bare-import": api.LogLevelSilent}, // between the npm package's own chunks
	})
	if messages := append(result.Errors, result.Warnings...); len(messages) > 0 {
		return errors.New(strings.Join(api.FormatMessages(messages, api.FormatMessagesOptions{}), "\n"))
	}
	var meta struct {
		Outputs map[string]struct {
			Bytes      int
			EntryPoint string
		}
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return err
	}
	for path, output := range meta.Outputs {
		if output.EntryPoint == "" {
			continue
		}
		name := filepath.Base(output.EntryPoint)
		name = strings.TrimSuffix(name, filepath.Ext(name)) + filepath.Ext(path)
		manifest[name] = made{Path: filepath.Base(path), Bytes: output.Bytes}
	}
	return nil
}
