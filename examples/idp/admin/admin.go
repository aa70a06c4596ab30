// Package admin is the interface for those who run the service: relying parties, members, users,
// receivers of events, the audit log. openapi.json describes it. Every call needs a token with the
// scope of its route, and every change is in the audit log.
package admin

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed" // openapi.json
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vultus/vultus/examples/idp/access"
	"github.com/vultus/vultus/examples/idp/assurance"
	"github.com/vultus/vultus/examples/idp/audit"
	"github.com/vultus/vultus/examples/idp/provider"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/user"
	"github.com/vultus/vultus/examples/idp/verification"
)

//go:embed openapi.json
var openapi []byte

// Scopes of tokens.
var Scopes = []string{
	"clients:read",
	"clients:write",
	"members:read",
	"members:write",
	"users:read",
	"users:write",
	"streams:read",
	"streams:write",
	"receipts:read",
	"audit:read",
}

// NewToken makes a token; only its hash is kept.
func NewToken(
	ctx context.Context,
	q store.Queryer,
	name string,
	scopes []string,
	now time.Time,
	life time.Duration,
) (string, error) {
	for _, scope := range scopes {
		if !slices.Contains(Scopes, scope) {
			return "", errors.New(
				"scope " + scope + " is unknown, allowed are " + strings.Join(Scopes, " "),
			)
		}
	}
	token := session.Random()
	_, err := q.ExecContext(
		ctx,
		"INSERT INTO admin_tokens (hash, name, scopes, created_at, expires_at) VALUES ($1, $2, "+
			"$3, $4, $5)",
		session.Hash(
			token,
		),
		name,
		store.JSON[[]string]{V: scopes},
		store.Time{Time: now},
		store.Time{Time: now.Add(life)},
	)
	if err != nil {
		return "", err
	}
	return token, audit.Write(
		ctx,
		q,
		audit.Entry{
			At:      now,
			Actor:   "command line",
			Action:  "admin-token.make",
			Subject: name,
			Detail:  map[string]any{"scopes": scopes},
		},
	)
}

// API serves the calls.
type API struct {
	DB        *store.DB
	Assurance *assurance.Service
	Now       func() time.Time
}

// call is one request that was let in.
type call struct {
	*http.Request
	tx    *sql.Tx
	actor string
	body  []byte
}

// problem is a refusal that the caller can mend.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

var errNotFound = &problem{http.StatusNotFound, "there is no such thing"}

type route struct {
	pattern string
	scope   string
	serve   func(*API, *call) (any, error)
}

// The routes are those of openapi.json, which a test checks.
var routes = []route{
	{"GET /admin/v1/clients", "clients:read", (*API).listClients},
	{"PUT /admin/v1/clients/{id}", "clients:write", (*API).putClient},
	{"DELETE /admin/v1/clients/{id}", "clients:write", (*API).deleteClient},
	{"GET /admin/v1/members", "members:read", (*API).listMembers},
	{"PUT /admin/v1/members/{kind}/{value}", "members:write", (*API).putMember},
	{"DELETE /admin/v1/members/{kind}/{value}", "members:write", (*API).deleteMember},
	{"GET /admin/v1/users", "users:read", (*API).listUsers},
	{"GET /admin/v1/users/{id}", "users:read", (*API).showUser},
	{"DELETE /admin/v1/users/{id}", "users:write", (*API).deleteUser},
	{"POST /admin/v1/users/{id}/revoke", "users:write", (*API).revokeUser},
	{"POST /admin/v1/users/{id}/report", "users:write", (*API).reportUser},
	{"POST /admin/v1/users/{id}/clear", "users:write", (*API).clearUser},
	{"GET /admin/v1/streams", "streams:read", (*API).listStreams},
	{"POST /admin/v1/streams", "streams:write", (*API).addStream},
	{"DELETE /admin/v1/streams/{id}", "streams:write", (*API).removeStream},
	{"GET /admin/v1/receipts/{id}", "receipts:read", (*API).receipt},
	{"GET /admin/v1/audit", "audit:read", (*API).audit},
}

