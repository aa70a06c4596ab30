// Package transaction is one run through the service: from the authentication request of a relying
// party to an answer.
package transaction

import (
	"context"
	"time"

	"github.com/vultus/vultus/examples/idp/store"
)

// State is how far it came.
type State string

// The states, in their order. The last three are final.
const (
	Upstream State = "upstream" // the person logs in at the other provider
	Email    State = "email"    // the address is asked for
	Code     State = "code"     // and the code that was mailed there
	Consent  State = "consent"
	Capture  State = "capture"
	Accepted State = "accepted"
	Refused  State = "refused"
	Expired  State = "expired"
)

// Purpose is what the pictures are for.
type Purpose string

// The purposes.
const (
	Enrol  Purpose = "enrol"  // selfie against document; the template is kept
	Verify Purpose = "verify" // selfie against the template
)

// Request is what the relying party asked for.
type Request struct {
	Scopes       []string `json:"scopes"`
	ResponseType string   `json:"response_type"`
	ResponseMode string   `json:"response_mode,omitempty"`
	RedirectURI  string   `json:"redirect_uri"`
	State        string   `json:"state,omitempty"`
	Nonce        string   `json:"nonce,omitempty"`
	Prompt       []string `json:"prompt,omitempty"`
	MaxAge       *uint    `json:"max_age,omitempty"`
	LoginHint    string   `json:"login_hint,omitempty"`
	ACRValues    []string `json:"acr_values,omitempty"`
	// Subject is that of the id_token_hint: nobody else may answer.
	Subject             string `json:"subject,omitempty"`
	CodeChallenge       string `json:"code_challenge,omitempty"`
	CodeChallengeMethod string `json:"code_challenge_method,omitempty"`
}

// Login is what the other provider is asked and answers.
type Login struct {
	State    string   `json:"state"`
	Nonce    string   `json:"nonce"`
	Verifier string   `json:"verifier"` // of PKCE
	Subject  string   `json:"subject,omitempty"`
	AMR      []string `json:"amr,omitempty"`
}

// Reason is one reason for how an attempt ended, and what to do.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Do   string `json:"do"` // retry-selfie, retry-document, wait, stop or continue
}

// Outcome is how an attempt ended.
type Outcome struct {
	Outcome string   `json:"outcome"`
	Reasons []Reason `json:"reasons"`
	Receipt string   `json:"receipt"` // digest
}

// Transaction is a row.
type Transaction struct {
	ID          string
	ClientID    string
	Request     Request
	BrowserHash string
	CreatedAt   time.Time
	ExpiresAt   time.Time

	State         State
	Email         string
	EmailVerified bool
	EmailLocked   bool // it comes from a session or the other provider
	Purpose       Purpose
	Document      bool
	Mailed        bool
	Consent       string
	Attempts      int
	Mails         int

	Nonce          []byte
	NonceKinds     []string
	NonceIssuedAt  time.Time
	NonceExpiresAt time.Time

	MailCodeHash  string
	MailCodeUntil time.Time
	MailCodeTries int

	Upstream   *Login
	Last       *Outcome
	SessionID  string
	GrantedACR string

	CodeHash   string
	CodeUntil  time.Time
	RedeemedAt time.Time
}

const columns = `id, client_id, request, browser_hash, created_at, expires_at, state,
	email, email_verified, email_locked, purpose,
	document, mailed, consent_version, attempts, mails, nonce, nonce_kinds, nonce_issued_at,
		nonce_expires_at, mail_code_hash, mail_code_until,
	mail_code_tries, upstream, last, session_id, granted_acr, code_hash, code_until, redeemed_at`

