// Command bench times Node Feature Discovery's own rule evaluator on many nodes.
//
//	bench FILE
//
// FILE has one NodeFeature object as JSON on each line. Every one is decoded by
// itself, so that no two nodes share a map or a string, as in an informer's
// cache. The first line of output says how many there are; then each line of
// input, {"spec": "...", "mode": "full"}, judges all of them once and is answered
// with the seconds that this took and how many nodes fit. Memory is collected
// before, not in that time. The modes:
//
//	full       ExecuteGroupRule with failFast=false, as the validator calls it
//	failfast   with failFast=true, and no rule after the first that is false
//	validator  the node validator of `nfd compat validate-node`, report included
//
// Nothing of NFD is reimplemented here.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	compatv1alpha1 "sigs.k8s.io/node-feature-discovery/api/image-compatibility/v1alpha1"
	nfdv1alpha1 "sigs.k8s.io/node-feature-discovery/api/nfd/v1alpha1"
	"sigs.k8s.io/node-feature-discovery/pkg/apis/nfd/nodefeaturerule"
	nodevalidator "sigs.k8s.io/node-feature-discovery/pkg/client-nfd/compat/node-validator"
	"sigs.k8s.io/node-feature-discovery/source"
	"sigs.k8s.io/yaml"
)

type loaded struct {
	Nodes     int     `json:"nodes"`
	Bytes     int     `json:"bytes"`
	HeapBytes uint64  `json:"heap_bytes"`
	Seconds   float64 `json:"seconds"`
}

type request struct {
	Spec string `json:"spec"`
	Mode string `json:"mode"`
}

type answer struct {
	Seconds float64 `json:"seconds"`
	Fits    int     `json:"fits"`
	Errors  int     `json:"errors"`
	Error   string  `json:"error,omitempty"`
}

// judge says how many nodes fit, and how many have no answer because evaluating a
// rule on them is an error: NFD gives such a node up at once.
type judge func(*compatv1alpha1.Spec, []nfdv1alpha1.NodeFeature) (fits, errors int)

var modes = map[string]judge{
	"full":      func(s *compatv1alpha1.Spec, n []nfdv1alpha1.NodeFeature) (int, int) { return evaluate(s, n, false) },
	"failfast":  func(s *compatv1alpha1.Spec, n []nfdv1alpha1.NodeFeature) (int, int) { return evaluate(s, n, true) },
	"validator": validate,
}

// withBackrefs is a view of f that a rule may add rule.matched to.
func withBackrefs(f *nfdv1alpha1.Features) *nfdv1alpha1.Features {
	c := nfdv1alpha1.Features{Flags: f.Flags, Instances: f.Instances, Attributes: make(map[string]nfdv1alpha1.AttributeFeatureSet, len(f.Attributes)+1)}
	for k, v := range f.Attributes {
		c.Attributes[k] = v
	}
	return &c
}

func evaluate(spec *compatv1alpha1.Spec, nodes []nfdv1alpha1.NodeFeature, failFast bool) (fits, errors int) {
	for i := range nodes {
		ok, err := fitsOne(spec, withBackrefs(&nodes[i].Spec.Features), failFast)
		if err != nil {
			errors++
		} else if ok {
			fits++
		}
	}
	return fits, errors
}

func fitsOne(spec *compatv1alpha1.Spec, f *nfdv1alpha1.Features, failFast bool) (ok bool, err error) {
	for _, set := range spec.Compatibilties { // codespell:ignore compatibilties
		all := true
		for j := range set.Rules {
			out, err := nodefeaturerule.ExecuteGroupRule(&set.Rules[j], f, failFast)
			if err != nil {
				return false, err
			}
			all = all && out.MatchStatus.IsMatch
			if failFast && !all {
				break
			}
			f.InsertAttributeFeatures(nfdv1alpha1.RuleBackrefDomain, nfdv1alpha1.RuleBackrefFeature, out.Vars)
		}
		ok = ok || all
	}
	return ok, nil
}

type fixed struct{ spec *compatv1alpha1.Spec }

func (f fixed) FetchCompatibilitySpec(context.Context) (*compatv1alpha1.Spec, error) {
	return f.spec, nil
}

