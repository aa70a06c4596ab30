// Package service puts the parts together.
package service

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/vultus/vultus/examples/idp/admin"
	"github.com/vultus/vultus/examples/idp/assurance"
	"github.com/vultus/vultus/examples/idp/config"
	"github.com/vultus/vultus/examples/idp/face"
	"github.com/vultus/vultus/examples/idp/keys"
	"github.com/vultus/vultus/examples/idp/mail"
	"github.com/vultus/vultus/examples/idp/provider"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/vultus/vultus/examples/idp/upstream"
	"github.com/vultus/vultus/examples/idp/vault"
	"github.com/vultus/vultus/examples/idp/verification"
	"github.com/vultus/vultus/examples/idp/web"
)

// Service is everything that runs.
type Service struct {
	Handler http.Handler
	Metrics http.Handler

	config       *config.Config
	db           *store.DB
	keys         *keys.Ring
	engine       *face.Engine
	provider     *provider.Provider
	verification *verification.Service
	assurance    *assurance.Service
	upstream     *upstream.Provider
	now          func() time.Time
}

// keyTimes are those of the signing keys: well over the lives of tokens, and of what relying
// parties cache.
var keyTimes = keys.Times{Period: 30 * 24 * time.Hour, Lead: 24 * time.Hour, Keep: 48 * time.Hour}

// New opens database and engine and puts the parts together. The clock is an argument so that tests
// can turn it.
func New(ctx context.Context, c *config.Config, now func() time.Time) (*Service, error) {
	engine, err := face.Open(c.Pack, c.Policy.Engine)
	if err != nil {
		return nil, err
	}
	s, err := newWith(ctx, c, engine, now)
	if err != nil {
		engine.Close()
	}
	return s, err
}

func newWith(
	ctx context.Context,
	c *config.Config,
	engine *face.Engine,
	now func() time.Time,
) (*Service, error) {
	s := &Service{config: c, engine: engine, now: now}
	v, err := vault.Open(ctx, c.Key)
	if err != nil {
		return nil, err
	}
	if s.db, err = store.Open(ctx, c.Database); err != nil {
		return nil, err
	}
	if err := s.assemble(ctx, v); err != nil {
		s.db.Close()
		return nil, err
	}
	return s, nil
}

// Close frees engine and database. No request may run any more.
func (s *Service) Close() {
	s.engine.Close()
	s.db.Close()
}

func (s *Service) assemble(ctx context.Context, v *vault.Vault) error {
	c := s.config
	s.keys = keys.New(s.db, v, keyTimes, s.now)
	if err := s.keys.Rotate(ctx); err != nil {
		return err
	}
	for _, client := range c.Clients {
		if err := provider.PutClient(ctx, s.db, client, s.now()); err != nil {
			return err
		}
	}
	var err error
	s.provider, err = provider.New(ctx, provider.Settings{
		DB: s.db, Keys: s.keys, Policy: c.Policy, Access: &c.Access, Issuer: c.Issuer,
		Chained: c.Upstream != nil, Now: s.now,
	})
	if err != nil {
		return err
	}
	s.assurance = &assurance.Service{
		DB: s.db, Keys: s.keys, Vault: v, Policy: c.Policy, Issuer: c.Issuer,
		Client: &http.Client{Timeout: 10 * time.Second}, Now: s.now,
	}
	parallel := c.Parallel
	if parallel == 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	gate := face.NewGate(parallel, c.Waiting, c.Patience.Std())
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	gallery, err := face.NewGallery(s.engine, v)
	if err != nil {
		return err
	}
	var post *mail.Settings
	if c.ConfirmEmail && c.Upstream == nil {
		post = c.Mail
	}
	s.verification = verification.New(verification.Settings{
		DB: s.db, Vault: v, Keys: s.keys, Policy: c.Policy, Access: &c.Access,
		Engine: s.engine, Gallery: gallery, Gate: gate,
		Provider: s.provider, Assurance: s.assurance, Mail: post, Consent: c.Consent,
		Limits: verification.DefaultLimits, Issuer: c.Issuer, Organisation: c.Organisation,
		Metrics: verification.NewMetrics(registry, gate), Now: s.now,
	})
	if c.Upstream != nil {
		s.upstream = upstream.New(*c.Upstream, c.Issuer)
	}
	s.Metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	routes := http.NewServeMux()
	s.provider.Routes(routes)
	s.verification.Routes(routes)
	(&admin.API{DB: s.db, Assurance: s.assurance, Now: s.now}).Routes(routes)
	routes.HandleFunc("POST /events/{id}", s.assurance.Poll)
	s.routes(routes)
	s.Handler = routes
	return nil
}

func (s *Service) routes(routes *http.ServeMux) {
	routes.HandleFunc(
		"GET /healthz",
		func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") },
	)
	routes.HandleFunc("GET /login", s.login)
	routes.HandleFunc("GET "+upstream.CallbackPath, s.returned)
	routes.HandleFunc("GET /verify/{txn}", s.page)
	routes.HandleFunc("GET /assets/", s.asset)
	routes.HandleFunc("GET /receipts/jwks", s.receiptKeys)
	routes.HandleFunc("GET /receipts/{id}", s.receipt)
	routes.HandleFunc(
		"GET /signed-out",
		func(w http.ResponseWriter, _ *http.Request) {
			say(w, http.StatusOK, "You are signed "+
				"out.")
		},
	)
}

