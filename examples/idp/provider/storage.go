package provider

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/vultus/vultus/examples/idp/access"
	"github.com/vultus/vultus/examples/idp/audit"
	"github.com/vultus/vultus/examples/idp/keys"
	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/vultus/vultus/examples/idp/user"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const codeLifetime = time.Minute

// storage is what the library asks of the database.
type storage struct {
	db     *store.DB
	keys   *keys.Ring
	policy *policy.Policy
	access *access.Rules
	issuer string
	// chained: the person logs in at another provider first.
	chained bool
	now     func() time.Time
}

var _ op.Storage = (*storage)(nil)
var _ op.CanSetUserinfoFromRequest = (*storage)(nil)
var _ op.CanTerminateSessionFromRequest = (*storage)(nil)

type browserKey struct{}

// browserOf returns the browser that the request came from, which the handler has put in the
// context.
func browserOf(ctx context.Context) session.Browser {
	browser, _ := ctx.Value(browserKey{}).(session.Browser)
	return browser
}

// CreateAuthRequest begins a transaction. The library has checked client, redirect URI, response
// type and id_token_hint.
func (s *storage) CreateAuthRequest(
	ctx context.Context,
	r *oidc.AuthRequest,
	subject string,
) (op.AuthRequest, error) {
	client, err := loadClient(ctx, s.db, r.ClientID)
	if err != nil {
		return nil, err
	}
	switch {
	case !slices.Contains(r.Scopes, oidc.ScopeOpenID):
		return nil, oidc.ErrInvalidScope().WithDescription("the scope openid is missing")
	case r.CodeChallenge == "" && client.isPublic():
		return nil, oidc.ErrInvalidRequest().
			WithDescription("code_challenge is missing: a public client must use PKCE")
	case r.CodeChallenge != "" && r.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return nil, oidc.ErrInvalidRequest().WithDescription("code_challenge_method must be S256")
	case r.Nonce == "" && (client.RequireNonce || r.CodeChallenge == ""):
		return nil, oidc.ErrInvalidRequest().WithDescription("nonce is missing")
	case r.ResponseMode != "" && r.ResponseMode != oidc.ResponseModeQuery:
		return nil, oidc.ErrInvalidRequest().WithDescription("response_mode must be query")
	}
	now := s.now()
	t := &transaction.Transaction{
		ID: uuid.NewString(), ClientID: r.ClientID, BrowserHash: browserOf(ctx).Hash(),
		CreatedAt: now, ExpiresAt: now.Add(s.policy.Transaction.Std()),
		State: transaction.Email, Purpose: transaction.Enrol, Document: true,
		Request: transaction.Request{
			Scopes:              r.Scopes,
			ResponseType:        string(r.ResponseType),
			ResponseMode:        string(r.ResponseMode),
			RedirectURI:         r.RedirectURI,
			State:               r.State,
			Nonce:               r.Nonce,
			Prompt:              r.Prompt,
			MaxAge:              r.MaxAge,
			LoginHint:           r.LoginHint,
			ACRValues:           r.ACRValues,
			Subject:             subject,
			CodeChallenge:       r.CodeChallenge,
			CodeChallengeMethod: string(r.CodeChallengeMethod),
		},
	}
	if s.chained {
		t.State = transaction.Upstream
	} else if email, err := access.Address(r.LoginHint); err == nil {
		t.Email = email
	}
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := s.recognise(ctx, tx, t); err != nil {
			return err
		}
		return t.Insert(ctx, tx)
	})
	if err != nil {
		return nil, internal(ctx, err)
	}
	request, err := s.load(ctx, s.db, t)
	return request, internal(ctx, err)
}