// stub is a feature source whose features are a node's.
type stub struct {
	name string
	f    *nfdv1alpha1.Features
}

func (s *stub) Name() string                       { return s.name }
func (s *stub) Discover() error                    { return nil }
func (s *stub) GetFeatures() *nfdv1alpha1.Features { return s.f }

// install puts a node's features into NFD's registry of feature sources.
func install(f *nfdv1alpha1.Features) {
	for _, s := range source.GetAllFeatureSources() {
		g := s.GetFeatures()
		clear(g.Flags)
		clear(g.Attributes)
		clear(g.Instances)
	}
	of := func(name string) (*nfdv1alpha1.Features, string) {
		domain, feature, _ := strings.Cut(name, ".")
		if source.GetFeatureSource(domain) == nil {
			source.Register(&stub{domain, nfdv1alpha1.NewFeatures()})
		}
		return source.GetFeatureSource(domain).GetFeatures(), feature
	}
	for k, v := range f.Flags {
		g, name := of(k)
		g.Flags[name] = v
	}
	for k, v := range f.Attributes {
		g, name := of(k)
		g.Attributes[name] = v
	}
	for k, v := range f.Instances {
		g, name := of(k)
		g.Instances[name] = v
	}
}

func validate(spec *compatv1alpha1.Spec, nodes []nfdv1alpha1.NodeFeature) (fits, errors int) {
	for i := range nodes {
		install(&nodes[i].Spec.Features)
		nv := nodevalidator.New(
			nodevalidator.WithArgs(&nodevalidator.Args{}),
			nodevalidator.WithArtifactClient(fixed{spec}),
		)
		sets, err := nv.Execute(context.Background())
		if err != nil {
			errors++
			continue
		}
		ok := false
		for _, set := range sets {
			all := true
			for _, r := range set.Rules {
				all = all && r.IsMatch
			}
			ok = ok || all
		}
		if ok {
			fits++
		}
	}
	return fits, errors
}

func answered(in request, nodes []nfdv1alpha1.NodeFeature) (out answer) {
	run, ok := modes[in.Mode]
	if !ok {
		return answer{Error: fmt.Sprintf("unknown mode %q", in.Mode)}
	}
	var spec compatv1alpha1.Spec
	if err := yaml.Unmarshal([]byte(in.Spec), &spec); err != nil {
		return answer{Error: err.Error()}
	}
	runtime.GC()
	started := time.Now()
	out.Fits, out.Errors = run(&spec, nodes)
	out.Seconds = time.Since(started).Seconds()
	return out
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func load(path string) (nodes []nfdv1alpha1.NodeFeature, said loaded, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, said, err
	}
	defer file.Close()
	before, started := heap(), time.Now()
	lines := make(chan []byte, 8)
	var (
		mutex  sync.Mutex
		group  sync.WaitGroup
		failed error
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for line := range lines {
				var node nfdv1alpha1.NodeFeature
				err := json.Unmarshal(line, &node)
				mutex.Lock()
				nodes = append(nodes, node)
				failed = errors.Join(failed, err)
				mutex.Unlock()
			}
		})
	}
	reader := bufio.NewReaderSize(file, 1<<20)
	for {
		line, readErr := reader.ReadBytes('\n')
		if len(line) > 0 {
			said.Bytes += len(line)
			lines <- line
		}
		if readErr == io.EOF {
			break
		}
		if readErr != nil {
			err = readErr
			break
		}
	}
	close(lines)
	group.Wait()
	said.Seconds = time.Since(started).Seconds()
	said.Nodes, said.HeapBytes = len(nodes), heap()-before
	return nodes, said, errors.Join(err, failed)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("usage: bench FILE"))
	}
	nodes, said, err := load(os.Args[1])
	if err != nil {
		fail(err)
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(said); err != nil {
		fail(err)
	}
	in := json.NewDecoder(os.Stdin)
	for {
		var one request
		if err := in.Decode(&one); err == io.EOF {
			return
		} else if err != nil {
			fail(err)
		}
		if err := out.Encode(answered(one, nodes)); err != nil {
			fail(err)
		}
	}
}
