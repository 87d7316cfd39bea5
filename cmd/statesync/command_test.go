package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name      string
		arguments []string
		code      int
		stdout    string
		stderr    string
	}{
		{"help", []string{"--help"}, 0, "Exit codes: 0 all was done;", ""},
		{"nothing", nil, 0, "serve states to clients", ""},
		{"version", []string{"version"}, 0, "statesync 2.0.0", ""},
		{"help of a command", []string{"append", "--help"}, 0, "seq 1 1000 | statesync append --json ws://127.0.0.1:5000 demo numbers", ""},
		{"no such command", []string{"wach"}, 2, "", `there is no command "wach"; the commands are serve, watch, get, append, update, patch, export, import, version and completion`},
		{"no such flag", []string{"watch", "--jsn"}, 2, "", "watch: flag provided but not defined: -jsn"},
		{"no state", []string{"watch", "ws://127.0.0.1:1"}, 2, "", "watch: STATE is missing; usage: statesync watch URL STATE"},
		{"one too many", []string{"watch", "ws://127.0.0.1:1", "a", "b"}, 2, "", `watch: "b" is one argument too many; usage: statesync watch URL STATE`},
		{"an empty property", []string{"append", "ws://127.0.0.1:1", "a", ""}, 2, "", "append: PROPERTY is empty; usage: statesync append URL STATE PROPERTY"},
		{"help of get", []string{"get", "--help"}, 0, `With --json the line is {"version":N,"value":VALUE}`, ""},
		{"help of update", []string{"update", "--help"}, 0, `Prints the version that the change made; with --json as {"version":N}.`, ""},
		{"help of patch", []string{"patch", "--help"}, 0, `those of JSON Patch (RFC 6902)`, ""},
		{"get without a state", []string{"get", "ws://127.0.0.1:1"}, 2, "", "get: STATE is missing; usage: statesync get URL STATE [POINTER]"},
		{"get of two", []string{"get", "ws://127.0.0.1:1", "a", "/b", "/c"}, 2, "", `get: "/c" is one argument too many; usage: statesync get URL STATE [POINTER]`},
		{"update without a state", []string{"update", "ws://127.0.0.1:1"}, 2, "", "update: STATE is missing; usage: statesync update URL STATE [JSON|-]"},
		{"two patches", []string{"patch", "ws://127.0.0.1:1", "a", "[]", "[]"}, 2, "", `patch: "[]" is one argument too many; usage: statesync patch URL STATE [JSON|-]`},
		{"update of a URL that is none", []string{"update", "ftp://example.com", "a", "{}"}, 2, "", `update: the endpoint's scheme is "ftp", not ws, wss, http or https`},
		{"no shell", []string{"completion"}, 2, "", "completion: SHELL is missing; usage: statesync completion SHELL"},
		{"no such shell", []string{"completion", "tcsh"}, 2, "", `completion: there is no script for "tcsh"; the shells are bash, zsh, fish and pwsh`},
		{"no property", []string{"append", "ws://127.0.0.1:1", "a"}, 2, "", "append: PROPERTY is missing; usage: statesync append URL STATE PROPERTY"},
		{"two forms", []string{"watch", "--json", "--values", "ws://127.0.0.1:1", "a"}, 2, "", "watch: --json and --values are two forms of the lines; give one"},
		{"a URL that is none", []string{"watch", "ftp://example.com", "a"}, 2, "", `watch: the endpoint's scheme is "ftp", not ws, wss, http or https`},
		{"a level that is none", []string{"serve", "--log-level", "loud"}, 2, "", `serve: --log-level is "loud"; the levels are debug, info, warn and error`},
		{"an origin that is none", []string{"serve", "--allowed-origins", "example.com"}, 2, "", `option AllowedOrigins: "example.com" is not an origin`},
		{"a key without its certificate", []string{"serve", "--key", "k"}, 2, "", "serve: --cert and --key belong together; give both or none"},
		{"an address that is none", []string{"serve", "--address", "5000"}, 1, "", "listen on 5000: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, code := runs(t, "", test.arguments...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(stdout, test.stdout) || (test.stdout == "") != (stdout == "") {
				t.Errorf("standard output:\n%s\nwant in it: %q", stdout, test.stdout)
			}
			if !strings.Contains(stderr, test.stderr) || (test.stderr == "") != (stderr == "") {
				t.Errorf("standard error:\n%s\nwant in it: %q", stderr, test.stderr)
			}
		})
	}
}