// Routes adds the calls, and the document that describes them.
func (a *API) Routes(mux *http.ServeMux) {
	for _, r := range routes {
		mux.HandleFunc(
			r.pattern,
			func(w http.ResponseWriter, request *http.Request) { a.serve(w, request, r) },
		)
	}
	mux.HandleFunc("GET /admin/v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(openapi)
	})
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, route route) {
	actor, err := a.authorise(r, route.scope)
	var body any
	if err == nil {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		var text []byte
		if text, err = io.ReadAll(r.Body); err == nil {
			err = a.DB.Tx(r.Context(), func(tx *sql.Tx) error {
				var err error
				body, err = route.serve(a, &call{r, tx, actor, text})
				return err
			})
		}
	}
	var p *problem
	switch {
	case err == nil:
	case errors.As(err, &p):
	case errors.Is(err, sql.ErrNoRows):
		p = errNotFound
	default:
		slog.ErrorContext(r.Context(), "admin call failed", "route", route.pattern, "error", err)
		p = &problem{http.StatusServiceUnavailable, "the call failed, please try again"}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if p != nil {
		if p.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		w.WriteHeader(p.status)
		body = map[string]string{"error": p.text}
	}
	json.NewEncoder(w).Encode(body)
}

func (a *API) authorise(r *http.Request, scope string) (name string, err error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", &problem{http.StatusUnauthorized, "a token is needed"}
	}
	var scopes store.JSON[[]string]
	err = a.DB.QueryRowContext(r.Context(), "SELECT name, scopes FROM admin_tokens WHERE hash = "+
		"$1 AND expires_at > $2",
		session.Hash(token), store.Time{Time: a.Now()}).
		Scan(&name, &scopes)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", &problem{http.StatusUnauthorized, "the token is unknown or has expired"}
	case err == nil && !slices.Contains(scopes.V, scope):
		return "", &problem{http.StatusForbidden, "the token lacks the scope " + scope}
	default:
		return name, err
	}
}

func (c *call) read(into any) error {
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return &problem{http.StatusBadRequest, "the body cannot be read: " + err.Error()}
	}
	return nil
}

func (c *call) page() (after string, count int, err error) {
	count = 100
	if text := c.URL.Query().Get("count"); text != "" {
		if count, err = strconv.Atoi(text); err != nil || count < 1 || count > 1000 {
			return "", 0, &problem{http.StatusBadRequest, "count must be 1 to 1000"}
		}
	}
	return c.URL.Query().Get("after"), count, nil
}

// log writes what was done.
func (a *API) log(c *call, action, subject string, detail map[string]any) error {
	return audit.Write(
		c.Context(),
		c.tx,
		audit.Entry{At: a.Now(), Actor: c.actor, Action: action, Subject: subject, Detail: detail},
	)
}

var done = map[string]bool{"done": true}

func (a *API) listClients(c *call) (any, error) { return provider.ListClients(c.Context(), c.tx) }

// putClient registers a relying party. A confidential one that is new, or asks for it, gets a
// secret, which is told once.
func (a *API) putClient(c *call) (any, error) {
	given := struct {
		provider.Client
		Public    bool `json:"public"`
		NewSecret bool `json:"new_secret"`
	}{}
	if err := c.read(&given); err != nil {
		return nil, err
	}
	client := given.Client
	client.ID = c.PathValue("id")
	if client.Secret != "" {
		return nil, &problem{http.StatusBadRequest, "secrets are made here: leave it out"}
	}
	if err := client.Validate(); err != nil {
		return nil, &problem{http.StatusBadRequest, err.Error()}
	}
	_, err := provider.LoadClient(c.Context(), c.tx, client.ID)
	isNew := errors.Is(err, sql.ErrNoRows)
	if err != nil && !isNew {
		return nil, err
	}
	if (isNew && !given.Public) || given.NewSecret {
		secret := make([]byte, 32)
		rand.Read(secret)
		client.Secret = base64.RawURLEncoding.EncodeToString(secret)
	}
	if err := provider.PutClient(c.Context(), c.tx, client, a.Now()); err != nil {
		return nil, err
	}
	return client, a.log(
		c,
		"client.put",
		client.ID,
		map[string]any{"redirect_uris": client.RedirectURIs, "new_secret": client.Secret != ""},
	)
}

func (a *API) deleteClient(c *call) (any, error) {
	if err := provider.DeleteClient(c.Context(), c.tx, c.PathValue("id")); err != nil {
		return nil, err
	}
	return done, a.log(c, "client.delete", c.PathValue("id"), nil)
}

func (a *API) listMembers(c *call) (any, error) { return access.List(c.Context(), c.tx) }

func (a *API) putMember(c *call) (any, error) {
	member := access.Member{}
	if err := c.read(&member); err != nil {
		return nil, err
	}
	member.Kind, member.Value = c.PathValue("kind"), c.PathValue("value")
	if err := member.Validate(); err != nil {
		return nil, &problem{http.StatusBadRequest, err.Error()}
	}
	if err := access.Put(c.Context(), c.tx, member, a.Now()); err != nil {
		return nil, err
	}
	return member, a.log(c, "member.put", member.Value, map[string]any{"groups": member.Groups})
}

func (a *API) deleteMember(c *call) (any, error) {
	value := strings.ToLower(c.PathValue("value"))
	if err := access.Delete(c.Context(), c.tx, c.PathValue("kind"), value); err != nil {
		return nil, err
	}
	return done, a.log(c, "member.delete", c.PathValue("value"), nil)
}

