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
	name := flags.String("name", "", "who uses it, for the audit log")
	scopes := flags.String("scopes", "", "comma-separated, of "+strings.Join(admin.Scopes, " "))
	life := flags.Duration("for", 90*24*time.Hour, "how long it is good")
	ctx := context.Background()
	_, db, err := opened(ctx, flags, args)
	if err != nil {
		return err
	}
	defer db.Close()
	if *name == "" || *scopes == "" {
		return errors.New("admin-token: -name and -scopes are needed")
	}
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

// rekey encrypts everything with the first key, after a new one was put before the old ones. The
// service may run meanwhile.
func rekey(args []string) error {
	ctx := context.Background()
	c, db, err := opened(ctx, flag.NewFlagSet("rekey", flag.ContinueOnError), args)
	if err != nil {
		return err
	}
	defer db.Close()
	v, err := vault.Open(ctx, c.Key)
	if err != nil {
		return err
	}
	count, err := db.Reseal(ctx, v)
	fmt.Printf("%d values encrypted anew\n", count)
	return err
}

// configured reads the flags of a command, and the configuration that one of them names.
func configured(flags *flag.FlagSet, args []string) (*config.Config, error) {
	file := flags.String("config", "", "the configuration file")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	return config.Read(*file)
}

func opened(
	ctx context.Context,
	flags *flag.FlagSet,
	args []string,
) (*config.Config, *store.DB, error) {
	c, err := configured(flags, args)
	if err != nil {
		return nil, nil, err
	}
	db, err := store.Open(ctx, c.Database)
	return c, db, err
}
