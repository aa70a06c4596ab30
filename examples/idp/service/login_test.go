package service

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vultus/vultus/examples/idp/config"
	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/receipt"
	"github.com/vultus/vultus/examples/idp/verification"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// claims verifies an ID token as the relying party does, with the published keys.
func (w *world) claims(idToken string) *oidc.IDTokenClaims {
	w.Helper()
	return w.claimsWith(idToken, "the nonce")
}

func (w *world) claimsWith(idToken, nonce string) *oidc.IDTokenClaims {
	w.Helper()
	verifier := rp.NewIDTokenVerifier(
		w.url,
		"rp",
		rp.NewRemoteKeySet(http.DefaultClient, w.url+"/keys"),
		rp.WithNonce(func(context.Context) string { return nonce }),
	)
	claims, err := rp.VerifyIDToken[*oidc.IDTokenClaims](w.Context(), idToken, verifier)
	if err != nil {
		w.Fatal(err)
	}
	return claims
}

func (w *world) bearer(path, token string) (int, string) {
	w.Helper()
	request, err := http.NewRequest("GET", w.url+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	body.ReadFrom(response.Body)
	return response.StatusCode, body.String()
}

func TestEnrolmentGivesTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		b := w.browser()
		r := b.begin(
			map[string]string{
				"login_hint": "ana@example.com",
				"acr_values": "urn:vultus:acr:document",
			},
		)
		r.in("email")
		if *r.view.Email != "ana@example.com" || r.view.Purpose != "enrol" ||
			!r.view.DocumentRequired ||
			r.view.Client != "Portal" ||
			len(r.view.Consent.Kept) == 0 {
			t.Errorf("%+v", r.view)
		}
		r.verify("ana@example.com", "obama2.jpg")
		answer := r.finish()
		if answer.Get("state") != "the state" || answer.Get("iss") != w.url {
			t.Errorf("%v", answer)
		}
		given := w.redeem(answer.Get("code"))

		claims := w.claims(given.IDToken)
		if claims.Nonce != "the nonce" ||
			claims.AuthenticationContextClassReference != "urn:vultus:acr:document" ||
			claims.Email != "ana@example.com" ||
			!bool(claims.EmailVerified) {
			t.Errorf("%+v", claims)
		}
		if amr := claims.AuthenticationMethodsReferences; !slices.Equal(
			amr,
			[]string{"face", "mfa", "otp"},
		) {
			t.Errorf("amr %v", amr)
		}
		if age := time.Since(claims.AuthTime.AsTime()); age < 0 || age > time.Minute {
			t.Errorf("auth_time %v", claims.AuthTime)
		}
		verified := struct {
			Verification struct {
				TrustFramework string `json:"trust_framework"`
				Evidence       []struct {
					Type         string `json:"type"`
					CheckDetails []struct {
						CheckMethod string `json:"check_method"`
						TXN         string `json:"txn"`
					} `json:"check_details"`
					Attachments []struct {
						URL    string                      `json:"url"`
						Digest struct{ Alg, Value string } `json:"digest"`
					} `json:"attachments"`
				} `json:"evidence"`
			} `json:"verification"`
		}{}
		text, _ := json.Marshal(claims.Claims["verified_claims"])
		if err := json.Unmarshal(text, &verified); err != nil {
			t.Fatal(err)
		}
		evidence := verified.Verification.Evidence[0]
		if evidence.Type != "document" || evidence.CheckDetails[0].CheckMethod != "bvr" ||
			evidence.CheckDetails[0].TXN != r.id {
			t.Errorf("%s", text)
		}

		// The receipt is what the token names, and holds against the published keys.
		path := strings.TrimPrefix(evidence.Attachments[0].URL, w.url)
		status, signed := w.bearer(path, given.AccessToken)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, signed)
		}
		_, keys, _ := b.get(w.url + "/receipts/jwks")
		got, err := receipt.Verify(signed, []byte(keys))
		if err != nil {
			t.Fatal(err)
		}
		if got.Outcome != "accept" || got.Subject != claims.Subject || len(got.Inputs) != 9 ||
			!got.Has(photo("specimen-obama.png")) ||
			got.Has(photo("biden.jpg")) ||
			!strings.Contains(string(got.Evidence[0]), `"threshold"`) ||
			len(got.Models) == 0 {
			t.Errorf("%+v", got)
		}
		if _, err := receipt.Verify(signed[:len(signed)-8]+"AAAAAAAA", []byte(keys)); err == nil {
			t.Error("a changed receipt holds")
		}
		if status, _ := w.bearer(path, "not a token"); status != http.StatusUnauthorized {
			t.Errorf("%d", status)
		}
		for _, secret := range []string{"template", "landmarks", "embedding"} {
			if strings.Contains(string(got.Evidence[0]), `"`+secret+`"`) {
				t.Errorf("the receipt holds %s", secret)
			}
		}

		status, info := w.bearer("/userinfo", given.AccessToken)
		if status != http.StatusOK || !strings.Contains(info, claims.Subject) ||
			!strings.Contains(info, "verified_claims") {
			t.Errorf("%d %s", status, info)
		}
	})
}

func TestSessionsAndTheirEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		b := w.browser()
		if _, _, at := b.authorize(map[string]string{"prompt": "none"}); at.Query().
			Get("error") !=
			"login_required" ||
			at.Query().Get("iss") != w.url {
			t.Errorf("%s", at)
		}
		first := b.begin(nil)
		first.verify("ana@example.com", "obama2.jpg")
		given := w.redeem(first.finish().Get("code"))

		// Single sign-on: the session answers, also without the person.
		for _, prompt := range []string{"", "none"} {
			_, _, at := b.authorize(
				map[string]string{"prompt": prompt, "id_token_hint": given.IDToken},
			)
			if code := at.Query().Get("code"); code == "" {
				t.Errorf("prompt %q: %s", prompt, at)
			} else if w.claims(w.redeem(code).IDToken).AuthTime != w.claims(given.IDToken).AuthTime {
				t.Errorf("the check was not the first one")
			}
		}
		// Asked for anew, or too old, or for somebody else, it does not.
		for name, change := range map[string]map[string]string{
			"prompt":     {"prompt": "login"},
			"max_age":    {"max_age": "0"},
			"login_hint": {"login_hint": "bea@example.com"},
		} {
			w.clock.turn(2 * time.Second)
			if _, _, at := b.authorize(change); !strings.HasPrefix(at.Path, "/verify/") {
				t.Errorf("%s: %s", name, at)
			}
			change["prompt"] = strings.TrimSpace(change["prompt"] + " none")
			if _, _, at := b.authorize(change); at.Query().Get("error") == "" {
				t.Errorf("%s without the person: %s", name, at)
			}
		}
		again := b.begin(map[string]string{"prompt": "login"})
		if again.in("capture"); again.view.Purpose != "verify" || again.view.DocumentRequired ||
			!again.view.EmailLocked {
			t.Errorf("%+v", again.view)
		}
		again.must(again.submit(again.shot("obama.jpg")))
		if later := w.claims(w.redeem(again.finish().Get("code")).IDToken); !later.AuthTime.AsTime().
			After(w.claims(given.IDToken).AuthTime.AsTime()) {
			t.Error("the second check has no later auth_time")
		}

		// A refresh token is good once; its second use ends all that came of it.
		refresh := func(token string) (int, tokens) {
			return w.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
		}
		status, renewed := refresh(given.RefreshToken)
		if status != http.StatusOK ||
			w.claimsWith(renewed.IDToken, "").AuthenticationContextClassReference == "" {
			t.Fatalf("%d %+v", status, renewed)
		}
		if status, answer := refresh(given.RefreshToken); status != http.StatusBadRequest ||
			answer.Error != "invalid_grant" {
			t.Errorf("%d %+v", status, answer)
		}
		if status, answer := refresh(renewed.RefreshToken); status != http.StatusBadRequest ||
			answer.Error != "invalid_grant" {
			t.Errorf("%d %+v", status, answer)
		}

		// Logout ends the session and what was issued for it.
		_, _, at := b.get(
			w.url + "/end_session?" + url.Values{
				"id_token_hint":            {given.IDToken},
				"post_logout_redirect_uri": {callback},
				"state":                    {"bye"},
			}.Encode(),
		)
		if !strings.HasPrefix(at.String(), callback) || at.Query().Get("state") != "bye" {
			t.Errorf("%s", at)
		}
		if _, _, at := b.authorize(map[string]string{"prompt": "none"}); at.Query().
			Get("error") !=
			"login_required" {
			t.Errorf("%s", at)
		}
	})
}