// User is a user as administrators see it.
type User struct {
	ID            string    `json:"id"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	CreatedAt     time.Time `json:"created_at"`
	VerifiedAt    time.Time `json:"verified_at"`
	DocumentAt    time.Time `json:"document_at"`
	RiskLevel     string    `json:"risk_level"`
	RiskScore     int       `json:"risk_score"`
	Findings      []string  `json:"findings"`
	Assurance     string    `json:"assurance"`
	DecisionID    string    `json:"decision_id"`
}

func (a *API) user(c *call, u *user.User) (*User, error) {
	findings, err := a.Assurance.Findings(c.Context(), c.tx, u)
	return &User{
		u.ID,
		u.Email,
		u.EmailVerified,
		u.CreatedAt,
		u.VerifiedAt,
		u.DocumentAt,
		u.RiskLevel,
		u.RiskScore,
		findings,
		u.Assurance,
		u.DecisionID,
	}, err
}

func (a *API) listUsers(c *call) (any, error) {
	after, count, err := c.page()
	if err != nil {
		return nil, err
	}
	users, err := user.List(c.Context(), c.tx, after, count)
	if err != nil {
		return nil, err
	}
	list := []*User{}
	for _, u := range users {
		shown, err := a.user(c, u)
		if err != nil {
			return nil, err
		}
		list = append(list, shown)
	}
	return list, nil
}

func (a *API) showUser(c *call) (any, error) {
	u, err := user.ByID(c.Context(), c.tx, c.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return a.user(c, u)
}

func (a *API) deleteUser(c *call) (any, error) {
	return done, a.Assurance.Delete(c.Context(), c.tx, c.PathValue("id"), c.actor, "asked for")
}

// change loads a user, lets f change it, and logs it with the reason that was given.
func (a *API) change(
	c *call,
	action string,
	f func(u *user.User, reason string) error,
) (any, error) {
	given := struct {
		Reason string `json:"reason"`
	}{}
	if err := c.read(&given); err != nil {
		return nil, err
	}
	u, err := user.ByID(c.Context(), c.tx, c.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if err := a.log(c, action, u.ID, map[string]any{"reason": given.Reason}); err != nil {
		return nil, err
	}
	if err := f(u, given.Reason); err != nil {
		return nil, err
	}
	return a.user(c, u)
}

func (a *API) revokeUser(c *call) (any, error) {
	return a.change(
		c,
		"user.revoke",
		func(u *user.User, reason string) error {
			return a.Assurance.Revoke(c.Context(), c.tx, u, reason)
		},
	)
}

func (a *API) reportUser(c *call) (any, error) {
	return a.change(
		c,
		"user.report",
		func(u *user.User, _ string) error {
			return a.Assurance.Flag(c.Context(), c.tx, u, assurance.Reported)
		},
	)
}

// clearUser forgets what speaks against a user: findings, and failed attempts that keep the address
// out.
func (a *API) clearUser(c *call) (any, error) {
	return a.change(c, "user.clear", func(u *user.User, _ string) error {
		if err := verification.Forgive(c.Context(), c.tx, u.Email); err != nil {
			return err
		}
		return a.Assurance.Clear(c.Context(), c.tx, u)
	})
}

func (a *API) listStreams(c *call) (any, error) { return assurance.Streams(c.Context(), c.tx) }

func (a *API) addStream(c *call) (any, error) {
	stream := assurance.Stream{}
	if err := c.read(&stream); err != nil {
		return nil, err
	}
	if _, err := provider.LoadClient(c.Context(), c.tx, stream.Client); err != nil {
		return nil, &problem{http.StatusBadRequest, "client_id: there is no such client"}
	}
	if err := a.Assurance.Add(c.Context(), c.tx, &stream); err != nil {
		return nil, err
	}
	return stream, a.log(
		c,
		"stream.add",
		stream.ID,
		map[string]any{"client": stream.Client, "url": stream.URL},
	)
}

func (a *API) removeStream(c *call) (any, error) {
	if err := assurance.Remove(c.Context(), c.tx, c.PathValue("id")); err != nil {
		return nil, err
	}
	return done, a.log(c, "stream.remove", c.PathValue("id"), nil)
}

func (a *API) receipt(c *call) (any, error) {
	var text string
	if err := c.tx.QueryRowContext(c.Context(), "SELECT receipt FROM decisions WHERE id = "+
		"$1", c.PathValue("id")).Scan(&text); err != nil {
		return nil, err
	}
	return map[string]string{"receipt": text}, a.log(c, "receipt.read", c.PathValue("id"), nil)
}

func (a *API) audit(c *call) (any, error) {
	after, count, err := c.page()
	if err != nil {
		return nil, err
	}
	return audit.Read(c.Context(), c.tx, after, count)
}

// Described returns the scope of every route, for the test that holds openapi.json against them.
func Described() map[string]string {
	scopes := make(map[string]string)
	for _, r := range routes {
		scopes[r.pattern] = r.scope
	}
	return scopes
}