// recognise accepts at once when the browser has a session that is good enough, and else carries
// over whom it knows.
func (s *storage) recognise(ctx context.Context, tx *sql.Tx, t *transaction.Transaction) error {
	now := s.now()
	current, err := session.Current(ctx, tx, browserOf(ctx), now)
	if err != nil {
		return err
	}
	silent := slices.Contains(t.Request.Prompt, oidc.PromptNone)
	hinted := func(u *user.User) bool {
		return (t.Request.Subject == "" || t.Request.Subject == u.ID) &&
			(t.Email == "" || t.Email == u.Email)
	}
	if current != nil && !slices.Contains(t.Request.Prompt, oidc.PromptSelectAccount) {
		u, err := user.ByID(ctx, tx, current.UserID)
		if err != nil {
			return err
		}
		if hinted(u) {
			may, groups, err := s.access.Check(ctx, tx, u.Email)
			if err != nil {
				return err
			}
			if client, err := loadClient(ctx, tx, t.ClientID); err != nil {
				return err
			} else if may && client.Admits(groups) && s.suffices(t, u, current, now) {
				t.State, t.SessionID = transaction.Accepted, current.ID
				t.Email, t.EmailVerified = u.Email, u.EmailVerified
				t.GrantedACR = s.policy.Strongest(current.AuthTime, u.DocumentAt, now)
				return nil
			}
			if !silent && t.State != transaction.Upstream {
				t.Email, t.EmailVerified, t.EmailLocked = u.Email, u.EmailVerified, true
			}
		}
	}
	if silent {
		return oidc.ErrLoginRequired()
	}
	if t.Request.Subject != "" &&
		t.State != transaction.Upstream { // the id_token_hint says who must answer
		if u, err := user.ByID(ctx, tx, t.Request.Subject); err == nil {
			t.Email, t.EmailLocked = u.Email, true
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

// suffices tells whether a session answers the request without a new check.
func (s *storage) suffices(
	t *transaction.Transaction,
	u *user.User,
	current *session.Session,
	now time.Time,
) bool {
	age := now.Sub(current.AuthTime)
	if slices.Contains(t.Request.Prompt, oidc.PromptLogin) ||
		policy.RiskIsOver(u.RiskLevel, s.policy.Refresh.MostRisk) {
		return false
	}
	if t.Request.MaxAge != nil && age > time.Duration(*t.Request.MaxAge)*time.Second {
		return false
	}
	return s.policy.Asked(t.Request.ACRValues).Reached(current.AuthTime, u.DocumentAt, now)
}

// load completes a transaction with its session.
func (s *storage) load(
	ctx context.Context,
	q store.Queryer,
	t *transaction.Transaction,
) (*authRequest, error) {
	r := &authRequest{Transaction: t}
	if t.State != transaction.Accepted {
		return r, nil
	}
	var err error
	r.session, err = session.Load(ctx, q, t.SessionID)
	if err != nil {
		return nil, err
	}
	if !r.session.RevokedAt.IsZero() {
		return nil, oidc.ErrAccessDenied().WithDescription("the session was revoked")
	}
	return r, nil
}

// AuthRequestByID is asked when the browser comes back from the verification.
func (s *storage) AuthRequestByID(ctx context.Context, id string) (op.AuthRequest, error) {
	t, err := transaction.Load(ctx, s.db, id, s.now())
	if err != nil {
		return nil, oidc.ErrInvalidRequest().WithDescription("the transaction is unknown")
	}
	if t.BrowserHash != browserOf(ctx).Hash() {
		return nil, oidc.ErrInvalidRequest().
			WithDescription("the transaction belongs to another browser")
	}
	return s.load(ctx, s.db, t)
}

// SaveAuthCode keeps the code of an accepted transaction. A code that was not redeemed is replaced.
func (s *storage) SaveAuthCode(ctx context.Context, id, code string) error {
	return internal(ctx, s.db.Tx(ctx, func(tx *sql.Tx) error {
		t, err := transaction.Load(ctx, tx, id, s.now())
		if err != nil {
			return err
		}
		if t.State != transaction.Accepted || !t.RedeemedAt.IsZero() {
			return oidc.ErrAccessDenied().
				WithDescription("the transaction is not accepted or its code was redeemed")
		}
		t.CodeHash, t.CodeUntil = session.Hash(code), s.now().Add(codeLifetime)
		return t.Save(ctx, tx)
	}))
}

// AuthRequestByCode is asked when a client redeems a code. The second time all tokens of the first
// one are void.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	t, err := transaction.ByCode(ctx, s.db, session.Hash(code), s.now())
	if err != nil {
		return nil, err
	}
	if !t.RedeemedAt.IsZero() {
		if err := s.revokeFamily(ctx, t.ID, "code.reused"); err != nil {
			return nil, err
		}
		return nil, errors.New("the code was redeemed before")
	}
	if s.now().After(t.CodeUntil) {
		return nil, errors.New("the code has expired")
	}
	return s.load(ctx, s.db, t)
}

// DeleteAuthRequest has nothing to do: a redeemed transaction stays, so that a second use of its
// code is noticed.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }

// revokeFamily voids all tokens of a login.
func (s *storage) revokeFamily(ctx context.Context, transactionID, action string) error {
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"access_tokens", "refresh_tokens"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE transaction_id = "+
				"$1", transactionID); err != nil {
				return err
			}
		}
		return audit.Write(
			ctx,
			tx,
			audit.Entry{At: s.now(), Actor: "service", Action: action, Transaction: transactionID},
		)
	})
}

