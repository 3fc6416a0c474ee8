// CPU oracle: what NFD's source cpu publishes for a processor that is made up.
//
// Reads JSON lines {"id", "root", "registers": {"LEAF.SUBLEAF": [EAX, EBX, ECX, EDX]}, "xcr0"} (leaf
// and subleaf in hexadecimal; what is not named is zero) and answers with JSON lines {"id",
// "features"}. The decisions are those of klauspost/cpuid, whose three functions that execute an
// instruction are exchanged for ones that look the registers up, and of NFD's own source, which
// finds its /sys below "root". Leaves that NFD asks for with code of its own (cpu.rdt, cpu.sst) are
// of the machine that this runs on: those two features are left out.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	_ "unsafe" // for go:linkname

	"github.com/klauspost/cpuid/v2"
	nfdv1alpha1 "sigs.k8s.io/node-feature-discovery/api/nfd/v1alpha1"
	"sigs.k8s.io/node-feature-discovery/pkg/utils/hostpath"
	"sigs.k8s.io/node-feature-discovery/source"
	_ "sigs.k8s.io/node-feature-discovery/source/cpu"
)

//go:linkname executeCpuid github.com/klauspost/cpuid/v2.cpuid
var executeCpuid func(op uint32) (eax, ebx, ecx, edx uint32)

//go:linkname executeCpuidex github.com/klauspost/cpuid/v2.cpuidex
var executeCpuidex func(op, op2 uint32) (eax, ebx, ecx, edx uint32)

//go:linkname executeXgetbv github.com/klauspost/cpuid/v2.xgetbv
var executeXgetbv func(index uint32) (eax, edx uint32)

type question struct {
	ID        string               `json:"id"`
	Root      string               `json:"root"`
	Registers map[string][4]uint32 `json:"registers"`
	Xcr0      uint32               `json:"xcr0"`
}

type answer struct {
	ID       string                `json:"id"`
	Features *nfdv1alpha1.Features `json:"features"`
	Error    string                `json:"error,omitempty"`
}

func look(q question) answer {
	executeCpuidex = func(op, op2 uint32) (eax, ebx, ecx, edx uint32) {
		key := strconv.FormatUint(uint64(op), 16) + "." + strconv.FormatUint(uint64(op2), 16)
		r := q.Registers[key]
		return r[0], r[1], r[2], r[3]
	}
	executeCpuid = func(op uint32) (eax, ebx, ecx, edx uint32) { return executeCpuidex(op, 0) }
	executeXgetbv = func(uint32) (eax, edx uint32) { return q.Xcr0, 0 }
	cpuid.CPU = cpuid.CPUInfo{}
	cpuid.Detect()
	hostpath.SysfsDir = hostpath.HostDir(filepath.Join(q.Root, "sys"))
	cpu := source.GetFeatureSource("cpu")
	if err := cpu.Discover(); err != nil {
		return answer{ID: q.ID, Error: err.Error()}
	}
	features := cpu.GetFeatures()
	delete(features.Attributes, "rdt")
	delete(features.Attributes, "sst")
	return answer{ID: q.ID, Features: features}
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			_ = out.Encode(answer{ID: q.ID, Error: "unreadable question"})
			continue
		}
		_ = out.Encode(look(q))
	}
}
