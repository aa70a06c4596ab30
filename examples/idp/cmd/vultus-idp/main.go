// Command vultus-idp is an OpenID provider that lets in only who is verified.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vultus/vultus/examples/idp/service"
	"github.com/vultus/vultus/examples/idp/vault"
	"github.com/vultus/vultus/examples/idp/web"
)

const usage = `usage:
  vultus-idp serve -config FILE              runs the service
  vultus-idp key [ID]                        prints a fresh key for the key file
  vultus-idp rekey -config FILE              encrypts everything with the first key
  vultus-idp admin-token -config FILE -name NAME -scopes SCOPE,...
                                             prints a token for the admin API
  vultus-idp receipt verify -keys FILE RECEIPT [PICTURE...]
                                             checks a receipt offline, and that the
                                             pictures are those it was signed for`

var errUsage = errors.New(usage)

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vultus-idp:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "serve":
		return serve(args[1:])
	case "key":
		id := time.Now().UTC().Format("2006-01-02")
		if len(args) > 1 {
			id = args[1]
		}
		fmt.Println(vault.NewKey(id))
		return nil
	case "rekey":
		return rekey(args[1:])
	case "admin-token":
		return adminToken(args[1:])
	case "receipt":
		return verifyReceipt(args[1:])
	default:
		return errUsage
	}
}

func serve(args []string) error {
	c, err := configured(flag.NewFlagSet("serve", flag.ContinueOnError), args)
	if err != nil {
		return err
	}
	if _, err := fs.Stat(web.Files(), "index.html"); err != nil {
		return errors.New("the capture page is not built: run make -C examples/idp web")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := service.New(ctx, c, time.Now)
	if err != nil {
		return err
	}
	defer s.Close()
	if c.MetricsListen != "" {
		listener, err := net.Listen("tcp", c.MetricsListen)
		if err != nil {
			return err
		}
		routes := http.NewServeMux()
		routes.Handle("GET /metrics", s.Metrics)
		go http.Serve(listener, routes)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	go s.Background(ctx)
	slog.Info("listening", "address", listener.Addr().String(), "issuer", c.Issuer)
	server := &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		late, cancel := context.WithTimeout(context.Background(), 90*time.Second)
		defer cancel()
		done <- server.Shutdown(late)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}
