// Package store opens the database, SQLite or PostgreSQL, and brings its schema up to date. Both
// take the same SQL: the parameters are $1, $2, ... in their order, moments are microseconds, and
// every transaction is serializable.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	"github.com/mattn/go-sqlite3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is an open database with the schema of this version.
type DB struct {
	*sql.DB
	postgres bool
}

// Queryer is what runs statements: a DB or a transaction.
type Queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Open opens "sqlite:FILE" or "postgres://HOST/NAME", and applies the migrations that are missing.
func Open(ctx context.Context, url string) (*DB, error) {
	db := new(DB)
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		// Immediate transactions take the write lock at their start, so that none of them fails half-way
		// for it.
		db.DB, err = sql.Open("sqlite3", "file:"+strings.TrimPrefix(url, "sqlite:")+
			"?_txlock=immediate&_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_foreign_keys=on")
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		db.postgres = true
		db.DB, err = sql.Open("pgx", url)
	default:
		return nil, fmt.Errorf("database: %q is neither sqlite:FILE nor postgres://HOST/NAME", url)
	}
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	if err := db.migrate(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return db, nil
}

// migrate applies what is missing. Instances that start together wait for each other.
func (db *DB) migrate(ctx context.Context) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if db.postgres {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(7041776)"); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY "+
		"KEY, applied_at BIGINT NOT NULL)"); err != nil {
		return err
	}
	for _, name := range names {
		var applied int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM migrations WHERE name = "+
			"$1", name).Scan(&applied); err != nil {
			return err
		}
		if applied > 0 {
			continue
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO migrations (name, applied_at) VALUES ($1, "+
			"$2)", name, Time{time.Now()}); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Tx runs f in a serializable transaction, again when another one came between: f must have no
// effect but on the database.
func (db *DB) Tx(ctx context.Context, f func(tx *sql.Tx) error) error {
	const tries = 10
	for try := 1; ; try++ {
		err := db.once(ctx, f)
		if err == nil || !conflict(err) || try == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(rand.Int64N(int64(try * 10 * int(time.Millisecond))))):
		}
	}
}

func (db *DB) once(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func conflict(err error) bool {
	var postgres *pgconn.PgError
	if errors.As(err, &postgres) {
		return postgres.Code == "40001" || postgres.Code == "40P01"
	}
	var lite sqlite3.Error
	return errors.As(err, &lite) && (lite.Code == sqlite3.ErrBusy || lite.Code == sqlite3.ErrLocked)
}

// IsDuplicate tells whether a statement failed because its row is there already.
func IsDuplicate(err error) bool {
	var postgres *pgconn.PgError
	if errors.As(err, &postgres) {
		return postgres.Code == "23505"
	}
	var lite sqlite3.Error
	return errors.As(err, &lite) &&
		(lite.ExtendedCode == sqlite3.ErrConstraintUnique ||
			lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey)
}

// One runs a statement that must touch exactly one row; sql.ErrNoRows when it touched none.
func One(ctx context.Context, q Queryer, query string, args ...any) error {
	result, err := q.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return sql.ErrNoRows
}