func TestReverification(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		b := w.browser()
		enrolment := b.begin(nil)
		enrolment.verify("ana@example.com", "obama2.jpg")
		given := w.redeem(enrolment.finish().Get("code"))

		// The policy of refresh tokens: after a day the person must come back.
		w.clock.turn(25 * time.Hour)
		status, answer := w.token(
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {given.RefreshToken}},
		)
		if status != http.StatusBadRequest || answer.Error != "invalid_grant" ||
			!strings.Contains(answer.Description, "re-verification") {
			t.Errorf("%d %+v", status, answer)
		}
		face := b.begin(nil)
		face.identify("ana@example.com")
		if face.view.Purpose != "verify" || face.view.DocumentRequired {
			t.Errorf("%+v", face.view)
		}
		face.must(face.submit(face.shot("biden.jpg")))
		if face.in("capture"); face.view.Last.Outcome != "reject" ||
			face.view.Last.Reasons[0].Code != "non-match" ||
			face.view.AttemptsLeft != 4 ||
			strings.ContainsAny(
				face.view.Last.Reasons[0].Text,
				"0123456789",
			) { // no score for those who try
			t.Errorf("%+v", face.view.Last)
		}
		face.must(face.submit(face.shot("obama.jpg")))
		face.finish()

		// A month later the stronger level needs a document again, the weaker one does not.
		w.clock.turn(31 * 24 * time.Hour)
		document := b.begin(map[string]string{"acr_values": "urn:vultus:acr:document"})
		document.identify("ana@example.com")
		if !document.view.DocumentRequired || document.view.Purpose != "verify" {
			t.Errorf("%+v", document.view)
		}
		document.must(document.submit(document.shot("obama2.jpg")))
		claims := w.claims(w.redeem(document.finish().Get("code")).IDToken)
		if acr := claims.AuthenticationContextClassReference; acr != "urn:vultus:acr:document" {
			t.Errorf("acr %s", acr)
		}
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		r := w.browser().begin(nil)
		r.identify("ana@example.com")
		wrong := func() *problem { return r.submit(r.shot("biden.jpg")) }
		r.must(wrong())
		if r.view.Last.Outcome != "reject" || r.view.RetryAt != nil {
			t.Errorf("%+v", r.view)
		}
		r.must(wrong())
		r.must(wrong())
		if r.view.RetryAt == nil {
			t.Error("the third failure has no delay")
		}
		p := r.send("POST", "/challenge", "application/json", strings.NewReader("{}"), nil)
		if p == nil ||
			p.Status != 429 ||
			p.Error.Code != "too-many-attempts" ||
			len(p.RetryAfter) != 2 {
			t.Errorf("%+v", p)
		}
		w.clock.turn(time.Minute)
		r.must(wrong())
		first := *r.view.RetryAt
		if left := first.Sub(w.clock.now()); left < time.Minute || left > 2*time.Minute {
			t.Errorf("the delay did not double: %v", left)
		}
		// The delay is the address's, not the browser's.
		other := w.browser().begin(nil)
		other.identify("ana@example.com")
		other.refused(
			other.send("POST", "/challenge", "application/json", strings.NewReader("{}"), nil),
			429,
			"too-many-attempts",
		)
		w.clock.turn(2 * time.Minute)
		r.must(wrong())
		r.in("refused")
		back, err := url.Parse(*r.view.Redirect)
		if err != nil || back.Query().Get("error") != "access_denied" ||
			back.Query().Get("state") != "the state" ||
			back.Query().Get("iss") != w.url {
			t.Errorf("%s", back)
		}
		r.refused(r.submit(&burst{}), 409, "wrong-state") // the sixth
		if n := w.count("SELECT count(*) FROM access_tokens") + w.count("SELECT count(*) FROM "+
			"users"); n != 0 {
			t.Errorf("%d tokens and users of nobody", n)
		}
		if n := w.count("SELECT count(*) FROM decisions WHERE outcome = 'reject'"); n != 5 {
			t.Errorf("%d receipts", n)
		}
	})
}

