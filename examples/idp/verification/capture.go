package verification

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/vultus/vultus/examples/idp/face"
	"github.com/vultus/vultus/examples/idp/transaction"
	vultus "github.com/vultus/vultus/ffi/go"
)

// guidance looks at one picture and says what to do better. Nothing is kept, and whoever submits
// goes first.
func (s *Service) guidance(w http.ResponseWriter, r *http.Request, v visit) (any, error) {
	role, most := vultus.Selfie, s.Limits.FrameBytesMax
	switch r.URL.Query().Get("role") {
	case "selfie":
	case "document":
		role, most = vultus.Document, s.Limits.DocumentBytesMax
	default:
		return nil, badRequest("The parameter role must be selfie or document.")
	}
	if !s.pace.allows(v.id, s.Now()) {
		return nil, wait(429, "slow-down", time.Second, "Fewer pictures a second are enough.")
	}
	t, err := transaction.Load(r.Context(), s.DB, v.id, s.Now())
	if err != nil {
		return nil, err
	}
	if err := expect(t, transaction.Capture); err != nil {
		return nil, err
	}
	turn, err := s.Gate.EnterIdle()
	if err != nil {
		return nil, err
	}
	defer turn.Leave()
	file, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		return nil, err
	}
	if _, err := face.Plain(file); err != nil {
		return nil, err
	}
	return s.Engine.Guide(r.Context(), file, role)
}

// pace holds each transaction to a number of calls a second, on this instance.
type pace struct {
	every time.Duration
	lock  sync.Mutex
	last  map[string]time.Time
}

func newPace(every time.Duration) *pace {
	return &pace{every: every, last: make(map[string]time.Time)}
}

func (p *pace) allows(id string, now time.Time) bool {
	p.lock.Lock()
	defer p.lock.Unlock()
	if now.Sub(p.last[id]) < p.every {
		return false
	}
	if len(p.last) > 10_000 {
		clear(p.last)
	}
	p.last[id] = now
	return true
}

// Challenge is what is shown while the frames are taken.
type Challenge struct {
	Nonce           string          `json:"nonce"`
	ExpiresAt       time.Time       `json:"expires_at"`
	Script          json.RawMessage `json:"script"`
	FramesPerSecond int             `json:"frames_per_second"`
}

// challenge gives a nonce, which is good for one burst within the window.
func (s *Service) challenge(_ http.ResponseWriter, r *http.Request, v visit) (any, error) {
	var given struct {
		Without []string `json:"without"`
	}
	if err := read(r, &given); err != nil {
		return nil, err
	}
	kinds := slices.Clone(s.Policy.Challenge.Kinds)
	for _, kind := range given.Without {
		if !slices.Contains(s.Policy.Challenge.Optional, kind) {
			return nil, fault(
				403,
				"challenge-required",
				"fix",
				"This part of the challenge cannot be left out.",
			)
		}
		kinds = slices.DeleteFunc(kinds, func(k string) bool { return k == kind })
	}
	nonce := make([]byte, 32)
	rand.Read(nonce)
	script, err := s.Engine.Challenge(nonce, kinds)
	if err != nil {
		return nil, err
	}
	t, err := s.change(
		r.Context(),
		v,
		[]transaction.State{transaction.Capture},
		func(tx *sql.Tx, t *transaction.Transaction) error {
			throttle, err := loadThrottle(r.Context(), tx, t.Email)
			if err != nil {
				return err
			}
			if err := throttle.check(s.Policy, s.Now()); err != nil {
				return err
			}
			t.Nonce, t.NonceKinds = nonce, kinds
			t.NonceIssuedAt, t.NonceExpiresAt = s.Now(), s.Now().
				Add(s.Policy.Challenge.Window.Std())
			return nil
		},
	)
	if err != nil {
		return nil, err
	}
	rate := 8
	if slices.Contains(kinds, "blink") {
		rate = 12 // fewer than 8 a second show no blinks, and a page keeps no rate to the frame
	}
	return &Challenge{
		base64.RawURLEncoding.EncodeToString(nonce),
		t.NonceExpiresAt,
		script,
		rate,
	}, nil
}

// submit judges a burst. It counts as failed before it is judged, and one database transaction
// holds all that follows from the decision: whenever the service dies, there is a whole decision or
// none.
func (s *Service) submit(w http.ResponseWriter, r *http.Request, v visit) (any, error) {
	turn, err := s.Gate.Enter()
	if err != nil {
		return nil, err
	}
	defer turn.Leave()
	t, err := transaction.Load(r.Context(), s.DB, v.id, s.Now())
	if err != nil {
		return nil, err
	}
	if err := expect(t, transaction.Capture); err != nil {
		return nil, err
	}
	upload, err := readUpload(w, r, s.Limits, t.Document)
	if err != nil {
		return nil, err
	}
	if err := turn.Wait(r.Context()); err != nil {
		return nil, err
	}
	// From here on the person may close the page: what was begun is brought to its end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
	defer cancel()
	a, err := s.claim(ctx, v, upload)
	if err != nil {
		return nil, err
	}
	if t, err = s.judge(ctx, v, a); err != nil {
		return nil, err
	}
	return s.view(ctx, t, v)
}