// GetClientByClientID returns a registration.
func (s *storage) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := loadClient(ctx, s.db, id)
	if err != nil {
		return nil, fault(err)
	}
	c.lifetime = s.policy.Access.Std()
	return c, nil
}

// AuthorizeClientIDSecret checks the secret of a client.
func (s *storage) AuthorizeClientIDSecret(ctx context.Context, id, secret string) error {
	c, err := loadClient(ctx, s.db, id)
	if err != nil {
		return fault(err)
	}
	if !c.isSecret(secret) {
		return errors.New("the client secret is wrong")
	}
	return nil
}

// internal keeps what went wrong in here from those who ask; what the protocol has a word for goes
// through.
func internal(ctx context.Context, err error) error {
	var known *oidc.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	slog.ErrorContext(ctx, "the provider failed", "error", err)
	return oidc.ErrServerError().WithDescription("please try again")
}

// fault tells a broken database from an unknown row.
func fault(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return oidc.ErrServerError().WithDescription("please try again").WithParent(err)
}

// SigningKey returns the key that signs ID tokens now.
func (s *storage) SigningKey(ctx context.Context) (op.SigningKey, error) {
	key, err := s.keys.Signing(ctx, s.db, keys.Token)
	if err != nil {
		return nil, err
	}
	return &signer{key}, nil
}

// SignatureAlgorithms is part of the discovery document.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet returns the public keys.
func (s *storage) KeySet(ctx context.Context) ([]op.Key, error) {
	public, err := s.keys.Public(ctx, keys.Token)
	if err != nil {
		return nil, err
	}
	set := make([]op.Key, len(public))
	for i := range public {
		set[i] = &publicKey{&public[i]}
	}
	return set, nil
}

type signer struct{ key *keys.Key }

func (k *signer) ID() string                                  { return k.key.ID }
func (k *signer) Key() any                                    { return k.key.Private }
func (k *signer) SignatureAlgorithm() jose.SignatureAlgorithm { return k.key.Algorithm }

type publicKey struct{ key *jose.JSONWebKey }

func (k *publicKey) ID() string { return k.key.KeyID }
func (k *publicKey) Algorithm() jose.SignatureAlgorithm {
	return jose.SignatureAlgorithm(k.key.Algorithm)
}
func (k *publicKey) Use() string { return k.key.Use }
func (k *publicKey) Key() any    { return k.key.Key }

// GetKeyByIDAndClientID would serve clients that sign assertions; they authenticate by secret or
// PKCE here.
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errors.New("clients have no keys")
}

// ValidateJWTProfileScopes grants none: assertions are no grant here.
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, oidc.ErrUnsupportedGrantType()
}

// Health answers the readiness probe.
func (s *storage) Health(ctx context.Context) error { return s.db.PingContext(ctx) }
