package provider

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/user"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// ScopeIdentity asks for verified_claims.
const ScopeIdentity = "identity"

// TrustFramework names the rules by which this service verifies: a live face against the portrait
// of a document, by machine.
const TrustFramework = "urn:vultus:face-to-document"

// verification is the decision that a session stands on, as verified_claims tells it.
type verification struct {
	id, transactionID, purpose, digest string
	createdAt                          time.Time
}

func (s *storage) verification(ctx context.Context, id string) (*verification, error) {
	v := &verification{id: id}
	var at store.Time
	err := s.db.QueryRowContext(ctx, "SELECT transaction_id, purpose, digest, created_at FROM "+
		"decisions WHERE id = $1", id).
		Scan(&v.transactionID, &v.purpose, &v.digest, &at)
	v.createdAt = at.Time
	return v, err
}

// verifiedClaims follows OpenID Connect for Identity Assurance 1.0. The names on a document are not
// read, so the one claim that is verified is the subject: the person who comes is the one of the
// document.
func (s *storage) verifiedClaims(
	ctx context.Context,
	u *user.User,
	decision string,
) (map[string]any, error) {
	v, err := s.verification(ctx, decision)
	if err != nil {
		return nil, err
	}
	digest, err := hex.DecodeString(strings.TrimPrefix(v.digest, "sha-256:"))
	if err != nil {
		return nil, err
	}
	check := map[string]any{
		"check_method": "bvr", // biometric verification, remotely
		"organization": s.issuer,
		"txn":          v.transactionID,
		"time":         v.createdAt.Format(time.RFC3339),
	}
	return map[string]any{
		"verification": map[string]any{
			"trust_framework":      TrustFramework,
			"time":                 u.DocumentAt.Format(time.RFC3339),
			"verification_process": v.transactionID,
			"evidence": []map[string]any{{
				"type":          "document",
				"check_details": []map[string]any{check},
				"attachments": []map[string]any{{
					"desc":         "signed receipt of the decision",
					"content_type": "application/jose",
					"url":          s.issuer + "/receipts/" + v.id,
					"digest": map[string]string{
						"alg":   "sha-256",
						"value": base64.StdEncoding.EncodeToString(digest),
					},
				}},
			}},
		},
		"claims": map[string]any{"sub": u.ID},
	}, nil
}

// setUserinfo fills in what the scopes ask for.
func (s *storage) setUserinfo(
	ctx context.Context,
	info *oidc.UserInfo,
	subject, decision string,
	scopes []string,
) error {
	u, err := user.ByID(ctx, s.db, subject)
	if err != nil {
		return err
	}
	info.Subject = u.ID
	if has(scopes, oidc.ScopeEmail) {
		info.Email, info.EmailVerified = u.Email, oidc.Bool(u.EmailVerified)
	}
	if has(scopes, oidc.ScopeProfile) {
		info.PreferredUsername = u.Email
		info.AppendClaims("risk_level", u.RiskLevel)
	}
	if has(scopes, oidc.ScopeEmail) || has(scopes, oidc.ScopeProfile) {
		_, groups, err := s.access.Check(ctx, s.db, u.Email)
		if err != nil {
			return err
		}
		if groups == nil {
			groups = []string{}
		}
		info.AppendClaims(s.access.Claim, groups)
	}
	if has(scopes, ScopeIdentity) {
		claims, err := s.verifiedClaims(ctx, u, decision)
		if err != nil {
			return err
		}
		info.AppendClaims("verified_claims", claims)
	}
	return nil
}

// SetUserinfoFromRequest fills the ID token.
func (s *storage) SetUserinfoFromRequest(
	ctx context.Context,
	info *oidc.UserInfo,
	request op.IDTokenRequest,
	scopes []string,
) error {
	switch r := request.(type) {
	case *authRequest:
		info.AppendClaims("sid", r.session.ID)
		return s.setUserinfo(ctx, info, r.session.UserID, r.session.DecisionID, scopes)
	case *refreshRequest:
		info.AppendClaims("sid", r.session.ID)
		info.AppendClaims("acr", r.acr)
		return s.setUserinfo(ctx, info, r.session.UserID, r.session.DecisionID, scopes)
	default:
		return errors.New("an ID token is made only for a login or its refresh token")
	}
}

// SetUserinfoFromScopes has nothing to add to SetUserinfoFromRequest.
func (s *storage) SetUserinfoFromScopes(
	context.Context,
	*oidc.UserInfo,
	string,
	string,
	[]string,
) error {
	return nil
}

// SetUserinfoFromToken answers the userinfo endpoint.
func (s *storage) SetUserinfoFromToken(
	ctx context.Context,
	info *oidc.UserInfo,
	tokenID, _, _ string,
) error {
	token, err := s.accessToken(ctx, tokenID)
	if err != nil {
		return err
	}
	return s.setUserinfo(ctx, info, token.session.UserID, token.session.DecisionID, token.scopes)
}

// SetIntrospectionFromToken answers the introspection endpoint, to the client of the token alone.
func (s *storage) SetIntrospectionFromToken(
	ctx context.Context,
	answer *oidc.IntrospectionResponse,
	tokenID, _, clientID string,
) error {
	token, err := s.accessToken(ctx, tokenID)
	if err != nil {
		return err
	}
	if token.clientID != clientID {
		return errors.New("the token was issued to another client")
	}
	info := new(oidc.UserInfo)
	of := token.session
	if err := s.setUserinfo(ctx, info, of.UserID, of.DecisionID, token.scopes); err != nil {
		return err
	}
	answer.SetUserInfo(info)
	answer.Scope, answer.ClientID, answer.Expiration = token.scopes, token.clientID, oidc.FromTime(
		token.expires,
	)
	return nil
}

// GetPrivateClaimsFromScopes has nothing to say: access tokens are opaque.
func (s *storage) GetPrivateClaimsFromScopes(
	context.Context,
	string,
	string,
	[]string,
) (map[string]any, error) {
	return nil, nil
}

// claimsSupported is part of the discovery document.
func (s *storage) claimsSupported() []string {
	return slices.Sorted(
		slices.Values(
			[]string{
				"sub",
				"iss",
				"aud",
				"exp",
				"iat",
				"auth_time",
				"nonce",
				"acr",
				"amr",
				"azp",
				"at_hash",
				"sid",
				"email",
				"email_verified",
				"preferred_username",
				"risk_level",
				s.access.Claim,
				"verified_claims",
			},
		),
	)
}
