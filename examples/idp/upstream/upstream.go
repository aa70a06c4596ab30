// Package upstream lets people log in at another OpenID provider first: there they say who they
// are, here that they are it.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vultus/vultus/examples/idp/access"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// Settings name the other provider and this service's registration there.
type Settings struct {
	Issuer       string   `json:"issuer"`
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	Scopes       []string `json:"scopes"`
	// Trust addresses although the provider does not say that it has verified them.
	TrustEmail bool `json:"trust_email"`
}

// CallbackPath is what is registered there, behind this service's issuer.
const CallbackPath = "/upstream/callback"

// Provider is the other one. Its discovery document is read when it is first needed.
type Provider struct {
	settings Settings
	callback string
	lock     sync.Mutex
	rp       rp.RelyingParty
}

// New returns the other provider.
func New(settings Settings, issuer string) *Provider {
	if len(settings.Scopes) == 0 {
		settings.Scopes = []string{oidc.ScopeOpenID, oidc.ScopeEmail}
	}
	return &Provider{settings: settings, callback: issuer + CallbackPath}
}

func (p *Provider) discovered(ctx context.Context) (rp.RelyingParty, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.rp == nil {
		found, err := rp.NewRelyingPartyOIDC(
			ctx,
			p.settings.Issuer,
			p.settings.ClientID,
			p.settings.ClientSecret,
			p.callback,
			p.settings.Scopes,
			rp.WithHTTPClient(
				&http.Client{Timeout: 10 * time.Second},
			),
			rp.WithVerifierOpts(rp.WithIssuedAtOffset(5*time.Second), rp.WithNonce(expectedNonce)),
		)
		if err != nil {
			return nil, fmt.Errorf("upstream: %w", err)
		}
		p.rp = found
	}
	return p.rp, nil
}

type nonceKey struct{}

// expectedNonce returns the nonce of the login that is finished in a context.
func expectedNonce(ctx context.Context) string {
	nonce, _ := ctx.Value(nonceKey{}).(string)
	return nonce
}

// Begin returns where the browser goes, and what must come back.
func (p *Provider) Begin(
	ctx context.Context,
	request *transaction.Request,
) (string, *transaction.Login, error) {
	party, err := p.discovered(ctx)
	if err != nil {
		return "", nil, err
	}
	login := &transaction.Login{
		State:    session.Random(),
		Nonce:    session.Random(),
		Verifier: session.Random(),
	}
	options := []rp.AuthURLOpt{
		rp.WithCodeChallenge(oidc.NewSHACodeChallenge(login.Verifier)),
		rp.AuthURLOpt(rp.WithURLParam("nonce", login.Nonce)),
	}
	if request.LoginHint != "" {
		options = append(options, rp.AuthURLOpt(rp.WithURLParam("login_hint", request.LoginHint)))
	}
	return rp.AuthURL(login.State, party, options...), login, nil
}

// Person is who logged in there.
type Person struct {
	Subject       string
	Email         string
	EmailVerified bool
	AMR           []string
}

// Finish redeems the code that came back.
func (p *Provider) Finish(
	ctx context.Context,
	login *transaction.Login,
	r *http.Request,
) (*Person, error) {
	query := r.URL.Query()
	if iss := query.Get("iss"); iss != "" && iss != p.settings.Issuer {
		return nil, errors.New("upstream: the answer comes from another issuer")
	}
	if query.Get("error") != "" {
		return nil, fmt.Errorf("upstream: the login failed: %s", query.Get("error"))
	}
	party, err := p.discovered(ctx)
	if err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, nonceKey{}, login.Nonce)
	tokens, err := rp.CodeExchange[*oidc.IDTokenClaims](
		ctx,
		query.Get("code"),
		party,
		rp.WithCodeVerifier(login.Verifier),
	)
	if err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	claims := tokens.IDTokenClaims
	if claims.Email == "" {
		info, err := rp.Userinfo[*oidc.UserInfo](
			ctx,
			tokens.AccessToken,
			tokens.TokenType,
			claims.Subject,
			party,
		)
		if err != nil {
			return nil, fmt.Errorf("upstream: %w", err)
		}
		claims.Email, claims.EmailVerified = info.Email, info.EmailVerified
	}
	email, err := access.Address(claims.Email)
	if err != nil {
		return nil, errors.New("upstream: the ID token has no email address")
	}
	verified := bool(claims.EmailVerified) || p.settings.TrustEmail
	return &Person{
		strings.TrimSpace(claims.Subject),
		email,
		verified,
		claims.AuthenticationMethodsReferences,
	}, nil
}
