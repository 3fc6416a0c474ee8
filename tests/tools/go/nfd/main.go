// Command nfd-oracle answers "what does NFD itself say" for one image
// compatibility spec on one set of node features.
//
// It reads JSON lines on stdin and writes one JSON line per input line. The
// spec is parsed the way NFD's artifact client parses a fetched layer
// (sigs.k8s.io/yaml into the v1alpha1 Spec), then handed to NFD's own node
// validator through a fake artifact client. The node's features come from
// NFD's own feature-source registry, filled from the input line instead of
// from the host.
//
// Nothing of NFD is reimplemented here; the types below are the contract.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"sort"
	"strings"

	compatv1alpha1 "sigs.k8s.io/node-feature-discovery/api/image-compatibility/v1alpha1"
	nfdv1alpha1 "sigs.k8s.io/node-feature-discovery/api/nfd/v1alpha1"
	"sigs.k8s.io/node-feature-discovery/pkg/apis/nfd/nodefeaturerule"
	nodevalidator "sigs.k8s.io/node-feature-discovery/pkg/client-nfd/compat/node-validator"
	"sigs.k8s.io/node-feature-discovery/source"
	"sigs.k8s.io/yaml"
)

// input is one line of stdin.
type input struct {
	ID       json.RawMessage        `json:"id"`
	Mode     string                 `json:"mode,omitempty"` // "" or "compat"; "group": NodeFeatureGroup; "rule": NodeFeatureRule
	Spec     json.RawMessage        `json:"spec"`
	Features nfdv1alpha1.Features   `json:"features"`
	Tags     []string               `json:"tags,omitempty"`
	Merge    []nfdv1alpha1.Features `json:"merge,omitempty"` // further feature sets merged onto features, in order
}

// output is one line of stdout.
type output struct {
	ID     json.RawMessage `json:"id"`
	Error  *string         `json:"error"`
	Kind   string          `json:"error_kind,omitempty"` // parse | eval | panic
	Report json.RawMessage `json:"report"`
	Fits   bool            `json:"fits"`
}

// stubSource is a feature source whose features are whatever the line says.
type stubSource struct {
	name     string
	features *nfdv1alpha1.Features
}

func (s *stubSource) Name() string                       { return s.name }
func (s *stubSource) Discover() error                    { return nil }
func (s *stubSource) GetFeatures() *nfdv1alpha1.Features { return s.features }

type specClient struct{ spec *compatv1alpha1.Spec }

func (c specClient) FetchCompatibilitySpec(context.Context) (*compatv1alpha1.Spec, error) {
	return c.spec, nil
}

// install puts the features into NFD's source registry, replacing everything
// an earlier line put there. It returns the feature names it cannot install
// (names without a dot, which no NFD source can publish).
func install(f *nfdv1alpha1.Features) (rest []string) {
	for _, s := range source.GetAllFeatureSources() {
		cur := s.GetFeatures()
		cur.Flags = map[string]nfdv1alpha1.FlagFeatureSet{}
		cur.Attributes = map[string]nfdv1alpha1.AttributeFeatureSet{}
		cur.Instances = map[string]nfdv1alpha1.InstanceFeatureSet{}
	}
	of := func(name string) (*nfdv1alpha1.Features, string) {
		dom, feat, ok := strings.Cut(name, ".")
		if !ok {
			rest = append(rest, name)
			return nil, ""
		}
		if source.GetFeatureSource(dom) == nil {
			source.Register(&stubSource{name: dom, features: nfdv1alpha1.NewFeatures()})
		}
		return source.GetFeatureSource(dom).GetFeatures(), feat
	}
	for k, v := range f.Flags {
		if dst, feat := of(k); dst != nil {
			dst.Flags[feat] = v
		}
	}
	for k, v := range f.Attributes {
		if dst, feat := of(k); dst != nil {
			dst.Attributes[feat] = v
		}
	}
	for k, v := range f.Instances {
		if dst, feat := of(k); dst != nil {
			dst.Instances[feat] = v
		}
	}
	sort.Strings(rest)
	return rest
}

// text gives the bytes of the artifact layer: a JSON string holds them
// verbatim, any other JSON value is its own text.
func text(raw json.RawMessage) ([]byte, error) {
	if t := bytes.TrimSpace(raw); len(t) > 0 && t[0] == '"' {
		var s string
		if err := json.Unmarshal(t, &s); err != nil {
			return nil, err
		}
		return []byte(s), nil
	}
	return raw, nil
}

