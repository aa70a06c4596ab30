package assurance

import (
	"context"
	"database/sql"
	"time"

	"github.com/vultus/vultus/examples/idp/audit"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/user"
)

// Reassess looks at every user again: levels change with time alone.
func (s *Service) Reassess(ctx context.Context) error {
	const batch = 200
	for after := ""; ; {
		users, err := user.List(ctx, s.DB, after, batch)
		if err != nil {
			return err
		}
		for _, u := range users {
			after = u.ID
			err := s.DB.Tx(ctx, func(tx *sql.Tx) error {
				fresh, err := user.ByID(ctx, tx, u.ID)
				if err == sql.ErrNoRows {
					return nil
				}
				if err != nil {
					return err
				}
				return s.Assess(ctx, tx, fresh)
			})
			if err != nil {
				return err
			}
		}
		if len(users) < batch {
			return nil
		}
	}
}

// Retain deletes what its time is over for: idle users with their templates, receipts, the audit
// log, and whatever is spent.
func (s *Service) Retain(ctx context.Context) error {
	now, keep := s.Now(), &s.Policy.Retention
	before := func(age time.Duration) store.Time { return store.Time{Time: now.Add(-age)} }
	idle, err := s.idle(ctx, before(keep.Idle.Std()))
	if err != nil {
		return err
	}
	for _, id := range idle {
		err := s.DB.Tx(ctx, func(tx *sql.Tx) error {
			return s.Delete(ctx, tx, id, "service", "nobody came for "+keep.Idle.Std().String())
		})
		if err != nil {
			return err
		}
	}
	for _, old := range []struct {
		query string
		at    store.Time
	}{
		{"DELETE FROM access_tokens WHERE expires_at < $1", before(0)},
		{"DELETE FROM refresh_tokens WHERE expires_at < $1", before(0)},
		// A spent transaction is kept for a day, so that a second use of its code is noticed.
		{"DELETE FROM transactions WHERE expires_at < $1", before(24 * time.Hour)},
		{"DELETE FROM sessions WHERE expires_at < $1 AND id NOT IN (SELECT session_id FROM " +
			"refresh_tokens)", before(24 * time.Hour)},
		{"DELETE FROM inputs WHERE created_at < $1", before(keep.Inputs.Std())},
		{"DELETE FROM throttles WHERE updated_at < $1", before(30 * 24 * time.Hour)},
		{"DELETE FROM events WHERE created_at < $1", before(7 * 24 * time.Hour)},
		{"DELETE FROM admin_tokens WHERE expires_at < $1", before(0)},
		{"DELETE FROM audit WHERE at < $1", before(keep.Receipts.Std())},
		{"DELETE FROM decisions WHERE created_at < $1 AND id NOT IN (SELECT decision_id FROM " +
			"templates) AND id NOT IN (SELECT decision_id FROM " +
			"sessions)", before(keep.Receipts.Std())},
	} {
		if _, err := s.DB.ExecContext(ctx, old.query, old.at); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) idle(ctx context.Context, before store.Time) ([]string, error) {
	rows, err := s.DB.QueryContext(ctx, "SELECT id FROM users WHERE verified_at < $1", before)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Delete deletes a user with template, sessions and tokens, and tells the relying parties that the
// sessions are over. Receipts stay without saying whose they are.
func (s *Service) Delete(ctx context.Context, q store.Queryer, id, actor, reason string) error {
	u, err := user.ByID(ctx, q, id)
	if err != nil {
		return err
	}
	if err := s.Revoke(ctx, q, u, "the user was deleted"); err != nil {
		return err
	}
	if err := user.Delete(ctx, q, id); err != nil {
		return err
	}
	return audit.Write(
		ctx,
		q,
		audit.Entry{
			At:      s.Now(),
			Actor:   actor,
			Action:  "user.delete",
			Subject: id,
			Detail:  map[string]any{"reason": reason},
		},
	)
}
