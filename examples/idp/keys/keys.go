// Package keys holds the signing keys in the database, sealed, and replaces them in time. A new key
// is published before it signs, and an old one stays published until what it signed has run out.
package keys

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/vault"
)

// Use is what a key is for.
type Use string

// The uses.
const (
	Token   Use = "token"   // RS256: ID tokens and security event tokens
	Receipt Use = "receipt" // EdDSA: receipts; its public half is published for ever
	Opaque  Use = "opaque"  // 32 bytes that encrypt codes and access tokens
)

// Times of the rotation.
type Times struct {
	Period time.Duration // a key signs for so long
	Lead   time.Duration // it is published so long before
	Keep   time.Duration // and so long after
}

// Ring gives the keys.
type Ring struct {
	db    *store.DB
	vault *vault.Vault
	times Times
	now   func() time.Time
	open  sync.Map // id -> any: opened private keys
}

// New returns the ring over a database.
func New(db *store.DB, v *vault.Vault, times Times, now func() time.Time) *Ring {
	return &Ring{db: db, vault: v, times: times, now: now}
}

// Key is a key that signs.
type Key struct {
	ID        string
	Algorithm jose.SignatureAlgorithm
	Private   any
}

// Signer returns a signer of compact JWS with the given header "typ".
func (k *Key) Signer(typ jose.ContentType) (jose.Signer, error) {
	key := jose.SigningKey{
		Algorithm: k.Algorithm,
		Key:       jose.JSONWebKey{Key: k.Private, KeyID: k.ID},
	}
	return jose.NewSigner(key, (&jose.SignerOptions{}).WithType(typ))
}

type row struct {
	id                              string
	public                          store.JSON[*jose.JSONWebKey]
	sealed                          []byte
	createdAt, signsFrom, retiresAt store.Time
}

func (r *Ring) rows(ctx context.Context, q store.Queryer, use Use) ([]row, error) {
	rows, err := q.QueryContext(
		ctx,
		"SELECT id, public, sealed, created_at, signs_from, retires_at FROM keys WHERE use = $1 "+
			"ORDER BY signs_from DESC",
		use,
	)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		var k row
		if err := rows.Scan(
			&k.id, &k.public, &k.sealed, &k.createdAt, &k.signsFrom, &k.retiresAt,
		); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// Signing returns the key that signs now.
func (r *Ring) Signing(ctx context.Context, q store.Queryer, use Use) (*Key, error) {
	all, err := r.rows(ctx, q, use)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if k.signsFrom.After(r.now()) {
			continue
		}
		private, err := r.private(k)
		if err != nil {
			return nil, err
		}
		algorithm := jose.EdDSA
		if use == Token {
			algorithm = jose.RS256
		}
		return &Key{k.id, algorithm, private}, nil
	}
	return nil, fmt.Errorf("no %s key signs now", use)
}

// Secret returns the opaque key.
func (r *Ring) Secret(ctx context.Context) (secret [32]byte, err error) {
	all, err := r.rows(ctx, r.db, Opaque)
	if err != nil {
		return secret, err
	}
	if len(all) == 0 {
		return secret, errors.New("there is no opaque key")
	}
	plain, err := r.vault.Open("keys/"+all[0].id, all[0].sealed)
	copy(secret[:], plain)
	return secret, err
}

// Public returns what relying parties must know: the keys that sign, will sign, or signed what is
// still valid.
func (r *Ring) Public(ctx context.Context, use Use) ([]jose.JSONWebKey, error) {
	all, err := r.rows(ctx, r.db, use)
	if err != nil {
		return nil, err
	}
	var public []jose.JSONWebKey
	for _, k := range all {
		if k.retiresAt.IsZero() || k.retiresAt.After(r.now()) || use == Receipt {
			public = append(public, *k.public.V)
		}
	}
	return public, nil
}

func (r *Ring) private(k row) (any, error) {
	if private, ok := r.open.Load(k.id); ok {
		return private, nil
	}
	plain, err := r.vault.Open("keys/"+k.id, k.sealed)
	if err != nil {
		return nil, err
	}
	var private jose.JSONWebKey
	if err := json.Unmarshal(plain, &private); err != nil {
		return nil, err
	}
	r.open.Store(k.id, private.Key)
	return private.Key, nil
}

// Rotate makes the keys that are missing and the successors of those whose time comes. Call it at
// the start and then often.
func (r *Ring) Rotate(ctx context.Context) error {
	for _, use := range []Use{Token, Receipt, Opaque} {
		// The new key is made before the transaction, which may run twice.
		due, err := r.due(ctx, r.db, use)
		if err != nil || due.IsZero() {
			if err != nil {
				return err
			}
			continue
		}
		made, err := r.generate(use)
		if err != nil {
			return err
		}
		err = r.db.Tx(ctx, func(tx *sql.Tx) error {
			from, err := r.due(ctx, tx, use)
			if err != nil || from.IsZero() { // another instance was first
				return err
			}
			_, err = tx.ExecContext(
				ctx,
				"UPDATE keys SET retires_at = $1 WHERE use = $2 AND retires_at IS NULL",
				store.Time{Time: from.Add(r.times.Keep)},
				use,
			)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(
				ctx,
				"INSERT INTO keys (id, use, public, sealed, created_at, signs_from) VALUES ($1, "+
					"$2, $3, $4, $5, $6)",
				made.id,
				use,
				made.public,
				made.sealed,
				store.Time{Time: r.now()},
				store.Time{Time: from},
			)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// due returns from when on a key must sign that is not there yet; zero when none is due.
func (r *Ring) due(ctx context.Context, q store.Queryer, use Use) (time.Time, error) {
	all, err := r.rows(ctx, q, use)
	if err != nil {
		return time.Time{}, err
	}
	if len(all) == 0 {
		return r.now(), nil
	}
	from := all[0].signsFrom.Add(r.times.Period)
	if use == Opaque || r.now().Add(r.times.Lead).Before(from) {
		return time.Time{}, nil
	}
	if earliest := r.now().Add(r.times.Lead); from.Before(earliest) { // nobody rotated for long
		from = earliest
	}
	return from, nil
}

func (r *Ring) generate(use Use) (*row, error) {
	var random [9]byte
	rand.Read(random[:])
	made := &row{id: base64.RawURLEncoding.EncodeToString(random[:])}
	if use == Opaque {
		secret := make([]byte, 32)
		rand.Read(secret)
		made.sealed = r.vault.Seal("keys/"+made.id, secret)
		return made, nil
	}
	var private crypto.Signer
	var err error
	algorithm := jose.EdDSA
	if use == Token {
		algorithm = jose.RS256
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		_, private, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	key := jose.JSONWebKey{Key: private, KeyID: made.id, Algorithm: string(algorithm), Use: "sig"}
	plain, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	public := key.Public()
	made.public.V = &public
	made.sealed = r.vault.Seal("keys/"+made.id, plain)
	return made, nil
}
