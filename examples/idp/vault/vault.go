// Package vault encrypts what must not lie in the database in the clear: templates, private keys,
// secrets of receivers.
package vault

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Source says where the keys come from; exactly one field is set. Each gives lines of "id base64":
// the first key encrypts, the others still decrypt, so a key is rotated by putting a new line
// before the old ones.
type Source struct {
	File string `json:"file,omitempty"`
	Env  string `json:"env,omitempty"`
	// Command prints the lines: the hook for a key management service.
	Command []string `json:"command,omitempty"`
}

// Vault holds the keys in memory.
type Vault struct {
	current string
	keys    map[string]cipher.AEAD
}

// Open reads the keys.
func Open(ctx context.Context, source Source) (*Vault, error) {
	text, err := source.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	v := &Vault{keys: make(map[string]cipher.AEAD)}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 || len(fields[0]) > 32 {
			return nil, errors.New(
				"key: each line must be an id of at most 32 letters and 32 bytes in base64",
			)
		}
		secret, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil || len(secret) != 32 {
			return nil, fmt.Errorf("key: %s is not 32 bytes in base64", fields[0])
		}
		block, err := aes.NewCipher(secret)
		if err != nil {
			return nil, err
		}
		if v.keys[fields[0]], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
		if v.current == "" {
			v.current = fields[0]
		}
	}
	if v.current == "" {
		return nil, errors.New("key: none was given; `vultus-idp key` makes one")
	}
	return v, nil
}

func (s Source) read(ctx context.Context) ([]byte, error) {
	switch {
	case s.File != "" && s.Env == "" && s.Command == nil:
		return os.ReadFile(s.File)
	case s.Env != "" && s.File == "" && s.Command == nil:
		return []byte(os.Getenv(s.Env)), nil
	case len(s.Command) > 0 && s.File == "" && s.Env == "":
		return exec.CommandContext(ctx, s.Command[0], s.Command[1:]...).Output()
	default:
		return nil, errors.New("exactly one of file, env and command must be given")
	}
}

// NewKey returns a line for a Source.
func NewKey(id string) string {
	secret := make([]byte, 32)
	rand.Read(secret)
	return id + " " + base64.StdEncoding.EncodeToString(secret)
}

// Seal encrypts with AES-256-GCM. The place, such as a table and its row, is bound to it: elsewhere
// it does not open.
func (v *Vault) Seal(place string, plain []byte) []byte {
	return v.keys[v.current].Seal(append([]byte(v.current), 0), nil, plain, []byte(place))
}

// Open decrypts what Seal gave for the same place.
func (v *Vault) Open(place string, sealed []byte) ([]byte, error) {
	id, rest, _ := bytes.Cut(sealed, []byte{0})
	key, ok := v.keys[string(id)]
	if !ok {
		return nil, fmt.Errorf("key: %q, which encrypted %s, is not among the keys", id, place)
	}
	plain, err := key.Open(nil, nil, rest, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("key: %s was changed or belongs elsewhere", place)
	}
	return plain, nil
}

// IsCurrent tells whether the first key encrypted it.
func (v *Vault) IsCurrent(sealed []byte) bool {
	id, _, _ := bytes.Cut(sealed, []byte{0})
	return string(id) == v.current
}
