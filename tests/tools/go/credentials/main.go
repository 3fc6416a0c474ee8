// Credentials oracle: what a kubelet tries for an image, with a Pod's pull secrets.
//
// Reads JSON lines {"id", "image", "secrets": [{"type", "data": {KEY: BASE64}}]} and answers with
// JSON lines {"id", "repository", "credentials": [[USER, PASSWORD], ...], "error"?}; both texts as
// base64, for they need not be UTF-8. The decisions are those of k8s.io/kubernetes' own packages
// credentialprovider and util/parsers, in the order in which the kubelet calls them
// (pkg/kubelet/images/image_manager.go, makeLookupPullCredentialsFunc).
package main

import (
	"bufio"
	"encoding/json"
	"os"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
	"k8s.io/kubernetes/pkg/util/parsers"
)

type secret struct {
	Type v1.SecretType     `json:"type"`
	Data map[string][]byte `json:"data"`
}

type question struct {
	ID      string   `json:"id"`
	Image   string   `json:"image"`
	Secrets []secret `json:"secrets"`
}

type answer struct {
	ID          string      `json:"id"`
	Repository  string      `json:"repository"`
	Credentials [][2][]byte `json:"credentials"`
	Error       string      `json:"error,omitempty"`
}

func look(q question) answer {
	a := answer{ID: q.ID, Credentials: [][2][]byte{}}
	repository, _, _, err := parsers.ParseImageName(q.Image)
	if err != nil {
		a.Error = "image: " + err.Error()
		return a
	}
	a.Repository = repository
	given := make([]v1.Secret, 0, len(q.Secrets))
	for _, s := range q.Secrets {
		given = append(given, v1.Secret{Type: s.Type, Data: s.Data})
	}
	keyring, err := secrets.MakeDockerKeyring(given, credentialprovider.UnionDockerKeyring{})
	if err != nil {
		a.Error = "secrets: " + err.Error()
		return a
	}
	found, _ := keyring.Lookup(repository)
	for _, one := range found {
		a.Credentials = append(a.Credentials, [2][]byte{[]byte(one.Username), []byte(one.Password)})
	}
	return a
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