func TestAnEndAfterTooManyFailures(t *testing.T) {
	w := start(t, "sqlite:"+t.TempDir()+"/idp.db", func(c *config.Config) {
		c.Policy.Attempts.MostFailures, c.Policy.Attempts.FirstDelay = 1, policy.Duration(0)
	})
	r := w.browser().begin(nil)
	r.identify("ana@example.com")
	r.must(r.submit(r.shot("biden.jpg")))
	r.refused(
		r.send("POST", "/challenge", "application/json", strings.NewReader("{}"), nil),
		429,
		"locked",
	)
}

func TestWrongDocument(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		r := w.browser().begin(nil)
		r.identify("joe@example.com")
		r.must(r.submit(r.shot("biden.jpg")))
		if r.in("capture"); r.view.Last.Outcome != "reject" || r.view.Last.Receipt == "" {
			t.Errorf("%+v", r.view.Last)
		}
	})
}

func TestNoncesAndReplays(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		r := w.browser().begin(nil)
		r.identify("ana@example.com")

		late := r.shot("biden.jpg")
		w.clock.turn(2 * time.Minute)
		r.refused(r.submit(late), 410, "nonce-expired")
		old := r.shot("biden.jpg")
		r.challenge()
		r.refused(r.submit(old), 410, "nonce-used")
		long := r.shot("biden.jpg")
		long.at[7] = 3_600_000_000
		r.refused(r.submit(long), 422, "frames")

		sent := r.shot("biden.jpg")
		r.must(r.submit(sent))
		r.refused(r.submit(sent), 410, "nonce-used")
		replayed := r.shot("biden.jpg")
		replayed.frames[3] = sent.frames[5] // one old frame is enough
		r.refused(r.submit(replayed), 409, "replay")
		r.show()
		if r.view.AttemptsLeft != 3 {
			t.Errorf("%d attempts are left", r.view.AttemptsLeft)
		}
		stolen := w.browser().begin(nil) // another person with an upload that he saw
		stolen.identify("joe@example.com")
		again := stolen.shot("biden.jpg")
		again.frames = sent.frames
		stolen.refused(stolen.submit(again), 409, "replay")
	})
}

// The steps are shown to the page, and a portrait that does not follow them lets nobody in.
func TestChallenges(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, func(c *config.Config) {
			c.Policy = policy.Default()
			c.Policy.Challenge.Window = policy.Duration(5 * time.Minute)
		})
		r := w.browser().begin(nil)
		r.identify("ana@example.com")
		var given verification.Challenge
		r.must(
			r.send(
				"POST",
				"/challenge",
				"application/json",
				strings.NewReader(`{"without":["flash"]}`),
				&given,
			),
		)
		var script struct {
			Kinds []string
			Steps []struct{ Kind, Towards string }
		}
		if err := json.Unmarshal(given.Script, &script); err != nil ||
			!slices.Equal(script.Kinds, []string{"head-turn"}) ||
			len(script.Steps) == 0 {
			t.Fatalf("%v %s", err, given.Script)
		}
		r.refused(
			r.send(
				"POST",
				"/challenge",
				"application/json",
				strings.NewReader(`{"without":["head-turn"]}`),
				&given,
			),
			403,
			"challenge-required",
		)
		still := r.shot("obama2.jpg")
		for i := range still.at {
			still.at[i] = int64(i) * 250_000
		}
		w.clock.turn(10 * time.Second)
		r.must(r.submit(still))
		if r.in("capture"); r.view.Last.Outcome == "accept" ||
			w.count("SELECT count(*) FROM users") != 0 {
			t.Errorf("%+v", r.view.Last)
		}
		t.Logf("%+v", r.view.Last.Reasons)
	})
}
