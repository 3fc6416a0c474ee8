// Command regexp answers what Go's regexp package says of patterns, which is
// what NFD's InRegexp says. It reads JSON lines {"pattern", "inputs"} on stdin
// and writes one line {"pattern", "inputs", "ok", "error"?, "matches"?} for each:
// whether the pattern compiles, and whether it is found in each input.
//
// tests/conformance/cases/go-regexp.jsonl.gz was recorded by it.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"regexp"
)

type line struct {
	Pattern string   `json:"pattern"`
	Inputs  []string `json:"inputs"`
	OK      bool     `json:"ok"`
	Error   string   `json:"error,omitempty"`
	Matches []bool   `json:"matches,omitempty"`
}

func answer(l *line) {
	found, err := regexp.Compile(l.Pattern)
	if err != nil {
		l.Error = err.Error()
		return
	}
	l.OK = true
	for _, input := range l.Inputs {
		l.Matches = append(l.Matches, found.MatchString(input))
	}
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	decoder := json.NewDecoder(bufio.NewReader(os.Stdin))
	for decoder.More() {
		var l line
		if err := decoder.Decode(&l); err != nil {
			log.Fatal(err)
		}
		answer(&l)
		if err := encoder.Encode(l); err != nil {
			log.Fatal(err)
		}
	}
}
