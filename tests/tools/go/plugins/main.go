// Plugins oracle: what a kubelet's credential provider plugins offer for images.
//
// Reads one JSON value {"config", "folder", "images": [...]} and answers with one JSON value
// {"error"?, "found": [{"repository", "credentials": [[USER, PASSWORD], ...]}, ...]}. The file is read
// and the plugins are run by k8s.io/kubernetes' own package credentialprovider/plugin, which knows
// one configuration in a process.
package main

import (
	"encoding/json"
	"os"

	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
	"k8s.io/kubernetes/pkg/util/parsers"
)

type question struct {
	Config string   `json:"config"`
	Folder string   `json:"folder"`
	Images []string `json:"images"`
}

type offer struct {
	Repository  string      `json:"repository"`
	Credentials [][2]string `json:"credentials"`
}

type answer struct {
	Error string  `json:"error,omitempty"`
	Found []offer `json:"found"`
}

func look(q question) answer {
	a := answer{Found: []offer{}}
	if err := plugin.RegisterCredentialProviderPlugins(q.Config, q.Folder, nil, nil); err != nil {
		a.Error = err.Error()
		return a
	}
	keyring := plugin.NewExternalCredentialProviderDockerKeyring("", "", "", "")
	for _, image := range q.Images {
		repository, _, _, err := parsers.ParseImageName(image)
		if err != nil {
			a.Error = "image: " + err.Error()
			return a
		}
		one := offer{Repository: repository, Credentials: [][2]string{}}
		found, _ := keyring.Lookup(repository)
		for _, each := range found {
			one.Credentials = append(one.Credentials, [2]string{each.Username, each.Password})
		}
		a.Found = append(a.Found, one)
	}
	return a
}

func main() {
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		_ = json.NewEncoder(os.Stdout).Encode(answer{Error: "unreadable question"})
		return
	}
	_ = json.NewEncoder(os.Stdout).Encode(look(q))
}
