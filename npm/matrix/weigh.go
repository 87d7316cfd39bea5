package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/chromedp"
)

// chatWeight is what the weight of the README's chat is called.
const chatWeight = "README's chat"

// A weight is what a built page loads, in bytes: the sum of its scripts and modules, each compressed by itself.
type weight struct {
	what         string
	brotli, gzip int
}

// weigh adds up the files that the page has loaded from the folder.
func (m *matrix) weigh(p *page, what, folder string) error {
	loaded, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](`performance.getEntriesByType('resource').map((entry) => entry.name)`))
	if err != nil {
		return err
	}
	w := weight{what: what}
	for _, address := range loaded {
		at, err := url.Parse(address)
		if err != nil {
			return err
		}
		if kind := filepath.Ext(at.Path); kind != ".js" && kind != ".wasm" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(at.Path)))
		if err != nil {
			return err
		}
		w.brotli += compressed(text, func(to io.Writer) io.WriteCloser { return brotli.NewWriterLevel(to, brotli.BestCompression) })
		w.gzip += compressed(text, func(to io.Writer) io.WriteCloser { return must(gzip.NewWriterLevel(to, gzip.BestCompression)) })
	}
	m.weights = append(m.weights, w)
	return nil
}

func must(w *gzip.Writer, err error) *gzip.Writer {
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}

func compressed(text []byte, by func(io.Writer) io.WriteCloser) int {
	var to bytes.Buffer
	w := by(&to)
	if _, err := w.Write(text); err != nil {
		panic(err) // a buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return to.Len()
}

// quote is the README's sentence, with thousands of bytes.
var quote = regexp.MustCompile(`default Vite build of this chat\s+transfers ([\d,]+)\s+KB with\s+brotli\s+and\s+([\d,]+)\s+KB\s+with\s+gzip`)

// tolerance is how far the README's figures may be from those that were found.
const tolerance = 0.05

// quoted compares what was found with what the README says.
func (m *matrix) quoted() error {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		return err
	}
	said := quote.FindSubmatch(text)
	if said == nil {
		return fmt.Errorf("README.md does not say what a default Vite build transfers: %s", quote)
	}
	for _, w := range m.weights {
		if w.what != chatWeight {
			continue
		}
		for i, found := range []int{w.brotli, w.gzip} {
			figure, err := strconv.Atoi(string(bytes.ReplaceAll(said[i+1], []byte(","), nil)))
			if err != nil {
				return err
			}
			if off := float64(figure*1000)/float64(found) - 1; off > tolerance || off < -tolerance {
				return fmt.Errorf("README.md says %d KB, and it is %d bytes", figure, found)
			}
		}
	}
	return nil
}
