package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// virtual is a source that this program makes.
type virtual struct {
	text   string
	loader api.Loader
}

// A bundle is one run of esbuild: all ES modules share chunks; each CommonJS file imports the others as they are, so
// that the class is there once.
type bundle struct {
	format  api.Format
	entries []string
}

var bundles = []bundle{
	{api.FormatESModule, []string{"index", "slim", "react"}},
	{api.FormatCommonJS, []string{"core"}},
	{api.FormatCommonJS, []string{"index"}},
	{api.FormatCommonJS, []string{"slim"}},
	{api.FormatCommonJS, []string{"react"}},
}

func (b bundle) build(made map[string]virtual) error {
	options := api.BuildOptions{
		Outdir:        dist,
		Bundle:        true,
		Format:        b.format,
		Platform:      api.PlatformNeutral,
		Target:        api.ES2020,
		Packages:      api.PackagesExternal,
		MinifySyntax:  true,
		LegalComments: api.LegalCommentsInline,
		Write:         true,
		LogLevel:      api.LogLevelSilent,
		Plugins:       []api.Plugin{provide(made)},
	}
	options.MinifyWhitespace, options.MinifyIdentifiers = true, true // as an app's own build would do; it is a tenth of our JavaScript
	for _, entry := range b.entries {
		options.EntryPoints = append(options.EntryPoints, "src/"+entry+".ts")
	}
	if b.format == api.FormatESModule {
		options.Splitting, options.ChunkNames = true, "chunks/[name]-[hash]"
	} else {
		options.OutExtension = map[string]string{".js": ".cjs"}
		options.Supported = map[string]bool{"dynamic-import": false} // a lazy require: some test runners have no import() there
		options.Plugins = append([]api.Plugin{siblings(b.entries[0])}, options.Plugins...)
	}
	result := api.Build(options)
	if messages := append(result.Errors, result.Warnings...); len(messages) > 0 {
		lines := api.FormatMessages(messages, api.FormatMessagesOptions{})
		return fmt.Errorf("bundle %s: %w", strings.Join(b.entries, ", "), errors.New(strings.Join(lines, "\n")))
	}
	return nil
}

// provide gives esbuild the sources that are made here.
func provide(made map[string]virtual) api.Plugin {
	return api.Plugin{Name: "provide", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: "^virtual:"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: args.Path, Namespace: "virtual"}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "virtual"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			source, ok := made[args.Path]
			if !ok {
				return api.OnLoadResult{}, fmt.Errorf("nothing provides %s", args.Path)
			}
			return api.OnLoadResult{Contents: &source.text, Loader: source.loader}, nil
		})
	}}
}

// siblings leaves imports of what is a CommonJS file of its own to that file. Everything that index and slim share is
// core's.
func siblings(self string) api.Plugin {
	files := map[string]string{
		"./client.js": "core", "./errors.js": "core", "./load.js": "core", "./core.js": "core", "./index.js": "index",
	}
	return api.Plugin{Name: "siblings", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: `^\./`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			if args.Path == "./inline.js" { // CommonJS reads client.wasm: a third copy of it would double the package
				return api.OnResolveResult{Path: filepath.Join(args.ResolveDir, "beside.ts")}, nil
			}
			file, ok := files[args.Path]
			if !ok || file == self || self == "core" {
				return api.OnResolveResult{}, nil
			}
			return api.OnResolveResult{Path: "./" + file + ".cjs", External: true}, nil
		})
	}}
}
