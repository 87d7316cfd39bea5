package e2e

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// A console is what a page has said that people do not see, and where it has asked for something.
type console struct {
	mu       sync.Mutex
	lines    []string
	errors   []string
	expected []*regexp.Regexp // the errors that the test provokes
	sockets  int              // connections that the page has tried
	frames   int              // what has come over them
}

// hear takes the browser's events; it runs on the connection to the browser and must be quick.
func (c *console) hear(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		c.say(string(e.Type), e.Type == "error" || e.Type == "assert", argumentsText(e.Args))
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		c.say("uncaught", true, text)
	case *log.EventEntryAdded:
		c.say(string(e.Entry.Level), e.Entry.Level == log.EntryLevelError, strings.TrimSpace(e.Entry.Text+" "+e.Entry.URL))
	case *network.EventRequestWillBeSent:
		c.asked(e.Request.URL)
	case *network.EventWebSocketCreated:
		c.sockets++
		c.asked(e.URL)
	case *network.EventWebSocketFrameReceived:
		c.frames++
	}
}

func (c *console) say(kind string, isError bool, text string) {
	c.lines = append(c.lines, kind+": "+text)
	if isError {
		c.errors = append(c.errors, kind+": "+text)
	}
}

// asked holds that no request leaves this machine.
func (c *console) asked(address string) {
	target, err := url.Parse(address)
	if err != nil {
		c.say("request", true, address+": "+err.Error())
		return
	}
	switch host := target.Hostname(); {
	case slices.Contains([]string{"data", "blob", "about"}, target.Scheme):
	case host != "127.0.0.1" && host != "localhost" && host != elsewhere:
		c.say("request", true, "leaves this machine: "+address)
	}
}

// unexpected returns the errors that the test has not named.
func (c *console) unexpected() (lines []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range c.errors {
		if !slices.ContainsFunc(c.expected, func(pattern *regexp.Regexp) bool { return pattern.MatchString(line) }) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (c *console) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}

// attempts returns how many WebSockets the page has tried to open.
func (c *console) attempts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sockets
}

// argumentsText is what the arguments of console.error and its like say.
func argumentsText(arguments []*runtime.RemoteObject) string {
	var words []string
	for _, argument := range arguments {
		switch text, err := strconv.Unquote(string(argument.Value)); {
		case err == nil:
			words = append(words, text)
		case len(argument.Value) > 0:
			words = append(words, string(argument.Value))
		default:
			words = append(words, fmt.Sprint(argument.Description))
		}
	}
	return strings.Join(words, " ")
}
