// Command service verifies people over HTTP: POST /verify takes a multipart form with the files
// "selfie" and "document" and answers with the decision as JSON. GET /healthz says whether it runs,
// GET /metrics how it does.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	vultus "github.com/vultus/vultus/ffi/go"
)

func main() {
	address := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	pack := flag.String("pack", "build/pack", "folder of the model pack")
	var limits Limits
	flag.Int64Var(&limits.BodyBytes, "max-body", 20<<20, "bytes that a request may have")
	flag.IntVar(
		&limits.Parallel,
		"parallel",
		runtime.GOMAXPROCS(0),
		"verifications that run at once",
	)
	flag.IntVar(
		&limits.Admitted,
		"admitted",
		8*runtime.GOMAXPROCS(0),
		"requests that are held at once, each with its body",
	)
	flag.DurationVar(
		&limits.Read,
		"read-timeout",
		10*time.Second,
		"time that a client has to send its request",
	)
	flag.DurationVar(
		&limits.Answer,
		"answer-timeout",
		30*time.Second,
		"time that a verification may wait for its turn",
	)
	flag.Parse()
	if flag.NArg() > 0 || limits.BodyBytes < 1 || limits.Parallel < 1 ||
		limits.Admitted < limits.Parallel {
		log.Fatal(
			"usage: service [flags]; -max-body and -parallel are 1 at least, -admitted not " +
				"below -parallel; see -help",
		)
	}

	engine, err := vultus.Open(*pack)
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.Printf("listening on %s", listener.Addr())
	if err := serve(ctx, listener, NewService(engine, limits)); err != nil {
		log.Print(err)
	}
}

// serve answers until ctx ends, and then lets the requests that run come to their end.
func serve(ctx context.Context, listener net.Listener, service *Service) error {
	limits := service.limits
	server := &http.Server{
		Handler:           service,
		ReadHeaderTimeout: limits.Read,
		ReadTimeout:       limits.Read,
		WriteTimeout:      limits.Read + 2*limits.Answer,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		late, cancel := context.WithTimeout(context.Background(), limits.Read+2*limits.Answer)
		defer cancel()
		done <- server.Shutdown(late)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}
