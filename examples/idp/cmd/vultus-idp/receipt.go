package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/vultus/vultus/examples/idp/receipt"
)

// verifyReceipt checks a receipt without the service: only the published keys are needed, as a
// file.
func verifyReceipt(args []string) error {
	if len(args) == 0 || args[0] != "verify" {
		return errUsage
	}
	flags := flag.NewFlagSet("receipt verify", flag.ContinueOnError)
	keyFile := flags.String("keys", "", "the key set, as /receipts/jwks gave it")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errUsage
	}
	published, err := os.ReadFile(*keyFile)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	r, err := receipt.Verify(strings.TrimSpace(string(text)), published)
	if err != nil {
		return err
	}
	for _, file := range flags.Args()[1:] {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if !r.Has(content) {
			return fmt.Errorf("receipt: %s was not among what was judged", file)
		}
	}
	fmt.Printf(
		"signed by %s at %s\ntransaction %s, %s: %s\n%d files judged, %d named here are among "+
			"them\npolicy %s\n",
		r.Issuer,
		r.Time().Format("2006-01-02 15:04:05 MST"),
		r.Transaction,
		r.Purpose,
		r.Outcome,
		len(r.Inputs),
		flags.NArg()-1,
		r.Policy,
	)
	return nil
}