// say answers with a plain page.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// login is where the provider sends a browser with a new transaction.
func (s *Service) login(w http.ResponseWriter, r *http.Request) {
	t, ok := s.mine(w, r, r.URL.Query().Get("id"))
	if !ok {
		return
	}
	to := "/verify/" + t.ID
	switch t.State {
	case transaction.Accepted: // the browser has a session that is good enough
		to = s.provider.Redirect(t)
	case transaction.Upstream:
		var err error
		var login *transaction.Login
		to, login, err = s.upstream.Begin(r.Context(), &t.Request)
		if err == nil {
			err = s.db.Tx(r.Context(), func(tx *sql.Tx) error {
				t, err := transaction.Load(r.Context(), tx, t.ID, s.now())
				if err != nil {
					return err
				}
				t.Upstream = login
				return t.Save(r.Context(), tx)
			})
		}
		if err != nil {
			slog.ErrorContext(r.Context(), "the other provider cannot be asked", "error", err)
			w.Header().Set("Retry-After", "5")
			say(
				w,
				http.StatusServiceUnavailable,
				"The login cannot be reached just now. Please try again in a moment.",
			)
			return
		}
		http.SetCookie(w, s.upstreamCookie(t.ID, 900))
	case transaction.Email:
		if t.EmailLocked && t.EmailVerified { // a session or the id_token_hint says who it is
			if err := s.verification.Known(r.Context(), t.ID); err != nil {
				slog.InfoContext(r.Context(), "the person cannot be identified", "error", err)
			}
		}
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// mine returns the transaction if it belongs to the browser.
func (s *Service) mine(
	w http.ResponseWriter,
	r *http.Request,
	id string,
) (*transaction.Transaction, bool) {
	browser := session.FromRequest(w, r, session.IsSecure(s.config.Issuer))
	t, err := transaction.Load(r.Context(), s.db, id, s.now())
	if err != nil || t.BrowserHash != browser.Hash() {
		say(
			w,
			http.StatusBadRequest,
			"This login is not known in this browser. Please start again where you came from.",
		)
		return nil, false
	}
	return t, true
}

// upstreamCookie remembers which transaction waits for the other provider.
func (s *Service) upstreamCookie(id string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name:     "vultus-upstream",
		Value:    id,
		Path:     upstream.CallbackPath,
		MaxAge:   seconds,
		HttpOnly: true,
		Secure:   session.IsSecure(s.config.Issuer),
		SameSite: http.SameSiteLaxMode,
	}
}

// returned is where the other provider sends the browser back to.
func (s *Service) returned(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie("vultus-upstream")
	if err != nil || s.upstream == nil {
		say(
			w,
			http.StatusBadRequest,
			"No login is under way in this browser. Please start again where you came from.",
		)
		return
	}
	t, ok := s.mine(w, r, cookie.Value)
	if !ok {
		return
	}
	http.SetCookie(w, s.upstreamCookie("", -1))
	if t.State != transaction.Upstream || t.Upstream == nil ||
		r.URL.Query().Get("state") != t.Upstream.State {
		say(
			w,
			http.StatusBadRequest,
			"This answer does not belong to the login. Please start again where you came from.",
		)
		return
	}
	person, err := s.upstream.Finish(r.Context(), t.Upstream, r)
	if err != nil {
		slog.WarnContext(r.Context(), "login at the other provider failed", "error", err)
		say(w, http.StatusForbidden, "The login failed. Please start again where you came from.")
		return
	}
	if err := s.verification.LoggedIn(r.Context(), t.ID, person); err != nil {
		slog.InfoContext(r.Context(), "the person is not admitted", "error", err)
	}
	http.Redirect(w, r, "/verify/"+t.ID, http.StatusFound)
}

// page serves the capture page, which finds its transaction in its own address.
func (s *Service) page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set(
		"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "+
			"media-src 'self' blob:; "+
			"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "+
			"frame-ancestors 'none'",
	)
	h.Set("Permissions-Policy", "camera=(self), microphone=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	http.ServeFileFS(w, r, web.Files(), "index.html")
}

var hashed = regexp.MustCompile(`[.-][0-9a-zA-Z]{8,}\.`)

func (s *Service) asset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/assets/")
	if info, err := fs.Stat(web.Files(), name); err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-cache")
	if hashed.MatchString(name) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, web.Files(), name)
}

// receiptKeys publishes what receipts are checked with.
func (s *Service) receiptKeys(w http.ResponseWriter, r *http.Request) {
	public, err := s.keys.Public(r.Context(), keys.Receipt)
	if err != nil {
		slog.ErrorContext(r.Context(), "keys cannot be read", "error", err)
		say(w, http.StatusServiceUnavailable, "The keys cannot be read just now.")
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: public})
}

// receipt gives the receipt of a decision to a relying party that holds an access token of the same
// person.
func (s *Service) receipt(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		w.Header().Set("WWW-Authenticate", "Bearer")
		say(w, http.StatusUnauthorized, "An access token is needed.")
		return
	}
	_, current, err := s.provider.Bearer(r.Context(), token)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		say(w, http.StatusUnauthorized, "The access token is not valid.")
		return
	}
	var text string
	err = s.db.QueryRowContext(r.Context(), "SELECT receipt FROM decisions WHERE id = $1 AND "+
		"user_id = $2", r.PathValue("id"), current.UserID).
		Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		say(w, http.StatusNotFound, "There is no such receipt.")
		return
	}
	if err != nil {
		slog.ErrorContext(r.Context(), "a receipt cannot be read", "error", err)
		say(w, http.StatusServiceUnavailable, "The receipt cannot be read just now.")
		return
	}
	w.Header().Set("Content-Type", "application/jose")
	fmt.Fprint(w, text)
}
