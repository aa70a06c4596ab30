package provider

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Client is a relying party as it is registered.
type Client struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Secret is only ever given in; none: a public client, which must use PKCE.
	Secret string `json:"secret,omitempty"`
	ClientSettings
}

// ClientSettings are kept as JSON.
type ClientSettings struct {
	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	RequireNonce           bool     `json:"require_nonce,omitempty"` // else PKCE may stand in for it
	// Only members of one of these groups may come in through this client; empty: all members.
	Groups []string `json:"groups,omitempty"`
}

// Validate tells what is wrong with a registration.
func (c *Client) Validate() error {
	if c.ID == "" || len(c.ID) > 100 {
		return errors.New("id: must have 1 to 100 letters")
	}
	if c.Name == "" {
		return errors.New("name: is empty")
	}
	if len(c.RedirectURIs) == 0 {
		return errors.New("redirect_uris: is empty")
	}
	for _, text := range slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs) {
		uri, err := url.Parse(text)
		if err != nil || !uri.IsAbs() || uri.Fragment != "" || uri.User != nil ||
			uri.Scheme == "javascript" ||
			uri.Scheme == "data" {
			return fmt.Errorf(
				"redirect_uris: %q must be an absolute URI without fragment or user",
				text,
			)
		}
		if _, loopback := op.HTTPLoopbackOrLocalhost(text); uri.Scheme == "http" && !loopback {
			return fmt.Errorf("redirect_uris: %q must use https", text)
		}
	}
	return nil
}

// PutClient registers a client or replaces its registration; without a secret the former one stays.
func PutClient(ctx context.Context, q store.Queryer, c Client, now time.Time) error {
	hash := ""
	if c.Secret != "" {
		hash = session.Hash(c.Secret)
	}
	_, err := q.ExecContext(
		ctx,
		`INSERT INTO clients (id, name, secret_hash, settings, created_at) VALUES ($1, $2, $3,
			$4, $5)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, settings = excluded.settings,
			secret_hash = COALESCE(excluded.secret_hash, clients.secret_hash)`,
		c.ID,
		c.Name,
		store.Text(hash),
		store.JSON[ClientSettings]{V: c.ClientSettings},
		store.Time{Time: now},
	)
	return err
}

// ListClients returns all registrations, without secrets.
func ListClients(ctx context.Context, q store.Queryer) ([]Client, error) {
	rows, err := q.QueryContext(ctx, "SELECT id, name, settings FROM clients ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	clients := []Client{}
	for rows.Next() {
		var c Client
		var settings store.JSON[ClientSettings]
		if err := rows.Scan(&c.ID, &c.Name, &settings); err != nil {
			return nil, err
		}
		c.ClientSettings = settings.V
		clients = append(clients, c)
	}
	return clients, rows.Err()
}

// DeleteClient removes a registration.
func DeleteClient(ctx context.Context, q store.Queryer, id string) error {
	return store.One(ctx, q, "DELETE FROM clients WHERE id = $1", id)
}

// LoadClient returns a registration, or sql.ErrNoRows.
func LoadClient(ctx context.Context, q store.Queryer, id string) (*Client, error) {
	c, err := loadClient(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return &c.Client, nil
}

// client is a registration as the library asks for it.
type client struct {
	Client
	secretHash string
	lifetime   time.Duration
}

func loadClient(ctx context.Context, q store.Queryer, id string) (*client, error) {
	c := new(client)
	var secret store.Text
	var settings store.JSON[ClientSettings]
	err := q.QueryRowContext(ctx, "SELECT id, name, secret_hash, settings FROM clients WHERE id "+
		"= $1", id).
		Scan(&c.ID, &c.Name, &secret, &settings)
	c.secretHash, c.ClientSettings = string(secret), settings.V
	return c, err
}

// Admits tells whether a member with these groups may come in through the client.
func (c *Client) Admits(groups []string) bool {
	return len(c.Groups) == 0 ||
		slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(c.Groups, g) })
}

func (c *client) isPublic() bool { return c.secretHash == "" }

func (c *client) isSecret(secret string) bool {
	return !c.isPublic() &&
		subtle.ConstantTimeCompare([]byte(session.Hash(secret)), []byte(c.secretHash)) == 1
}

func (c *client) GetID() string          { return c.ID }
func (c *client) RedirectURIs() []string { return c.ClientSettings.RedirectURIs }

func (c *client) PostLogoutRedirectURIs() []string {
	return c.ClientSettings.PostLogoutRedirectURIs
}
func (c *client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c *client) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}
func (c *client) LoginURL(id string) string            { return "/login?id=" + id }
func (c *client) AccessTokenType() op.AccessTokenType  { return op.AccessTokenTypeBearer }
func (c *client) IDTokenLifetime() time.Duration       { return c.lifetime }
func (c *client) DevMode() bool                        { return false }
func (c *client) ClockSkew() time.Duration             { return 0 }
func (c *client) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c *client) IsScopeAllowed(scope string) bool     { return scope == ScopeIdentity }

func (c *client) ApplicationType() op.ApplicationType {
	if !c.isPublic() {
		return op.ApplicationTypeWeb
	}
	for _, uri := range c.ClientSettings.RedirectURIs {
		if _, loopback := op.HTTPLoopbackOrLocalhost(uri); loopback {
			return op.ApplicationTypeNative
		}
	}
	return op.ApplicationTypeUserAgent
}

func (c *client) AuthMethod() oidc.AuthMethod {
	if c.isPublic() {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

func (c *client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c *client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
