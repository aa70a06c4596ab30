// Package user is who was enrolled.
package user

import (
	"context"
	"time"

	"github.com/vultus/vultus/examples/idp/store"
)

// User is a row.
type User struct {
	ID            string
	Email         string
	EmailVerified bool
	CreatedAt     time.Time
	RiskScore     int      // 0 to 100
	RiskLevel     string   // LOW, MEDIUM or HIGH
	Assurance     string   // the acr that his checks still give; empty when they are too old
	Flags         []string // findings that raise the risk until an administrator clears them
	VerifiedAt    time.Time
	DocumentAt    time.Time
	Consent       string
	DecisionID    string
}

const columns = "id, email, email_verified, created_at, risk_score, risk_level, assurance, " +
	"flags, verified_at, document_at, consent, decision_id"

// ByID returns the user with an id, or sql.ErrNoRows.
func ByID(ctx context.Context, q store.Queryer, id string) (*User, error) {
	return scan(q.QueryRowContext(ctx, "SELECT "+columns+" FROM users WHERE id = $1", id))
}

// ByEmail returns the user with an address, or sql.ErrNoRows.
func ByEmail(ctx context.Context, q store.Queryer, email string) (*User, error) {
	return scan(q.QueryRowContext(ctx, "SELECT "+columns+" FROM users WHERE email = $1", email))
}

// List returns at most count users after the one with the given id.
func List(ctx context.Context, q store.Queryer, after string, count int) ([]*User, error) {
	rows, err := q.QueryContext(
		ctx,
		"SELECT "+columns+" FROM users WHERE id > $1 ORDER BY id LIMIT $2",
		after,
		count,
	)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var users []*User
	for rows.Next() {
		u, err := scan(rows)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, rows.Err()
}

func scan(row interface{ Scan(...any) error }) (*User, error) {
	u := new(User)
	var created, verified, document store.Time
	var flags store.JSON[[]string]
	if err := row.Scan(
		&u.ID, &u.Email, &u.EmailVerified, &created, &u.RiskScore, &u.RiskLevel, &u.Assurance,
		&flags, &verified, &document, &u.Consent, &u.DecisionID,
	); err != nil {
		return nil, err
	}
	u.CreatedAt, u.Flags = created.Time, flags.V
	u.VerifiedAt, u.DocumentAt = verified.Time, document.Time
	return u, nil
}

// Save adds the user or writes all of it back.
func (u *User) Save(ctx context.Context, q store.Queryer) error {
	if u.Flags == nil {
		u.Flags = []string{}
	}
	moment := func(at time.Time) store.Time { return store.Time{Time: at} }
	_, err := q.ExecContext(
		ctx,
		"INSERT INTO users ("+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (id) DO UPDATE SET email = excluded.email, email_verified =
			excluded.email_verified, risk_score = excluded.risk_score,
		risk_level = excluded.risk_level, assurance = excluded.assurance, flags =
			excluded.flags, verified_at = excluded.verified_at,
		document_at = excluded.document_at, consent = excluded.consent, decision_id =
			excluded.decision_id`,
		u.ID,
		u.Email,
		u.EmailVerified,
		moment(u.CreatedAt),
		u.RiskScore,
		u.RiskLevel,
		u.Assurance,
		store.JSON[[]string]{V: u.Flags},
		moment(u.VerifiedAt),
		moment(u.DocumentAt),
		u.Consent,
		u.DecisionID,
	)
	return err
}

// Delete removes the user with template, devices, sessions and tokens. Receipts stay, without
// saying whose they are.
func Delete(ctx context.Context, q store.Queryer, id string) error {
	if _, err := q.ExecContext(ctx, "UPDATE decisions SET user_id = NULL WHERE user_id = "+
		"$1", id); err != nil {
		return err
	}
	return store.One(ctx, q, "DELETE FROM users WHERE id = $1", id)
}

// KnowsDevice tells whether the user was verified in a browser before.
func (u *User) KnowsDevice(ctx context.Context, q store.Queryer, browserHash string) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, "SELECT count(*) FROM devices WHERE user_id = $1 AND "+
		"browser_hash = $2", u.ID, browserHash).
		Scan(&n)
	return n > 0, err
}

// SawDevice remembers that the user was verified in a browser.
func (u *User) SawDevice(
	ctx context.Context,
	q store.Queryer,
	browserHash string,
	now time.Time,
) error {
	_, err := q.ExecContext(
		ctx,
		`INSERT INTO devices (user_id, browser_hash, first_seen, last_seen) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, browser_hash) DO UPDATE SET last_seen = excluded.last_seen`,
		u.ID,
		browserHash,
		store.Time{Time: now},
		store.Time{Time: now},
	)
	return err
}
