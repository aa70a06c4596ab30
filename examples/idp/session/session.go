// Package session knows the browsers, and who was verified in them.
package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/vultus/vultus/examples/idp/store"
)

// Browser is what its cookie says. The database knows only the hash of the secret.
type Browser struct{ secret string }

// FromRequest returns the browser of a request, and gives it a cookie when it has none.
func FromRequest(w http.ResponseWriter, r *http.Request, secure bool) Browser {
	name := cookieName(secure)
	if cookie, err := r.Cookie(name); err == nil && len(cookie.Value) == 43 {
		return Browser{cookie.Value}
	}
	browser := Browser{Random()}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: browser.secret, Path: "/", MaxAge: 400 * 24 * 3600,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return browser
}

func cookieName(secure bool) string {
	if secure {
		return "__Host-vultus"
	}
	return "vultus"
}

// Hash names the browser in the database.
func (b Browser) Hash() string { return Hash(b.secret) }

// CSRF returns the token that a request to change the transaction must carry in a header.
func (b Browser) CSRF(transaction string) string {
	mac := hmac.New(sha256.New, []byte(b.secret))
	mac.Write([]byte("csrf " + transaction))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// IsCSRF compares in constant time.
func (b Browser) IsCSRF(transaction, token string) bool {
	return subtle.ConstantTimeCompare([]byte(b.CSRF(transaction)), []byte(token)) == 1
}

// Random returns 256 random bits as text.
func Random() string {
	var random [32]byte
	rand.Read(random[:])
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// Hash returns what the database keeps of a secret with the entropy of Random.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Session is one person verified in one browser.
type Session struct {
	ID          string
	BrowserHash string
	UserID      string
	DecisionID  string
	AMR         []string
	AuthTime    time.Time
	ExpiresAt   time.Time
	RevokedAt   time.Time
}

const columns = "id, browser_hash, user_id, decision_id, amr, auth_time, expires_at, revoked_at"

func scan(row interface{ Scan(...any) error }) (*Session, error) {
	s := new(Session)
	var amr store.JSON[[]string]
	var at, expires, revoked store.Time
	if err := row.Scan(
		&s.ID, &s.BrowserHash, &s.UserID, &s.DecisionID, &amr, &at, &expires, &revoked,
	); err != nil {
		return nil, err
	}
	s.AMR, s.AuthTime, s.ExpiresAt, s.RevokedAt = amr.V, at.Time, expires.Time, revoked.Time
	return s, nil
}

// Load returns the session with an id.
func Load(ctx context.Context, q store.Queryer, id string) (*Session, error) {
	return scan(q.QueryRowContext(ctx, "SELECT "+columns+" FROM sessions WHERE id = $1", id))
}

// Current returns the newest valid session of a browser; nil when there is none.
func Current(
	ctx context.Context,
	q store.Queryer,
	browser Browser,
	now time.Time,
) (*Session, error) {
	s, err := scan(q.QueryRowContext(ctx, "SELECT "+columns+` FROM sessions
		WHERE browser_hash = $1 AND expires_at > $2 AND revoked_at IS NULL ORDER BY auth_time
			DESC LIMIT 1`, browser.Hash(), store.Time{Time: now}))
	if err == sql.ErrNoRows {
		return nil, nil
	}
	return s, err
}

// Begin starts the session of an accepted check, in place of the older ones of the browser.
func Begin(ctx context.Context, q store.Queryer, s Session) (string, error) {
	s.ID = uuid.NewString()
	if _, err := q.ExecContext(ctx, "UPDATE sessions SET revoked_at = $1 WHERE browser_hash = "+
		"$2 AND user_id <> $3 AND revoked_at IS NULL",
		store.Time{Time: s.AuthTime}, s.BrowserHash, s.UserID); err != nil {
		return "", err
	}
	_, err := q.ExecContext(
		ctx,
		"INSERT INTO sessions (id, browser_hash, user_id, decision_id, amr, auth_time, "+
			"expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		s.ID,
		s.BrowserHash,
		s.UserID,
		s.DecisionID,
		store.JSON[[]string]{V: s.AMR},
		store.Time{Time: s.AuthTime},
		store.Time{Time: s.ExpiresAt},
	)
	return s.ID, err
}

// Revoke ends all sessions of a user, or those of one of his browsers. Their tokens are void at
// once. It returns how many ended.
func Revoke(
	ctx context.Context,
	q store.Queryer,
	user, browserHash string,
	now time.Time,
) (int64, error) {
	query, args := "UPDATE sessions SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS "+
		"NULL AND expires_at > $3",
		[]any{
			store.Time{Time: now},
			user,
			store.Time{Time: now},
		}
	if browserHash != "" {
		query, args = query+" AND browser_hash = $4", append(args, browserHash)
	}
	result, err := q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// IsSecure tells whether cookies for an issuer must be marked secure.
func IsSecure(issuer string) bool { return strings.HasPrefix(issuer, "https://") }
