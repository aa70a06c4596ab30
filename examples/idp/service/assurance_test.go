package service

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/vultus/vultus/examples/idp/assurance"
	"github.com/vultus/vultus/examples/idp/config"
)

// event is a security event token as the receiver reads it.
type event struct {
	Issuer   string                    `json:"iss"`
	Audience string                    `json:"aud"`
	JTI      string                    `json:"jti"`
	Subject  map[string]string         `json:"sub_id"`
	Events   map[string]map[string]any `json:"events"`
}

// receiver takes pushes as RFC 8935 asks for, and checks them with the published keys.
type receiver struct {
	*httptest.Server
	lock   sync.Mutex
	events []event
	faults int // so many pushes are answered with a fault first
}

func receive(t *testing.T, authorization, keys string) *receiver {
	r := new(receiver)
	r.Server = httptest.NewServer(
		http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			r.lock.Lock()
			defer r.lock.Unlock()
			if request.Header.Get("Authorization") != authorization ||
				request.Header.Get("Content-Type") != "application/secevent+jwt" {
				t.Errorf("%v", request.Header)
			}
			if r.faults > 0 {
				r.faults--
				http.Error(w, `{"err":"jws","description":"not now"}`, http.StatusBadRequest)
				return
			}
			text, err := io.ReadAll(request.Body)
			if err != nil {
				t.Error(err)
			}
			r.events = append(r.events, decoded(t, string(text), keys))
			w.WriteHeader(http.StatusAccepted)
		}),
	)
	t.Cleanup(r.Close)
	return r
}

func decoded(t *testing.T, text, keys string) (e event) {
	t.Helper()
	response, err := http.Get(keys)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != "secevent+jwt" {
		t.Errorf("%v", header)
	}
	payload, err := signed.Verify(set.Key(header.KeyID)[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// kinds returns what came, by the last part of the event type.
func (r *receiver) kinds() (kinds []string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for _, e := range r.events {
		for kind := range e.Events {
			kinds = append(kinds, kind[strings.LastIndex(kind, "/")+1:])
		}
	}
	return kinds
}

func TestContinuousAssurance(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(
			t,
			database,
			func(c *config.Config) { c.Policy.Risk.Weights["failed-attempts"] = 35 },
		)
		admin := w.admin("streams:write", "users:write", "users:read")
		r := receive(t, "Bearer of the receiver", w.url+"/keys")
		r.faults = 1
		admin.must(
			http.StatusOK,
			"POST",
			"/streams",
			map[string]any{
				"client_id":     "rp",
				"url":           r.URL,
				"authorization": "Bearer of the receiver",
			},
			nil,
		)
		push := func() {
			w.clock.turn(2 * time.Second)
			if err := w.assurance.Push(t.Context()); err != nil {
				t.Fatal(err)
			}
		}

		b := w.browser()
		enrolment := b.begin(nil)
		enrolment.verify("ana@example.com", "obama2.jpg")
		given := w.redeem(enrolment.finish().Get("code"))
		subject := w.claims(given.IDToken).Subject
		if push(); len(r.kinds()) != 0 {
			t.Errorf("%v after an enrolment", r.kinds())
		}

		// Failures raise the risk to MEDIUM; the relying party is told, also when it did not take the
		// event at first.
		again := b.begin(map[string]string{"prompt": "login"})
		for range 3 {
			w.clock.turn(time.Minute)
			again.must(again.submit(again.shot("biden.jpg")))
		}
		push()
		push()
		if kinds := r.kinds(); len(kinds) != 1 || kinds[0] != "risk-level-change" {
			t.Fatalf("%v", kinds)
		}
		e := r.events[0]
		body := e.Events[assurance.RiskLevelChange]
		if e.Issuer != w.url || e.Audience != "rp" || e.Subject["sub"] != subject ||
			e.Subject["format"] != "iss_sub" ||
			body["current_level"] != "MEDIUM" ||
			body["previous_level"] != "LOW" ||
			body["principal"] != "USER" ||
			body["risk_reason"] != "failed-attempts" {
			t.Errorf("%+v", e)
		}

		// A report makes it HIGH: the session ends, and its tokens with it.
		var u struct {
			RiskLevel string `json:"risk_level"`
			Findings  []string
		}
		admin.must(
			http.StatusOK,
			"POST",
			"/users/"+subject+"/report",
			map[string]any{"reason": "lost the phone"},
			&u,
		)
		push()
		if kinds := strings.Join(r.kinds(), " "); u.RiskLevel != "HIGH" ||
			kinds != "risk-level-change risk-level-change session-revoked" {
			t.Errorf("%+v %s", u, kinds)
		}
		if status, _ := w.bearer("/userinfo", given.AccessToken); status == http.StatusOK {
			t.Error("the token outlived its session")
		}
		if status, answer := w.token(url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {given.RefreshToken},
		}); status != http.StatusBadRequest {
			t.Errorf("%d %+v", status, answer)
		}
		if _, _, at := b.authorize(map[string]string{"prompt": "none"}); at.Query().
			Get("error") !=
			"login_required" {
			t.Errorf("%s", at)
		}

		// Cleared, and as time goes by: the assurance runs out.
		admin.must(
			http.StatusOK,
			"POST",
			"/users/"+subject+"/clear",
			map[string]any{"reason": "found it"},
			&u,
		)
		w.clock.turn(25 * time.Hour)
		if err := w.assurance.Reassess(t.Context()); err != nil {
			t.Fatal(err)
		}
		push()
		last := r.events[len(r.events)-1].Events[assurance.AssuranceLevelChange]
		if last["current_level"] != "none" || last["previous_level"] != "urn:vultus:acr:document" ||
			last["change_direction"] != "decrease" {
			t.Errorf("%v %+v", r.kinds(), last)
		}
		if n := w.count("SELECT count(*) FROM events"); n != 0 {
			t.Errorf("%d events are left", n)
		}
		seen := map[string]bool{}
		for _, e := range r.events {
			if seen[e.JTI] {
				t.Errorf("%s came twice", e.JTI)
			}
			seen[e.JTI] = true
		}
	})
}

