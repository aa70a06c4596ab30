// Package audit writes down who did what. Entries are only ever added; none holds a picture, a
// template or a secret.
package audit

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/vultus/vultus/examples/idp/store"
)

// Entry is one line of the log.
type Entry struct {
	ID          string         `json:"id"`
	At          time.Time      `json:"at"`
	Actor       string         `json:"actor"`  // "person", "service", or the name of an admin token
	Action      string         `json:"action"` // "decision.accept", "member.put", ...
	Subject     string         `json:"subject,omitempty"`
	Transaction string         `json:"transaction,omitempty"`
	Detail      map[string]any `json:"detail,omitempty"`
}

// Write adds an entry, as part of the transaction q so that what it tells of and the entry are
// there together or not at all.
func Write(ctx context.Context, q store.Queryer, e Entry) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	if e.Detail == nil {
		e.Detail = map[string]any{}
	}
	_, err = q.ExecContext(
		ctx,
		"INSERT INTO audit (id, at, actor, action, subject, transaction_id, detail) VALUES ($1, "+
			"$2, $3, $4, $5, $6, $7)",
		id.String(),
		store.Time{Time: e.At},
		e.Actor,
		e.Action,
		store.Text(e.Subject),
		store.Text(e.Transaction),
		store.JSON[any]{V: e.Detail},
	)
	return err
}

// Read returns at most count entries after the one with the given id, the oldest first.
func Read(ctx context.Context, q store.Queryer, after string, count int) ([]Entry, error) {
	rows, err := q.QueryContext(
		ctx,
		`SELECT id, at, actor, action, subject, transaction_id, detail FROM audit
		WHERE id > $1 ORDER BY id LIMIT $2`,
		after,
		count,
	)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	entries := []Entry{}
	for rows.Next() {
		var e Entry
		var at store.Time
		var subject, transaction store.Text
		var detail store.JSON[map[string]any]
		if err := rows.Scan(
			&e.ID, &at, &e.Actor, &e.Action, &subject, &transaction, &detail,
		); err != nil {
			return nil, err
		}
		e.At, e.Subject, e.Transaction, e.Detail = at.Time, string(
			subject,
		), string(
			transaction,
		), detail.V
		entries = append(entries, e)
	}
	return entries, rows.Err()
}
