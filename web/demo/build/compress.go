package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/andybalholm/brotli"
)

// compress writes FILE.br and FILE.gz beside every file. What is compressed already (the module inside the npm package,
// which these pages do not load) stays as it is. Results are kept in out, by the name, which has the hash.
func compress(manifest map[string]made) error {
	files, err := os.ReadDir(dist)
	if err != nil {
		return err
	}
	small := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dist, file.Name()))
		if err != nil {
			return err
		}
		if strings.HasPrefix(file.Name(), "inline-") {
			continue
		}
		size, err := compressed(file.Name()+".br", text, func(to io.Writer) io.WriteCloser {
			return brotli.NewWriterOptions(to, brotli.WriterOptions{Quality: quality(len(text)), LGWin: 24})
		})
		if err != nil {
			return err
		}
		small[file.Name()] = size
		if _, err := compressed(file.Name()+".gz", text, func(to io.Writer) io.WriteCloser {
			writer, _ := gzip.NewWriterLevel(to, gzip.BestCompression) // the level is one that there is
			return writer
		}); err != nil {
			return err
		}
	}
	for name, m := range manifest {
		m.Small = small[m.Path]
		manifest[name] = m
	}
	return nil
}

// quality is brotli's: the best one takes half a minute for what is large, and the next best a few seconds.
func quality(bytes int) int {
	if bytes > 6_000_000 {
		return 9
	}
	return brotli.BestCompression
}

func compressed(name string, text []byte, writer func(io.Writer) io.WriteCloser) (size int, err error) {
	kept := filepath.Join(out, name)
	small, err := os.ReadFile(kept)
	if errors.Is(err, fs.ErrNotExist) {
		var to bytes.Buffer
		w := writer(&to)
		_, err = w.Write(text)
		if err = errors.Join(err, w.Close()); err != nil {
			return 0, err
		}
		small = to.Bytes()
		err = os.WriteFile(kept, small, 0o644)
	}
	if err != nil {
		return 0, err
	}
	return len(small), os.WriteFile(filepath.Join(dist, name), small, 0o644)
}