func TestPolledEvents(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		admin := w.admin("streams:write", "users:write")
		var stream struct {
			ID        string
			PollToken string `json:"poll_token"`
		}
		admin.must(http.StatusOK, "POST", "/streams", map[string]any{"client_id": "rp"}, &stream)
		enrolment := w.browser().begin(nil)
		enrolment.verify("ana@example.com", "obama2.jpg")
		subject := w.claims(w.redeem(enrolment.finish().Get("code")).IDToken).Subject
		admin.must(
			http.StatusOK,
			"POST",
			"/users/"+subject+"/revoke",
			map[string]any{"reason": "left"},
			nil,
		)

		poll := func(token, body string) (int, map[string]string, bool) {
			request, _ := http.NewRequest(
				"POST",
				w.url+"/events/"+stream.ID,
				strings.NewReader(body),
			)
			request.Header.Set("Authorization", "Bearer "+token)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var answer struct {
				Sets map[string]string
				More bool `json:"moreAvailable"`
			}
			json.NewDecoder(response.Body).Decode(&answer)
			return response.StatusCode, answer.Sets, answer.More
		}
		if status, _, _ := poll("wrong", "{}"); status != http.StatusUnauthorized {
			t.Errorf("%d", status)
		}
		if status, sets, more := poll(stream.PollToken, `{"maxEvents":0}`); status != http.StatusOK ||
			len(sets) != 0 ||
			!more {
			t.Errorf("%d %v %v", status, sets, more)
		}
		_, sets, _ := poll(stream.PollToken, `{"returnImmediately":true}`)
		if len(sets) != 1 {
			t.Fatalf("%v", sets)
		}
		for jti, text := range sets {
			e := decoded(t, text, w.url+"/keys")
			if e.JTI != jti || e.Events[assurance.SessionRevoked] == nil {
				t.Errorf("%+v", e)
			}
			if _, sets, _ := poll(stream.PollToken, `{"ack":["`+jti+`"]}`); len(sets) != 0 {
				t.Errorf("%v", sets)
			}
		}
	})
}