func answer(in *input) (out output) {
	out.ID = in.ID
	fail := func(kind, msg string) {
		out.Kind, out.Error, out.Report, out.Fits = kind, &msg, nil, false
	}
	defer func() {
		if r := recover(); r != nil {
			fail("panic", fmt.Sprint(r))
			if os.Getenv("ORACLE_TRACE") != "" {
				fmt.Fprintf(os.Stderr, "%v\n%s\n", r, debug.Stack())
			}
		}
	}()

	raw, err := text(in.Spec)
	if err != nil {
		fail("parse", err.Error())
		return out
	}
	for i := range in.Merge {
		in.Merge[i].MergeInto(&in.Features)
	}

	switch in.Mode {
	case "", "compat":
		spec := compatv1alpha1.Spec{}
		if err := yaml.Unmarshal(raw, &spec); err != nil {
			fail("parse", err.Error())
			return out
		}
		if rest := install(&in.Features); len(rest) > 0 {
			fail("input", fmt.Sprintf("no NFD source can publish feature names without a dot: %q", rest))
			return out
		}
		nv := nodevalidator.New(
			nodevalidator.WithArgs(&nodevalidator.Args{Tags: in.Tags}),
			nodevalidator.WithArtifactClient(specClient{&spec}),
			nodevalidator.WithSources(nil),
		)
		sets, err := nv.Execute(context.Background())
		if err != nil {
			fail("eval", err.Error())
			return out
		}
		for _, set := range sets {
			all := true
			for _, r := range set.Rules {
				all = all && r.IsMatch
			}
			out.Fits = out.Fits || all
		}
		out.Report, _ = json.Marshal(sets)
	case "group":
		// What nfd-master does with one NodeFeatureGroup on one node: rules
		// one by one, fail-fast, an erring rule skipped.
		spec := nfdv1alpha1.NodeFeatureGroupSpec{}
		if err := yaml.Unmarshal(raw, &spec); err != nil {
			fail("parse", err.Error())
			return out
		}
		type res struct {
			Name  string `json:"name"`
			Match bool   `json:"isMatch"`
			Error string `json:"error,omitempty"`
		}
		list := []res{}
		for i := range spec.Rules {
			r := &spec.Rules[i]
			o, err := nodefeaturerule.ExecuteGroupRule(r, &in.Features, true)
			if err != nil {
				list = append(list, res{Name: r.Name, Error: err.Error()})
				continue
			}
			list = append(list, res{Name: r.Name, Match: o.MatchStatus.IsMatch})
			out.Fits = out.Fits || o.MatchStatus.IsMatch
			in.Features.InsertAttributeFeatures(nfdv1alpha1.RuleBackrefDomain, nfdv1alpha1.RuleBackrefFeature, o.Vars)
		}
		out.Report, _ = json.Marshal(list)
	case "rule":
		// What nfd-master does with one NodeFeatureRule on one node, before
		// prefixing and validation.
		spec := nfdv1alpha1.NodeFeatureRuleSpec{}
		if err := yaml.Unmarshal(raw, &spec); err != nil {
			fail("parse", err.Error())
			return out
		}
		type res struct {
			Name        string            `json:"name"`
			Match       bool              `json:"isMatch"`
			Error       string            `json:"error,omitempty"`
			Labels      map[string]string `json:"labels,omitempty"`
			Annotations map[string]string `json:"annotations,omitempty"`
			Resources   map[string]string `json:"extendedResources,omitempty"`
			Vars        map[string]string `json:"vars,omitempty"`
			Taints      any               `json:"taints,omitempty"`
		}
		list := []res{}
		for i := range spec.Rules {
			r := &spec.Rules[i]
			o, err := nodefeaturerule.Execute(r, &in.Features, true)
			if err != nil {
				list = append(list, res{Name: r.Name, Error: err.Error()})
				continue
			}
			one := res{Name: r.Name, Match: o.MatchStatus.IsMatch, Labels: o.Labels, Annotations: o.Annotations, Resources: o.ExtendedResources, Vars: o.Vars}
			if len(o.Taints) > 0 {
				one.Taints = o.Taints
			}
			list = append(list, one)
			out.Fits = out.Fits || one.Match
			in.Features.InsertAttributeFeatures(nfdv1alpha1.RuleBackrefDomain, nfdv1alpha1.RuleBackrefFeature, o.Labels)
			in.Features.InsertAttributeFeatures(nfdv1alpha1.RuleBackrefDomain, nfdv1alpha1.RuleBackrefFeature, o.Vars)
		}
		out.Report, _ = json.Marshal(list)
	default:
		fail("input", fmt.Sprintf("unknown mode %q", in.Mode))
	}
	return out
}

func main() {
	flag.Parse()
	sc := bufio.NewScanner(os.Stdin)
	sc.Buffer(make([]byte, 1<<20), 256<<20)
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer w.Flush()
	for sc.Scan() {
		line := bytes.TrimSpace(sc.Bytes())
		if len(line) == 0 {
			continue
		}
		var in input
		var out output
		if err := json.Unmarshal(line, &in); err != nil {
			msg := err.Error()
			out = output{ID: in.ID, Error: &msg, Kind: "input"}
		} else {
			out = answer(&in)
		}
		if out.ID == nil {
			out.ID = json.RawMessage("null")
		}
		if out.Report == nil {
			out.Report = json.RawMessage("null")
		}
		b, err := json.Marshal(out)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		w.Write(b)
		w.WriteByte('\n')
		if sc.Err() != nil {
			break
		}
		if !*batch {
			w.Flush()
		}
	}
	if err := sc.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

var batch = flag.Bool("batch", false, "buffer the output (faster for large inputs; do not use from a request/answer client)")
