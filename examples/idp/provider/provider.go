// Package provider is the OpenID provider: the protocol is the library's, what is behind it is
// ours.
package provider

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vultus/vultus/examples/idp/access"
	"github.com/vultus/vultus/examples/idp/keys"
	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Settings are what the provider needs.
type Settings struct {
	DB      *store.DB
	Keys    *keys.Ring
	Policy  *policy.Policy
	Access  *access.Rules
	Issuer  string
	Chained bool // the person logs in at another provider first
	Now     func() time.Time
}

// Provider serves the endpoints.
type Provider struct {
	storage  *storage
	provider *op.Provider
	discover []byte
}

// New returns the provider.
func New(ctx context.Context, s Settings) (*Provider, error) {
	secret, err := s.Keys.Secret(ctx)
	if err != nil {
		return nil, err
	}
	p := &Provider{storage: &storage{s.DB, s.Keys, s.Policy, s.Access, s.Issuer, s.Chained, s.Now}}
	options := []op.Option{
		op.WithIDTokenHintVerifierOpts(op.WithSupportedIDTokenHintSigningAlgorithms("RS256")),
	}
	if !session.IsSecure(s.Issuer) {
		options = append(options, op.WithAllowInsecure())
	}
	p.provider, err = op.NewProvider(&op.Config{
		CryptoKey:                secret,
		DefaultLogoutRedirectURI: "/signed-out",
		CodeMethodS256:           true,
		AuthMethodPost:           true,
		GrantTypeRefreshToken:    true,
		SupportedScopes: []string{
			oidc.ScopeOpenID,
			oidc.ScopeEmail,
			oidc.ScopeProfile,
			oidc.ScopeOfflineAccess,
			ScopeIdentity,
		},
		SupportedClaims: p.storage.claimsSupported(),
	}, p.storage, op.StaticIssuer(s.Issuer), options...)
	if err != nil {
		return nil, err
	}
	if p.discover, err = p.discovery(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// discovery returns the library's document with what it leaves out, and without what is not
// offered.
func (p *Provider) discovery(ctx context.Context) ([]byte, error) {
	text, err := json.Marshal(
		op.CreateDiscoveryConfig(
			op.ContextWithIssuer(ctx, p.storage.issuer),
			p.provider,
			p.storage,
		),
	)
	if err != nil {
		return nil, err
	}
	document := map[string]any{}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	delete(document, "device_authorization_endpoint")
	levels := make([]string, len(p.storage.policy.Levels))
	for i, level := range p.storage.policy.Levels {
		levels[i] = level.Name
	}
	maps.Copy(document, map[string]any{
		"response_types_supported": []string{"code"},
		"response_modes_supported": []string{"query"},
		"grant_types_supported": []string{
			"authorization_code",
			"refresh_token",
		},
		"prompt_values_supported": []string{
			"none",
			"login",
			"select_account",
			"consent",
		},
		"acr_values_supported":                           levels,
		"authorization_response_iss_parameter_supported": true,
		"verified_claims_supported":                      true,
		"trust_frameworks_supported":                     []string{TrustFramework},
		"evidence_supported":                             []string{"document"},
		"documents_check_methods_supported":              []string{"bvr"},
		"attachments_supported":                          []string{"external"},
		"digest_algorithms_supported":                    []string{"sha-256"},
		"claims_in_verified_claims_supported":            []string{"sub"},
	})
	return json.Marshal(document)
}

// Routes adds the endpoints of the protocol.
func (p *Provider) Routes(routes *http.ServeMux) {
	routes.HandleFunc(
		"GET /.well-known/openid-configuration",
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Write(p.discover)
		},
	)
	for _, path := range []string{
		"/oauth/token", "/oauth/introspect", "/userinfo", "/revoke", "/keys", "/ready",
	} {
		routes.Handle(path, p.provider)
	}
	for _, path := range []string{"/authorize", "/authorize/callback", "/end_session"} {
		routes.HandleFunc(path, p.front)
	}
}

// front serves the endpoints that a browser visits: it tells the storage which browser, and the
// relying party which issuer.
func (p *Provider) front(w http.ResponseWriter, r *http.Request) {
	browser := session.FromRequest(w, r, session.IsSecure(p.storage.issuer))
	r = r.WithContext(context.WithValue(r.Context(), browserKey{}, browser))
	if strings.HasPrefix(r.URL.Path, "/authorize") {
		w = &withIssuer{w, p.storage.issuer}
	}
	p.provider.ServeHTTP(w, r)
}

// withIssuer adds the parameter iss (RFC 9207) to redirects to relying parties, so that an answer
// of another provider cannot be taken for ours.
type withIssuer struct {
	http.ResponseWriter
	issuer string
}

// WriteHeader sends the header.
func (w *withIssuer) WriteHeader(status int) {
	if location, err := url.Parse(w.Header().Get("Location")); err == nil && location.IsAbs() {
		query := location.Query()
		if query.Has("code") || query.Has("error") {
			query.Set("iss", w.issuer)
			location.RawQuery = query.Encode()
		} else if fragment, err := url.ParseQuery(location.EscapedFragment()); err == nil &&
			fragment.Has("error") {
			fragment.Set("iss", w.issuer)
			location.RawFragment = fragment.Encode()
			location.Fragment, _ = url.PathUnescape(location.RawFragment)
		}
		w.Header().Set("Location", location.String())
	}
	w.ResponseWriter.WriteHeader(status)
}

// Redirect returns where the browser of a finished transaction goes: to the callback, which makes
// the code, or back to the relying party with an error.
func (p *Provider) Redirect(t *transaction.Transaction) string {
	switch t.State {
	case transaction.Accepted:
		return p.storage.issuer + "/authorize/callback?id=" + url.QueryEscape(t.ID)
	case transaction.Refused, transaction.Expired:
		back, err := url.Parse(t.Request.RedirectURI)
		if err != nil {
			return ""
		}
		query := back.Query()
		query.Set("error", "access_denied")
		query.Set("error_description", "the person was not verified")
		query.Set("iss", p.storage.issuer)
		if t.Request.State != "" {
			query.Set("state", t.Request.State)
		}
		back.RawQuery = query.Encode()
		return back.String()
	default:
		return ""
	}
}

// Bearer returns the client and the session of an access token.
func (p *Provider) Bearer(
	ctx context.Context,
	token string,
) (clientID string, s *session.Session, err error) {
	plain, err := p.provider.Crypto().Decrypt(token)
	if err != nil {
		return "", nil, errors.New("this is not an access token")
	}
	id, _, _ := strings.Cut(plain, ":")
	row, err := p.storage.accessToken(ctx, id)
	if err != nil {
		return "", nil, err
	}
	return row.clientID, row.session, nil
}
