package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/vultus/vultus/examples/idp/admin"
	"github.com/vultus/vultus/examples/idp/config"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/vault"
)

// adminToken prints a token for the admin API.
func adminToken(args []string) error {
	flags := flag.NewFlagSet("admin-token", flag.ContinueOnError)
	file := flags.String("config", "", "the configuration file")
	name := flags.String("name", "", "who uses it, for the audit log")
	scopes := flags.String("scopes", "", "comma-separated, of "+strings.Join(admin.Scopes, " "))
	life := flags.Duration("for", 90*24*time.Hour, "how long it is good")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *name == "" || *scopes == "" {
		return errors.New("admin-token: -name and -scopes are needed")
	}
	ctx := context.Background()
	c, err := config.Read(*file)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	var token string
	err = db.Tx(ctx, func(tx *sql.Tx) error {
		token, err = admin.NewToken(ctx, tx, *name, strings.Split(*scopes, ","), time.Now(), *life)
		return err
	})
	if err == nil {
		fmt.Println(token)
	}
	return err
}

// rekey encrypts everything with the first key, after a new one was put before the old ones. The service may run meanwhile.
func rekey(args []string) error {
	flags := flag.NewFlagSet("rekey", flag.ContinueOnError)
	file := flags.String("config", "", "the configuration file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx := context.Background()
	c, err := config.Read(*file)
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, c.Key)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	count, err := db.Reseal(ctx, v)
	fmt.Printf("%d values encrypted anew\n", count)
	return err
}
