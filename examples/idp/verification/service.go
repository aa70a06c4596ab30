// Package verification leads a person through a transaction: the address, the consent, the
// pictures, and the decision.
package verification

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/vultus/vultus/examples/idp/access"
	"github.com/vultus/vultus/examples/idp/assurance"
	"github.com/vultus/vultus/examples/idp/face"
	"github.com/vultus/vultus/examples/idp/keys"
	"github.com/vultus/vultus/examples/idp/mail"
	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/provider"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/vultus/vultus/examples/idp/user"
	"github.com/vultus/vultus/examples/idp/vault"
)

// Consent is the text that a person agrees to, shown whole.
type Consent struct {
	Version       string   `json:"version"`
	Controller    string   `json:"controller"`
	Contact       string   `json:"contact"`
	Purpose       string   `json:"purpose"`
	Kept          []string `json:"kept"`
	NotKept       []string `json:"not_kept"`
	RetentionDays int      `json:"retention_days"`
	PolicyURL     *string  `json:"policy_url"`
}

// Settings are what the service needs.
type Settings struct {
	DB           *store.DB
	Vault        *vault.Vault
	Keys         *keys.Ring
	Policy       *policy.Policy
	Access       *access.Rules
	Engine       *face.Engine
	Gallery      *face.Gallery
	Gate         *face.Gate
	Provider     *provider.Provider
	Assurance    *assurance.Service
	Mail         *mail.Settings // nil: addresses are not confirmed
	Consent      Consent
	Limits       Limits
	Issuer       string
	Organisation string
	Metrics      *Metrics
	Now          func() time.Time
}

// Service serves the page's calls.
type Service struct {
	Settings
	pace *pace
}

// New returns the service.
func New(s Settings) *Service {
	return &Service{s, newPace(200 * time.Millisecond)}
}

// Routes adds the calls of the page.
func (s *Service) Routes(routes *http.ServeMux) {
	const base = "/api/transactions/{txn}"
	routes.HandleFunc("GET "+base, s.call(s.show))
	routes.HandleFunc("POST "+base+"/email", s.call(s.email))
	routes.HandleFunc("POST "+base+"/code", s.call(s.code))
	routes.HandleFunc("POST "+base+"/consent", s.call(s.consent))
	routes.HandleFunc("POST "+base+"/decline", s.call(s.decline))
	routes.HandleFunc("POST "+base+"/guidance", s.call(s.guidance))
	routes.HandleFunc("POST "+base+"/challenge", s.call(s.challenge))
	routes.HandleFunc("POST "+base+"/submit", s.call(s.submit))
}

// visit is a call of the page that is known to come from the browser of the transaction.
type visit struct {
	id      string
	browser session.Browser
}

// call checks that a request belongs to the transaction, and that one which changes something comes
// from the page itself.
func (s *Service) call(
	f func(w http.ResponseWriter, r *http.Request, v visit) (any, error),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := visit{r.PathValue("txn"), session.FromRequest(w, r, session.IsSecure(s.Issuer))}
		body, err := s.admit(r, v)
		if err == nil {
			body, err = f(w, r, v)
		}
		if err != nil {
			s.Metrics.refused(refuse(w, r, err))
			return
		}
		answer(w, http.StatusOK, body)
	}
}

func (s *Service) admit(r *http.Request, v visit) (any, error) {
	t, err := transaction.Load(r.Context(), s.DB, v.id, s.Now())
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, errUnknown
	case err != nil:
		return nil, err
	case t.BrowserHash != v.browser.Hash():
		return nil, errNoSession
	case r.Method != http.MethodGet && !v.browser.IsCSRF(v.id, r.Header.Get("X-CSRF-Token")):
		return nil, errCSRF
	default:
		return nil, nil
	}
}

// change loads the transaction, lets f change it, and saves it, all in one database transaction. It
// must be in one of the states.
func (s *Service) change(
	ctx context.Context,
	v visit,
	states []transaction.State,
	f func(tx *sql.Tx, t *transaction.Transaction) error,
) (*transaction.Transaction, error) {
	var changed *transaction.Transaction
	err := s.DB.Tx(ctx, func(tx *sql.Tx) error {
		t, err := transaction.Load(ctx, tx, v.id, s.Now())
		if err != nil {
			return err
		}
		if err := expect(t, states...); err != nil {
			return err
		}
		if err := f(tx, t); err != nil {
			return err
		}
		changed = t
		return t.Save(ctx, tx)
	})
	return changed, err
}

