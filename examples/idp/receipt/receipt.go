// Package receipt is the evidence of one decision: signed, and checked without the service. It
// never holds a picture, a template or features.
package receipt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/vultus/vultus/examples/idp/face"
	"github.com/vultus/vultus/examples/idp/keys"
)

// Type is the header "typ" of the JWS.
const Type = "vultus-receipt+jwt"

// Receipt is the payload.
type Receipt struct {
	Issuer      string            `json:"iss"`
	ID          string            `json:"jti"`
	IssuedAt    int64             `json:"iat"`
	Transaction string            `json:"txn"`
	Client      string            `json:"client_id"`
	Subject     string            `json:"sub,omitempty"` // nobody on a refusal at enrolment
	Purpose     string            `json:"purpose"`
	Outcome     string            `json:"outcome"`
	Reasons     any               `json:"reasons"`
	Inputs      []Input           `json:"inputs"`
	Policy      string            `json:"policy"` // digest
	Models      []face.Model      `json:"models"`
	Evidence    []json.RawMessage `json:"evidence"` // the engine's decisions, with scores and versions
	Duplicates  *Duplicates       `json:"duplicates,omitempty"`
	EngineMS    int64             `json:"engine_ms"`
}

// Input names a file that was judged.
type Input struct {
	Role string `json:"role"` // frame or document
	Hash string `json:"hash"`
	AtUS int64  `json:"at_us,omitempty"`
}

// Duplicates is what the search over all who are enrolled found.
type Duplicates struct {
	Searched  int      `json:"searched"`
	Threshold float32  `json:"threshold"`
	FPIR      float64  `json:"fpir"`
	Best      *float32 `json:"best"`
	Found     int      `json:"found"`
}

// Hash returns how a receipt names bytes.
func Hash(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha-256:" + hex.EncodeToString(sum[:])
}

// Sign returns the receipt as a compact JWS.
func Sign(r *Receipt, key *keys.Key) (string, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	signer, err := key.Signer(Type)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Verify checks a compact JWS against published keys, offline, and returns what it says.
func Verify(text string, published []byte) (*Receipt, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(published, &set); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != Type {
		return nil, fmt.Errorf(
			"receipt: its type is %v, not %s",
			header.ExtraHeaders[jose.HeaderType],
			Type,
		)
	}
	keys := set.Key(header.KeyID)
	if len(keys) != 1 {
		return nil, fmt.Errorf("receipt: its key %q is not among the published ones", header.KeyID)
	}
	payload, err := signed.Verify(keys[0])
	if err != nil {
		return nil, errors.New("receipt: its signature is wrong")
	}
	r := new(Receipt)
	return r, json.Unmarshal(payload, r)
}

// Has tells whether a file was among what was judged.
func (r *Receipt) Has(content []byte) bool {
	hash := Hash(content)
	for _, input := range r.Inputs {
		if input.Hash == hash {
			return true
		}
	}
	return false
}

// Time returns when it was signed.
func (r *Receipt) Time() time.Time { return time.Unix(r.IssuedAt, 0).UTC() }
