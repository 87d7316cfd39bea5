package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/andybalholm/brotli"
)

// The limits, in bytes of brotli 11.
const mostJavaScript = 12_000

// printSizes prints every file, and fails where the JavaScript of an ES entry with its chunks, the module left out, is
// over the limit.
func printSizes() error {
	var code bytes.Buffer // what index.js and react.js load, as one
	err := filepath.WalkDir(dist, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Printf("%-34s %9d bytes%s\n", path, len(text), briefly(text))
		if filepath.Ext(path) == ".js" && !strings.Contains(path, "inline") && filepath.Base(path) != "slim.js" {
			code.Write(text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	size := compressed(code.Bytes())
	fmt.Printf("our JavaScript without the module: %d bytes brotli; the limit is %d\n", size, mostJavaScript)
	if size > mostJavaScript {
		return fmt.Errorf("our JavaScript is %d bytes over the limit", size-mostJavaScript)
	}
	return nil
}

// briefly says what a small file weighs on the wire; make size says it of the module, which takes long.
func briefly(text []byte) string {
	if len(text) > 100_000 {
		return ""
	}
	return fmt.Sprintf(", brotli %5d", compressed(text))
}

func compressed(text []byte) int {
	var to bytes.Buffer
	writer := brotli.NewWriterOptions(&to, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: 24})
	if _, err := writer.Write(text); err != nil {
		panic(err) // a buffer takes everything
	}
	if err := writer.Close(); err != nil {
		panic(err)
	}
	return to.Len()
}
