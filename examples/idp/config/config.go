// Package config reads the configuration file.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/vultus/vultus/examples/idp/access"
	"github.com/vultus/vultus/examples/idp/mail"
	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/provider"
	"github.com/vultus/vultus/examples/idp/upstream"
	"github.com/vultus/vultus/examples/idp/vault"
	"github.com/vultus/vultus/examples/idp/verification"
)

// Config is the file. Unknown fields are refused.
type Config struct {
	Issuer        string         `json:"issuer"`         // https://..., as others see it
	Listen        string         `json:"listen"`         // host:port; TLS is the proxy's
	MetricsListen string         `json:"metrics_listen"` // host:port of /metrics; empty: none
	Organisation  string         `json:"organisation"`
	Pack          string         `json:"pack"`     // folder of the model pack
	Database      string         `json:"database"` // sqlite:FILE or postgres://...
	Key           vault.Source   `json:"key"`
	Mail          *mail.Settings `json:"mail"`
	// ConfirmEmail needs mail; without it tokens say that the address is not verified.
	ConfirmEmail bool                 `json:"confirm_email"`
	Access       access.Rules         `json:"access"`
	Clients      []provider.Client    `json:"clients"` // beside those that the admin API registers
	Policy       *policy.Policy       `json:"policy"`
	Consent      verification.Consent `json:"consent"`
	Upstream     *upstream.Settings   `json:"upstream"` // set: chained behind this provider
	Parallel     int                  `json:"parallel"` // verifications at once; 0: one a processor
	Waiting      int                  `json:"waiting"`  // and so many more that wait for their turn
	Patience     policy.Duration      `json:"patience"` // each for so long at most
}

// Read reads a file over the defaults.
func Read(file string) (*Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// Parse reads a text over the defaults.
func Parse(text []byte) (*Config, error) {
	c := &Config{
		Listen:       "127.0.0.1:9400",
		Organisation: "This service",
		ConfirmEmail: true,
		Policy:       policy.Default(),
		Waiting:      16,
	}
	if err := c.Patience.UnmarshalText([]byte("8s")); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(c); err != nil {
		return nil, err
	}
	c.defaults()
	return c, c.validate()
}

func (c *Config) defaults() {
	days := int(c.Policy.Retention.Idle.Std().Hours() / 24)
	text := &c.Consent
	if text.Version == "" {
		text.Version = "1"
	}
	if text.Controller == "" {
		text.Controller = c.Organisation
	}
	if text.Purpose == "" {
		text.Purpose = "We compare your face with the portrait on your identity document, once, " +
			"and later with what was enrolled, so that nobody else can come in under your name."
	}
	if text.Kept == nil {
		text.Kept = []string{
			"a template: numbers computed from your face, encrypted, never handed out",
			"a receipt of each decision: its reasons and scores, and fingerprints of the files, " +
				"but not the files",
			"your email address, and when and in which browser you were verified",
		}
	}
	if text.NotKept == nil {
		text.NotKept = []string{
			"the pictures of your face",
			"the picture of your document, or anything that is written on it",
		}
	}
	if text.RetentionDays == 0 {
		text.RetentionDays = days
	}
	if c.Access.Claim == "" {
		c.Access.Claim = "groups"
	}
}

func (c *Config) validate() error {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "" ||
		issuer.Path != "" {
		return fmt.Errorf("issuer: %q must be a URL without path, query and fragment", c.Issuer)
	}
	if host := issuer.Hostname(); issuer.Scheme != "https" && host != "127.0.0.1" &&
		host != "localhost" {
		return fmt.Errorf("issuer: %q must be https, but for trials on localhost", c.Issuer)
	}
	if c.ConfirmEmail && c.Upstream == nil &&
		(c.Mail == nil || (c.Mail.SMTP == "") == (c.Mail.Outbox == "")) {
		return errors.New(
			"mail: smtp or outbox is needed to confirm addresses; without, set confirm_email to " +
				"false",
		)
	}
	if c.Parallel < 0 || c.Waiting < 0 {
		return errors.New("parallel and waiting must not be negative")
	}
	for i := range c.Clients {
		if err := c.Clients[i].Validate(); err != nil {
			return fmt.Errorf("clients: %s: %w", c.Clients[i].ID, err)
		}
	}
	return c.Policy.Validate()
}
