// Serves distribution v2.8.2, which Debian packages as docker-registry.
//
// Its own main package needs a module that no proxy has any more
// (rsc.io/letsencrypt), so that this is a main of our own around its handlers:
// docker-registry serve CONFIG, as there.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/docker/distribution/configuration"
	"github.com/docker/distribution/context"
	"github.com/docker/distribution/registry/handlers"

	_ "github.com/docker/distribution/registry/auth/htpasswd"
	_ "github.com/docker/distribution/registry/auth/token"
	_ "github.com/docker/distribution/registry/storage/driver/filesystem"
)

func main() {
	if len(os.Args) != 3 || os.Args[1] != "serve" {
		log.Fatal("expected: serve CONFIG")
	}
	file, err := os.Open(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	config, err := configuration.Parse(file)
	if err != nil {
		log.Fatal(err)
	}
	served := handlers.NewApp(context.Background(), config)
	tls := config.HTTP.TLS
	if tls.Certificate != "" {
		log.Fatal(http.ListenAndServeTLS(config.HTTP.Addr, tls.Certificate, tls.Key, served))
	}
	log.Fatal(http.ListenAndServe(config.HTTP.Addr, served))
}
