package provider

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/vultus/vultus/examples/idp/audit"
	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/vultus/vultus/examples/idp/user"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// grant is what a token stands on: a login, and the session that the decision opened.
type grant struct {
	transactionID string
	clientID      string
	session       *session.Session
	scopes        []string
}

// CreateAccessToken redeems a code for an access token.
func (s *storage) CreateAccessToken(
	ctx context.Context,
	request op.TokenRequest,
) (string, time.Time, error) {
	id, _, expires, err := s.issue(ctx, request, "", false)
	return id, expires, err
}

// CreateAccessAndRefreshTokens redeems a code or a refresh token.
func (s *storage) CreateAccessAndRefreshTokens(
	ctx context.Context,
	request op.TokenRequest,
	current string,
) (string, string, time.Time, error) {
	return s.issue(ctx, request, current, true)
}

// issue redeems what the request stands on and writes the tokens, all in one database transaction:
// nothing is redeemed twice, and no token is there without the decision behind it.
func (s *storage) issue(
	ctx context.Context,
	request op.TokenRequest,
	current string,
	refresh bool,
) (id, token string, expires time.Time, err error) {
	now := s.now()
	id, token, expires = uuid.NewString(), session.Random(), now.Add(s.policy.Access.Std())
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		g, err := s.redeem(ctx, tx, request)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO access_tokens (id, transaction_id,
			client_id, user_id, session_id, scopes, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6,
				$7)`, id, g.transactionID, g.clientID, g.session.UserID, g.session.ID,
			store.JSON[[]string]{V: g.scopes}, store.Time{Time: expires}); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO logins (user_id, client_id, last_at)
			VALUES ($1, $2, $3)
			ON CONFLICT (user_id, client_id) DO UPDATE SET last_at =
				excluded.last_at`, g.session.UserID, g.clientID, store.Time{Time: now}); err != nil {
			return err
		}
		if !refresh {
			return nil
		}
		_, err = tx.ExecContext(
			ctx,
			`INSERT INTO refresh_tokens (hash, transaction_id, client_id, user_id, session_id,
				scopes, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			session.Hash(token),
			g.transactionID,
			g.clientID,
			g.session.UserID,
			g.session.ID,
			store.JSON[[]string]{
				V: g.scopes,
			},
			store.Time{Time: now.Add(s.policy.Refresh.Lifetime.Std())},
		)
		return err
	})
	if !refresh {
		token = ""
	}
	return id, token, expires, internal(ctx, err)
}

func (s *storage) redeem(ctx context.Context, tx *sql.Tx, request op.TokenRequest) (*grant, error) {
	switch r := request.(type) {
	case *authRequest:
		t, err := transaction.Load(ctx, tx, r.ID, s.now())
		if err != nil {
			return nil, err
		}
		if t.State != transaction.Accepted || !t.RedeemedAt.IsZero() || t.CodeHash != r.CodeHash {
			return nil, oidc.ErrInvalidGrant().WithDescription("the code was redeemed before")
		}
		t.RedeemedAt = s.now()
		if err := t.Save(ctx, tx); err != nil {
			return nil, err
		}
		err = audit.Write(ctx, tx, audit.Entry{
			At: s.now(), Actor: "service", Action: "token.issue",
			Subject: r.session.UserID, Transaction: t.ID,
			Detail: map[string]any{
				"client": t.ClientID, "acr": t.GrantedACR, "decision": r.session.DecisionID,
			},
		})
		return &grant{t.ID, t.ClientID, r.session, t.Request.Scopes}, err
	case *refreshRequest:
		if err := s.renew(ctx, tx, r); err != nil {
			return nil, err
		}
		err := store.One(ctx, tx, "UPDATE refresh_tokens SET used_at = $1 WHERE hash = $2 AND "+
			"used_at IS NULL", store.Time{Time: s.now()}, r.hash)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, oidc.ErrInvalidGrant().WithDescription("the refresh token was used before")
		}
		return &grant{r.transactionID, r.clientID, r.session, r.scopes}, err
	default:
		return nil, fmt.Errorf("a token is asked for by %T", request)
	}
}

// TokenRequestByRefreshToken looks a refresh token up.
func (s *storage) TokenRequestByRefreshToken(
	ctx context.Context,
	token string,
) (op.RefreshTokenRequest, error) {
	r := &refreshRequest{hash: session.Hash(token)}
	var sessionID string
	var scopes store.JSON[[]string]
	var expires, used store.Time
	err := s.db.QueryRowContext(ctx, "SELECT transaction_id, client_id, session_id, scopes, "+
		"expires_at, used_at FROM refresh_tokens WHERE hash = $1", r.hash).
		Scan(&r.transactionID, &r.clientID, &sessionID, &scopes, &expires, &used)
	if err != nil {
		return nil, oidc.ErrInvalidGrant().WithDescription("the refresh token is unknown")
	}
	if !used.IsZero() { // whoever uses it a second time has stolen it, or was stolen from
		if err := s.revokeFamily(ctx, r.transactionID, "refresh.reused"); err != nil {
			return nil, err
		}
		return nil, oidc.ErrInvalidGrant().WithDescription("the refresh token was used before")
	}
	if r.session, err = session.Load(ctx, s.db, sessionID); err != nil {
		return nil, err
	}
	r.scopes, r.expires = scopes.V, expires.Time
	return r, nil
}

// renew tells whether a refresh token is good, or the person must be verified again first.
func (s *storage) renew(ctx context.Context, tx *sql.Tx, r *refreshRequest) error {
	now := s.now()
	u, err := user.ByID(ctx, tx, r.session.UserID)
	if err != nil {
		return err
	}
	client, err := loadClient(ctx, tx, r.clientID)
	if err != nil {
		return err
	}
	may, groups, err := s.access.Check(ctx, tx, u.Email)
	if err != nil {
		return err
	}
	r.acr = s.policy.Strongest(r.session.AuthTime, u.DocumentAt, now)
	switch {
	case !may || !client.Admits(groups):
		return oidc.ErrInvalidGrant().WithDescription("the person is no member any more")
	case now.After(r.expires):
		return oidc.ErrInvalidGrant().WithDescription("the refresh token has expired")
	case !r.session.RevokedAt.IsZero():
		return oidc.ErrInvalidGrant().WithDescription("the session was revoked")
	case now.Sub(u.VerifiedAt) > s.policy.Refresh.VerifiedWithin.Std():
		return oidc.ErrInvalidGrant().
			WithDescription("re-verification is needed: the last check is too old")
	case policy.RiskIsOver(u.RiskLevel, s.policy.Refresh.MostRisk):
		return oidc.ErrInvalidGrant().
			WithDescription("re-verification is needed: the risk is %s", u.RiskLevel)
	default:
		return nil
	}
}

// GetRefreshTokenInfo tells a refresh token from an access token, for revocation.
func (s *storage) GetRefreshTokenInfo(
	ctx context.Context,
	clientID, token string,
) (string, string, error) {
	var subject string
	err := s.db.QueryRowContext(ctx, "SELECT user_id FROM refresh_tokens WHERE hash = $1 AND "+
		"client_id = $2", session.Hash(token), clientID).
		Scan(&subject)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", op.ErrInvalidRefreshToken
	}
	return subject, token, err
}

// RevokeToken voids an access token by its id, or a refresh token and with it the whole login.
func (s *storage) RevokeToken(ctx context.Context, token, _, clientID string) *oidc.Error {
	if _, err := s.db.ExecContext(ctx, "DELETE FROM access_tokens WHERE id = $1 AND client_id = "+
		"$2", token, clientID); err != nil {
		return oidc.ErrServerError().WithDescription("please try again").WithParent(err)
	}
	var transactionID string
	err := s.db.QueryRowContext(ctx, "SELECT transaction_id FROM refresh_tokens WHERE hash = $1 "+
		"AND client_id = $2", session.Hash(token), clientID).
		Scan(&transactionID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = s.revokeFamily(ctx, transactionID, "token.revoke")
	}
	if err != nil {
		return oidc.ErrServerError().WithDescription("please try again").WithParent(err)
	}
	return nil
}

// accessToken is a row.
type accessToken struct {
	clientID string
	scopes   []string
	session  *session.Session
	expires  time.Time
}

func (s *storage) accessToken(ctx context.Context, id string) (*accessToken, error) {
	t := new(accessToken)
	var sessionID string
	var scopes store.JSON[[]string]
	var expires store.Time
	err := s.db.QueryRowContext(ctx, "SELECT client_id, session_id, scopes, expires_at FROM "+
		"access_tokens WHERE id = $1", id).
		Scan(&t.clientID, &sessionID, &scopes, &expires)
	if err != nil {
		return nil, err
	}
	if t.session, err = session.Load(ctx, s.db, sessionID); err != nil {
		return nil, err
	}
	if s.now().After(expires.Time) || !t.session.RevokedAt.IsZero() {
		return nil, errors.New("the token has expired or was revoked")
	}
	t.scopes, t.expires = scopes.V, expires.Time
	return t, nil
}

// TerminateSessionFromRequest is RP-initiated logout: the sessions of the person in this browser
// end, and their tokens.
func (s *storage) TerminateSessionFromRequest(
	ctx context.Context,
	r *op.EndSessionRequest,
) (string, error) {
	browser := browserOf(ctx)
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		current, err := session.Current(ctx, tx, browser, s.now())
		if err != nil || current == nil {
			return err
		}
		if r.UserID != "" && r.UserID != current.UserID {
			return nil
		}
		if _, err := session.Revoke(ctx, tx, current.UserID, browser.Hash(), s.now()); err != nil {
			return err
		}
		return audit.Write(
			ctx,
			tx,
			audit.Entry{
				At:      s.now(),
				Actor:   "person",
				Action:  "session.logout",
				Subject: current.UserID,
				Detail:  map[string]any{"client": r.ClientID},
			},
		)
	})
	return r.RedirectURI, err
}

// TerminateSession is the library's older form of it, which it does not call.
func (s *storage) TerminateSession(ctx context.Context, userID, _ string) error {
	_, err := session.Revoke(ctx, s.db, userID, "", s.now())
	return err
}

func has(scopes []string, scope string) bool { return slices.Contains(scopes, scope) }