// expect returns a fault unless the transaction is in one of the states.
func expect(t *transaction.Transaction, states ...transaction.State) error {
	switch {
	case slices.Contains(states, t.State):
		return nil
	case t.State == transaction.Expired:
		return errExpired
	default:
		return errState
	}
}

// View is the transaction as the page sees it.
type View struct {
	ID               string               `json:"id"`
	State            transaction.State    `json:"state"`
	CSRF             string               `json:"csrf"`
	Client           string               `json:"client"`
	Organisation     string               `json:"organisation"`
	Email            *string              `json:"email"`
	EmailLocked      bool                 `json:"email_locked"`
	Purpose          transaction.Purpose  `json:"purpose"`
	DocumentRequired bool                 `json:"document_required"`
	ExpiresAt        time.Time            `json:"expires_at"`
	AttemptsLeft     int                  `json:"attempts_left"`
	RetryAt          *time.Time           `json:"retry_at"`
	Consent          Consent              `json:"consent"`
	Limits           Limits               `json:"limits"`
	Last             *transaction.Outcome `json:"last"`
	Redirect         *string              `json:"redirect"`
}

func (s *Service) show(_ http.ResponseWriter, r *http.Request, v visit) (any, error) {
	t, err := transaction.Load(r.Context(), s.DB, v.id, s.Now())
	if err != nil {
		return nil, err
	}
	return s.view(r.Context(), t, v)
}

func (s *Service) view(ctx context.Context, t *transaction.Transaction, v visit) (*View, error) {
	client, err := provider.LoadClient(ctx, s.DB, t.ClientID)
	if err != nil {
		return nil, err
	}
	view := &View{
		ID: t.ID, State: t.State, CSRF: v.browser.CSRF(t.ID), Client: client.Name,
		Organisation: s.Organisation, EmailLocked: t.EmailLocked, Purpose: t.Purpose,
		DocumentRequired: t.Document, ExpiresAt: t.ExpiresAt,
		AttemptsLeft: max(0, s.Policy.Attempts.PerTransaction-t.Attempts),
		Consent:      s.Consent, Limits: s.Limits, Last: t.Last,
	}
	if t.Email != "" {
		view.Email = &t.Email
		throttle, err := loadThrottle(ctx, s.DB, t.Email)
		if err != nil {
			return nil, err
		}
		if throttle.retryAt.After(s.Now()) {
			view.RetryAt = &throttle.retryAt
		}
	}
	if redirect := s.Provider.Redirect(t); redirect != "" {
		view.Redirect = &redirect
	}
	return view, nil
}

func read(r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return badRequest("The body cannot be read: " + err.Error())
	}
	return nil
}

func (s *Service) consent(_ http.ResponseWriter, r *http.Request, v visit) (any, error) {
	var given struct {
		Version string `json:"version"`
	}
	if err := read(r, &given); err != nil {
		return nil, err
	}
	if given.Version != s.Consent.Version {
		return nil, fault(
			409,
			"wrong-state",
			"reload",
			"The text has changed. Please read it again.",
		)
	}
	t, err := s.change(
		r.Context(),
		v,
		[]transaction.State{transaction.Consent},
		func(_ *sql.Tx, t *transaction.Transaction) error {
			t.Consent, t.State = given.Version, transaction.Capture
			return nil
		},
	)
	if err != nil {
		return nil, err
	}
	return s.view(r.Context(), t, v)
}

func (s *Service) decline(_ http.ResponseWriter, r *http.Request, v visit) (any, error) {
	open := []transaction.State{
		transaction.Email,
		transaction.Code,
		transaction.Consent,
		transaction.Capture,
	}
	t, err := s.change(r.Context(), v, open, func(_ *sql.Tx, t *transaction.Transaction) error {
		t.State = transaction.Refused
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.view(r.Context(), t, v)
}

// known returns the user with the address of a transaction; nil when nobody is enrolled.
func known(ctx context.Context, q store.Queryer, t *transaction.Transaction) (*user.User, error) {
	u, err := user.ByEmail(ctx, q, t.Email)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return u, err
}
