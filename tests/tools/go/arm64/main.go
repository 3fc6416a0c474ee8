// Prints what an arm64 kernel tells a program of its processor, as JSON: the auxiliary vector, and
// the identification register as /sys shows it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func midr() uint64

func main() {
	vector, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"auxv": vector,
		"midr": fmt.Sprintf("0x%016x", midr()),
	})
}