func TestStatesFileThatCannotBeUsed(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"no JSON", `{"demo": {`, "invalid_json"},
		{"no object", `[1]`, "it must hold one JSON object: identifiers, each with its initial value"},
		{"a value that is no object", `{"demo": [1]}`, `the value of "demo" must be a JSON object`},
		{"an identifier twice", `{"a": {}, "a": {}}`, "duplicate"},
		{"an identifier that cannot be", `{"": {}}`, "an identifier is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, stderr, code := runs(t, "", "serve", "--address", "127.0.0.1:0", "--states", statesFile(t, test.text))
			if code != 1 || !strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d, want 1; said %q, want in it %q", code, stderr, test.want)
			}
		})
	}
	_, stderr, code := runs(t, "", "serve", "--states", "no-such-file.json")
	if code != 1 || !strings.Contains(stderr, "no-such-file.json: no such file") {
		t.Errorf("a file that is not there: exit code %d, said %q", code, stderr)
	}
}

func TestPortInUse(t *testing.T) {
	_, address := serve(t)
	_, stderr, code := runs(t, "", "serve", "--address", strings.TrimPrefix(address, "ws://"))
	if code != 1 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("exit code %d, want 1; said %q", code, stderr)
	}
}

func TestNobodyAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	for _, arguments := range [][]string{
		{"watch", address, "demo"}, {"append", "ws://" + address, "demo", "x"},
		{"get", address, "demo"}, {"update", address, "demo", "{}"}, {"patch", address, "demo", "[]"},
	} {
		_, stderr, code := runs(t, "1\n", append([]string{arguments[0], "--connect-timeout", "300ms"}, arguments[1:]...)...)
		if code != 3 || !strings.Contains(stderr, "no connection within 300ms: ") {
			t.Errorf("%v: exit code %d, want 3; said %q", arguments, code, stderr)
		}
	}
}

func TestNoSuchState(t *testing.T) {
	_, address := serve(t)
	want := `there is no state "demo" on this server; start the server with --states or --create-missing, or correct the identifier`
	for _, arguments := range [][]string{{"watch", address, "demo"}, {"get", address, "demo"}, {"update", address, "demo", "{}"}} {
		stdout, stderr, code := runs(t, "", arguments...)
		if code != 1 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, want 1; printed %q, said %q", arguments[0], code, stdout, stderr)
		}
	}
}

func TestToken(t *testing.T) {
	server, address := serve(t, "--states", statesFile(t, exampleStates), "--token", "s3cret", "--log-level", "debug")
	for _, test := range []struct {
		name      string
		arguments []string
		code      int
	}{
		{"none", []string{}, 3},
		{"wrong", []string{"--token", "other"}, 3},
		{"right", []string{"--token", "s3cret"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for command, own := range map[string][]string{"append": {"messages"}, "get": nil, "patch": {"[]"}} {
				arguments := append(append([]string{command}, test.arguments...), address, "demo")
				_, stderr, code := runs(t, "hello\n", append(arguments, own...)...)
				if code != test.code {
					t.Errorf("%s: exit code %d, want %d; said %q", command, code, test.code, stderr)
				}
				if test.code == 3 && !strings.Contains(stderr, "give a token that the server accepts by --token or STATESYNC_TOKEN") {
					t.Errorf("%s said %q", command, stderr)
				}
			}
		})
	}
	if strings.Contains(server.stderr.text(), "s3cret") {
		t.Error("the server's log names the token")
	}
}

func TestRefusedLinesAreToldAndCounted(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, `{"demo": {"numbers": [], "text": "no array"}}`))
	_, stderr, code := runs(t, "1\nnope\n2\n9007199254740993\n{\"a\":1,\"a\":2}\n3\n", "append", "--json", address, "demo", "numbers")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{
		"statesync: line 2 was refused: ", "statesync: line 4 was refused: ", "statesync: line 5 was refused: ",
		"statesync: 3 lines were appended, 3 refused\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("standard error does not say %q:\n%s", want, stderr)
		}
	}
	watcher := start(t, nil, "watch", address, "demo")
	watcher.stdout.says(t, "+ /numbers [1,2,3]\n")

	_, stderr, code = runs(t, strings.Repeat("x\n", 30), "append", address, "demo", "text")
	if code != 1 || !strings.Contains(stderr, "statesync: lines 1 to 30 were refused: ") || !strings.Contains(stderr, "\nstatesync: 0 lines were appended, 30 refused\n") {
		t.Errorf("exit code %d, want 1; said %q", code, stderr)
	}
	_, stderr, code = runs(t, strings.Repeat("nope\n1\n", 30), "append", "--json", address, "demo", "numbers")
	if code != 1 || strings.Count(stderr, "was refused") != 10 || !strings.Contains(stderr, "more such lines follow") || !strings.Contains(stderr, "30 lines were appended, 30 refused") {
		t.Errorf("exit code %d, want 1; said %q", code, stderr)
	}
}

