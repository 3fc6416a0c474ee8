// Command template answers what Go's text/template with sprig v3 makes of a
// template, the way NFD configures it.
//
// It reads JSON lines {"template": text, "data": {domain: {feature: [{name:
// value}]}}} and writes one JSON line each: {"output": text}, {"parse_error":
// text} or {"exec_error": text}. With -tables it writes the facts of Go's
// unicode package instead, as the module runetables.py holds them.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/template"

	"templates/nodefeaturerule"

	"github.com/Masterminds/sprig/v3"
)

type question struct {
	Template string                                    `json:"template"`
	Data     map[string]map[string][]map[string]string `json:"data"`
}

type answer struct {
	Output     *string `json:"output,omitempty"`
	ParseError *string `json:"parse_error,omitempty"`
	ExecError  *string `json:"exec_error,omitempty"`
}

// functions is the function map of NFD: sprig's without those that read the host.
func functions() template.FuncMap {
	funcs := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(funcs, name)
	}
	return funcs
}

func ask(q question) (a answer) {
	t, err := template.New("").Option("missingkey=error").Funcs(functions()).Parse(q.Template)
	if err != nil {
		text := err.Error()
		return answer{ParseError: &text}
	}
	var out strings.Builder
	if err := t.Execute(&out, nodefeaturerule.New(q.Data)); err != nil {
		text := err.Error()
		return answer{ExecError: &text}
	}
	text := out.String()
	return answer{Output: &text}
}

func run(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	w := bufio.NewWriter(out)
	defer w.Flush()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return err
		}
		if err := enc.Encode(ask(q)); err != nil {
			return err
		}
		w.Flush()
	}
	return lines.Err()
}

func main() {
	asTables := flag.Bool("tables", false, "write the tables of runes")
	flag.Parse()
	if *asTables {
		tables(os.Stdout)
		return
	}
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
