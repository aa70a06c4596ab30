package provider

import (
	"time"

	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// authRequest is a transaction as the library asks for it. Session is nil until it is accepted.
type authRequest struct {
	*transaction.Transaction
	session *session.Session
}

func (r *authRequest) GetID() string          { return r.ID }
func (r *authRequest) GetACR() string         { return r.GrantedACR }
func (r *authRequest) GetAudience() []string  { return []string{r.ClientID} }
func (r *authRequest) GetClientID() string    { return r.ClientID }
func (r *authRequest) GetNonce() string       { return r.Request.Nonce }
func (r *authRequest) GetRedirectURI() string { return r.Request.RedirectURI }
func (r *authRequest) GetResponseType() oidc.ResponseType {
	return oidc.ResponseType(r.Request.ResponseType)
}
func (r *authRequest) GetResponseMode() oidc.ResponseMode {
	return oidc.ResponseMode(r.Request.ResponseMode)
}
func (r *authRequest) GetScopes() []string { return r.Request.Scopes }
func (r *authRequest) GetState() string    { return r.Request.State }

func (r *authRequest) Done() bool { return r.State == transaction.Accepted && r.session != nil }

func (r *authRequest) GetAMR() []string {
	if r.session == nil {
		return nil
	}
	return r.session.AMR
}

func (r *authRequest) GetAuthTime() time.Time {
	if r.session == nil {
		return time.Time{}
	}
	return r.session.AuthTime
}

func (r *authRequest) GetSubject() string {
	if r.session == nil {
		return ""
	}
	return r.session.UserID
}

func (r *authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	if r.Request.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{
		Challenge: r.Request.CodeChallenge,
		Method:    oidc.CodeChallengeMethod(r.Request.CodeChallengeMethod),
	}
}

// refreshRequest is a refresh token as the library asks for it.
type refreshRequest struct {
	hash          string
	transactionID string
	clientID      string
	scopes        []string
	session       *session.Session
	expires       time.Time
	acr           string
}

func (r *refreshRequest) GetAMR() []string                 { return r.session.AMR }
func (r *refreshRequest) GetAudience() []string            { return []string{r.clientID} }
func (r *refreshRequest) GetAuthTime() time.Time           { return r.session.AuthTime }
func (r *refreshRequest) GetClientID() string              { return r.clientID }
func (r *refreshRequest) GetScopes() []string              { return r.scopes }
func (r *refreshRequest) GetSubject() string               { return r.session.UserID }
func (r *refreshRequest) SetCurrentScopes(scopes []string) { r.scopes = scopes }