func TestALineThatIsTooLongIsRefusedAlone(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, `{"demo": {"lines": []}}`))
	_, stderr, code := runs(t, "a\n"+strings.Repeat("x", 3<<20)+"\nb\r\n\nc", "append", address, "demo", "lines")
	if code != 1 || !strings.Contains(stderr, "statesync: line 2 was refused: it is longer than 1048576 bytes\n") || !strings.Contains(stderr, "4 lines were appended, 1 refused") {
		t.Errorf("exit code %d, want 1; said %q", code, stderr)
	}
	watcher := start(t, nil, "watch", address, "demo")
	watcher.stdout.says(t, `+ /lines ["a","b","","c"]`+"\n")
}

func TestInterruptedWatch(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	watcher := start(t, nil, "watch", address, "demo")
	watcher.stdout.says(t, "+ /counter 0\n")
	watcher.signal(os.Interrupt)
	if code := watcher.exit(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if got := watcher.stderr.text(); got != "" {
		t.Errorf("standard error: %q", got)
	}
}

func TestWatchForms(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	asJSON := start(t, nil, "watch", "--json", address, "demo")
	asJSON.stdout.says(t, "numbers")
	runs(t, "7\n", "append", "--json", address, "demo", "numbers")
	if _, stderr, code := runs(t, "hello\n", "append", address, "demo", "messages"); code != 0 {
		t.Fatalf("append ended with %d: %s", code, stderr)
	}
	text := asJSON.stdout.says(t, "hello")
	want := `{"version":0,"op":"add","path":"/counter","value":0}
{"version":0,"op":"add","path":"/messages","value":[]}
{"version":0,"op":"add","path":"/numbers","value":[]}
{"version":1,"op":"add","path":"/numbers/0","value":7}
{"version":2,"op":"add","path":"/messages/0","value":"hello"}
`
	if text != want {
		t.Errorf("got\n%swant\n%s", text, want)
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%q is not JSON", line)
		}
	}
}

func TestWatchOnlyChangesOfOneProperty(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, `{"demo": {"messages": ["old"], "numbers": []}}`))
	watcher := start(t, nil, "watch", "--changes-only", "--property", "messages", address, "demo")
	for watcher.stdout.text() == "" { // it does not say when it has begun
		runs(t, "7\n", "append", "--json", address, "demo", "numbers")
		runs(t, "new\n", "append", address, "demo", "messages")
	}
	for line := range strings.Lines(watcher.stdout.says(t, "\n")) {
		if !strings.HasPrefix(line, "+ /messages/") || !strings.HasSuffix(line, " \"new\"\n") {
			t.Errorf("a line that was not asked for: %q", line)
		}
	}
}

func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	_, address := serve(t, "--states", statesFile(t, exampleStates), "--cert", cert, "--key", key)
	if !strings.HasPrefix(address, "wss://") {
		t.Fatalf("the server says that clients connect to %s", address)
	}
	if _, stderr, code := runs(t, "hello\n", "append", "--ca", cert, address, "demo", "messages"); code != 0 {
		t.Errorf("with the certificate trusted: exit code %d, said %q", code, stderr)
	}
	_, stderr, code := runs(t, "hello\n", "append", "--connect-timeout", "1s", address, "demo", "messages")
	if code != 3 || !strings.Contains(stderr, "certificate signed by unknown authority") {
		t.Errorf("without: exit code %d, want 3; said %q", code, stderr)
	}
	_, stderr, code = runs(t, "", "serve", "--cert", cert, "--key", cert)
	if code != 2 || !strings.Contains(stderr, "option TLS: ") {
		t.Errorf("a key that is none: exit code %d, want 2; said %q", code, stderr)
	}
}

// certificate writes a self-signed certificate for loopback and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "statesync test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, bytes []byte) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", public), write("key.pem", "PRIVATE KEY", secret)
}

// A server that is told to end twice ends at once, and one whose clients are quiet ends by itself.
func TestServeEndsOnSignals(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		server, address := serve(t, "--states", statesFile(t, exampleStates))
		watcher := start(t, nil, "watch", address, "demo")
		watcher.stdout.says(t, "numbers")
		server.signal(signal)
		if code := server.exit(); code != 0 {
			t.Errorf("%v: exit code %d, want 0; said %q", signal, code, server.stderr.text())
		}
	}
}