const placeholders = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
	$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30`

// Load returns the transaction with an id, or sql.ErrNoRows. One whose time is over is expired.
func Load(ctx context.Context, q store.Queryer, id string, now time.Time) (*Transaction, error) {
	return load(ctx, q, "id", id, now)
}

// ByCode returns the transaction with an authorization code.
func ByCode(
	ctx context.Context,
	q store.Queryer,
	codeHash string,
	now time.Time,
) (*Transaction, error) {
	return load(ctx, q, "code_hash", codeHash, now)
}

func load(
	ctx context.Context,
	q store.Queryer,
	column, value string,
	now time.Time,
) (*Transaction, error) {
	t := new(Transaction)
	var (
		request                                           store.JSON[Request]
		created, expires, issued, nonceExpires, mailUntil store.Time
		codeUntil, redeemed                               store.Time
		email, consent, mailHash, session, acr, codeHash  store.Text
		kinds                                             store.JSON[[]string]
		login                                             store.JSON[*Login]
		last                                              store.JSON[*Outcome]
	)
	err := q.QueryRowContext(ctx, "SELECT "+columns+" FROM transactions WHERE "+column+" = "+
		"$1", value).
		Scan(
			&t.ID, &t.ClientID, &request, &t.BrowserHash, &created, &expires, &t.State,
			&email, &t.EmailVerified, &t.EmailLocked, &t.Purpose,
			&t.Document, &t.Mailed, &consent, &t.Attempts, &t.Mails, &t.Nonce, &kinds, &issued,
			&nonceExpires, &mailHash, &mailUntil,
			&t.MailCodeTries, &login, &last, &session, &acr, &codeHash, &codeUntil, &redeemed)
	if err != nil {
		return nil, err
	}
	t.Request, t.CreatedAt, t.ExpiresAt = request.V, created.Time, expires.Time
	t.Email, t.Consent = string(email), string(consent)
	t.NonceKinds, t.NonceIssuedAt, t.NonceExpiresAt = kinds.V, issued.Time, nonceExpires.Time
	t.MailCodeHash, t.MailCodeUntil = string(mailHash), mailUntil.Time
	t.Upstream, t.Last = login.V, last.V
	t.SessionID, t.GrantedACR, t.CodeHash = string(session), string(acr), string(codeHash)
	t.CodeUntil, t.RedeemedAt = codeUntil.Time, redeemed.Time
	if t.State != Accepted && t.State != Refused && !now.Before(t.ExpiresAt) {
		t.State = Expired
	}
	return t, nil
}

func (t *Transaction) values() []any {
	moment := func(at time.Time) store.Time { return store.Time{Time: at} }
	return []any{
		t.ID, t.ClientID, store.JSON[Request]{V: t.Request}, t.BrowserHash,
		moment(t.CreatedAt), moment(t.ExpiresAt), t.State,
		store.Text(t.Email), t.EmailVerified, t.EmailLocked, t.Purpose,
		t.Document, t.Mailed, store.Text(t.Consent), t.Attempts, t.Mails,
		t.Nonce, store.JSON[[]string]{V: t.NonceKinds},
		moment(t.NonceIssuedAt), moment(t.NonceExpiresAt),
		store.Text(t.MailCodeHash), moment(t.MailCodeUntil), t.MailCodeTries,
		store.JSON[*Login]{V: t.Upstream}, store.JSON[*Outcome]{V: t.Last},
		store.Text(t.SessionID), store.Text(t.GrantedACR),
		store.Text(t.CodeHash), moment(t.CodeUntil), moment(t.RedeemedAt),
	}
}

// Insert adds it.
func (t *Transaction) Insert(ctx context.Context, q store.Queryer) error {
	_, err := q.ExecContext(
		ctx,
		"INSERT INTO transactions ("+columns+") VALUES ("+placeholders+")",
		t.values()...)
	return err
}

// Save writes all of it back. Call it in the database transaction that loaded it.
func (t *Transaction) Save(ctx context.Context, q store.Queryer) error {
	return store.One(
		ctx,
		q,
		"UPDATE transactions SET ("+columns+") = ("+placeholders+") WHERE id = $1",
		t.values()...)
}
