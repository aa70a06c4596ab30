package store

import (
	"context"
	"database/sql"
)

// Sealer is the vault, as far as Reseal needs it.
type Sealer interface {
	IsCurrent(sealed []byte) bool
	Open(place string, sealed []byte) ([]byte, error)
	Seal(place string, plain []byte) []byte
}

// sealedColumns are all columns that hold sealed values; the place of one is the name of its table,
// a slash, and its key.
var sealedColumns = []struct{ table, key, column string }{
	{"keys", "id", "sealed"},
	{"templates", "user_id", "sealed"},
	{"streams", "id", "authorization_sealed"},
}

// Reseal encrypts all that an older key encrypted with the current one, and returns how many values
// that were.
func (db *DB) Reseal(ctx context.Context, v Sealer) (int, error) {
	count := 0
	for _, c := range sealedColumns {
		keys, err := db.column(
			ctx,
			"SELECT "+c.key+" FROM "+c.table+" WHERE "+c.column+" IS NOT NULL",
		)
		if err != nil {
			return count, err
		}
		for _, key := range keys {
			changed := 0
			err := db.Tx(ctx, func(tx *sql.Tx) error {
				changed = 0
				var sealed []byte
				err := tx.QueryRowContext(ctx, "SELECT "+c.column+" FROM "+c.table+" WHERE "+
					""+c.key+" = $1", key).
					Scan(&sealed)
				if err == sql.ErrNoRows || (err == nil && v.IsCurrent(sealed)) {
					return nil
				}
				if err != nil {
					return err
				}
				plain, err := v.Open(c.table+"/"+key, sealed)
				if err != nil {
					return err
				}
				changed = 1
				return One(
					ctx,
					tx,
					"UPDATE "+c.table+" SET "+c.column+" = $1 WHERE "+c.key+" = $2",
					v.Seal(c.table+"/"+key, plain),
					key,
				)
			})
			if err != nil {
				return count, err
			}
			count += changed
		}
	}
	return count, nil
}

func (db *DB) column(ctx context.Context, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}