func TestDuplicateIdentities(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		for action, test := range map[string]struct{ state, risk string }{
			"refuse": {"capture", ""},
			"flag":   {"accepted", "HIGH"},
		} {
			t.Run(action, func(t *testing.T) {
				database := database + map[string]string{"flag": ""}[action]
				if action == "flag" && strings.HasPrefix(database, "sqlite:") {
					database += "2"
				} else if action == "flag" {
					database = postgres(t)
				}
				w := start(
					t,
					database,
					func(c *config.Config) { c.Policy.Duplicate.Action = action },
				)
				enrolment := w.browser().begin(nil)
				enrolment.verify("ana@example.com", "obama2.jpg")
				enrolment.in("accepted")
				second := w.browser().begin(nil)
				second.verify("eve@example.com", "obama2.jpg")
				second.in(test.state)
				if n := w.count("SELECT count(*) FROM audit WHERE action = " +
					"'duplicate.found'"); n != 1 {
					t.Errorf("%d entries of the audit log", n)
				}
				if d := w.receipts()[1].Duplicates; d == nil || d.Searched != 1 || d.Found != 1 ||
					d.FPIR != 0.01 ||
					*d.Best < d.Threshold {
					t.Errorf("%+v", d)
				}
				if n := w.count("SELECT count(*) FROM users WHERE risk_level = " +
					"'HIGH'"); (n == 2) != (test.risk == "HIGH") {
					t.Errorf("%d users of high risk", n)
				}
				if action == "refuse" {
					if reasons := second.view.Last.Reasons; len(reasons) != 1 ||
						reasons[0].Code != "duplicate" ||
						reasons[0].Do != "stop" {
						t.Errorf("%+v", reasons)
					}
				}
			})
		}
	})
}

func TestDeletionAndRetention(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		admin := w.admin("users:write", "users:read")
		enrol := func() string {
			r := w.browser().begin(nil)
			r.verify("ana@example.com", "obama2.jpg")
			return w.claims(w.redeem(r.finish().Get("code")).IDToken).Subject
		}
		left := func() int {
			return w.count(
				`SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM templates) +
					(SELECT count(*) FROM sessions) + (SELECT count(*) FROM devices)
				+ (SELECT count(*) FROM access_tokens) + (SELECT count(*) FROM refresh_tokens)
					+ (SELECT count(*) FROM decisions WHERE user_id IS NOT NULL)`,
			)
		}
		subject := enrol()
		admin.must(http.StatusOK, "DELETE", "/users/"+subject, nil, nil)
		admin.must(http.StatusNotFound, "GET", "/users/"+subject, nil, nil)
		if n := left(); n != 0 {
			t.Errorf("%d rows are left of a deleted user", n)
		}
		enrol() // the face is not a duplicate of the deleted one, which is not in memory either
		if d := w.receipts()[1].Duplicates; d == nil || d.Searched != 0 {
			t.Errorf("%+v", d)
		}
		if err := w.assurance.Retain(t.Context()); err != nil || left() == 0 {
			t.Errorf("%d rows, %v", left(), err)
		}
		w.clock.turn(366 * 24 * time.Hour)
		if err := w.assurance.Retain(t.Context()); err != nil || left() != 0 {
			t.Errorf("%d rows, %v", left(), err)
		}
		if n := w.count("SELECT count(*) FROM decisions"); n != 2 {
			t.Errorf("%d receipts", n)
		}
		w.clock.turn(366 * 24 * time.Hour)
		if err := w.assurance.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"decisions", "inputs", "transactions", "throttles", "events"} {
			if n := w.count("SELECT count(*) FROM " + table); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
	})
}
