package service

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/vultus/vultus/examples/idp/face"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// What an authentication request must not be: where the answer goes, and which error it holds.
func TestAuthenticationRequestsThatAreRefused(t *testing.T) {
	w := start(t, "sqlite:"+t.TempDir()+"/idp.db", nil)
	b := w.browser()
	to := func(address string) map[string]string {
		return map[string]string{"redirect_uri": address}
	}
	for name, test := range map[string]struct {
		change map[string]string
		// fault of the answer to the relying party; empty: no redirect, because there is nobody to
		// trust with it.
		fault string
	}{
		"no openid": {map[string]string{"scope": "email"}, "invalid_scope"},
		"no scope":  {map[string]string{"scope": ""}, "invalid_request"},
		"token in the front": {map[string]string{"response_type": "id_token " +
			"token"}, "unauthorized_client"},
		"no response type":       {map[string]string{"response_type": ""}, "invalid_request"},
		"form post":              {map[string]string{"response_mode": "form_post"}, "invalid_request"},
		"fragment":               {map[string]string{"response_mode": "fragment"}, "invalid_request"},
		"neither nonce nor PKCE": {map[string]string{"nonce": ""}, "invalid_request"},
		"plain PKCE": {map[string]string{
			"code_challenge":        "0123456789012345678901234567890123456789012",
			"code_challenge_method": "plain",
		}, "invalid_request"},
		"PKCE without method": {map[string]string{
			"code_challenge": "0123456789012345678901234567890123456789012",
		}, "invalid_request"},
		"none with login": {map[string]string{"prompt": "none login"}, "invalid_request"},
		"request object": {map[string]string{
			"request": "eyJhbGciOiJub25lIn0.e30.",
		}, "request_not_supported"},
		"hint that is no token": {map[string]string{"id_token_hint": "x"}, "login_required"},
		"unknown client":        {map[string]string{"client_id": "nobody"}, ""},
		"no client":             {map[string]string{"client_id": ""}, ""},
		"no redirect URI":       {to(""), ""},
		"another host":          {to("https://evil.example.com/callback"), ""},
		"a longer path":         {to(callback + "/more"), ""},
		"a dotted path":         {to("https://portal.example.com/x/../callback"), ""},
		"a query":               {to(callback + "?a=b"), ""},
		"a fragment":            {to(callback + "#x"), ""},
		"a user":                {to("https://portal.example.com@evil.example.com/callback"), ""},
		"a backslash":           {to(`https://portal.example.com\@evil.example.com/callback`), ""},
		"a subdomain":           {to("https://portal.example.com.evil.example.com/callback"), ""},
		"another scheme":        {to("http://portal.example.com/callback"), ""},
		"another port":          {to("https://portal.example.com:8443/callback"), ""},
		"upper case":            {to("https://portal.example.com/CALLBACK"), ""},
		"a script":              {to("javascript:alert(1)"), ""},
		"another client's":      {map[string]string{"client_id": "app"}, ""},
		"public without PKCE": {map[string]string{
			"client_id": "app", "redirect_uri": "http://127.0.0.1/app",
		}, "invalid_request"},
		"a public one's wrong path": {map[string]string{
			"client_id": "app", "redirect_uri": "http://127.0.0.1:4711/evil",
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			response, body, at := b.authorize(test.change)
			if test.fault == "" {
				if response.StatusCode != http.StatusBadRequest ||
					response.Header.Get("Location") != "" {
					t.Errorf("%s %s %s", response.Status, at, body)
				}
				return
			}
			answer := at.Query()
			if fragment, err := url.ParseQuery(at.EscapedFragment()); err == nil &&
				len(fragment) > 0 {
				answer = fragment
			}
			if answer.Get("error") != test.fault || answer.Get("state") != "the state" ||
				answer.Get("iss") != w.url ||
				answer.Has("code") {
				t.Errorf("%s %s", at, body)
			}
		})
	}
	if n := w.count("SELECT count(*) FROM transactions"); n != 0 {
		t.Errorf("%d transactions of refused requests", n)
	}
}

// A login of the public client on a port that it chose, with PKCE.
func TestPKCE(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		b := w.browser()
		const verifier, redirect = "a verifier of at least forty-three letters, as " +
			"asked", "http://127.0.0.1:4711/app"
		enrolment := b.begin(nil)
		enrolment.verify("ana@example.com", "obama2.jpg")
		enrolment.finish()
		code := func() string {
			_, _, at := b.authorize(
				map[string]string{"client_id": "app", "redirect_uri": redirect, "nonce": "",
					"code_challenge": oidc.NewSHACodeChallenge(
						verifier,
					), "code_challenge_method": "S256"},
			)
			return at.Query().Get("code")
		}
		redeem := func(code string, change map[string]string) (int, tokens) {
			form := url.Values{
				"grant_type":    {"authorization_code"},
				"code":          {code},
				"redirect_uri":  {redirect},
				"client_id":     {"app"},
				"code_verifier": {verifier},
			}
			for name, value := range change {
				form.Set(name, value)
				if value == "" {
					form.Del(name)
				}
			}
			return w.token(form)
		}
		for name, change := range map[string]map[string]string{
			"no verifier":          {"code_verifier": ""},
			"wrong verifier":       {"code_verifier": strings.ToUpper(verifier)},
			"the challenge itself": {"code_verifier": oidc.NewSHACodeChallenge(verifier)},
			"another redirect URI": {"redirect_uri": "http://127.0.0.1:4712/app"},
			"no redirect URI":      {"redirect_uri": ""},
			"another client":       {"client_id": "rp", "client_secret": secret},
		} {
			if status, answer := redeem(code(), change); status != http.StatusBadRequest ||
				answer.Error == "" ||
				answer.AccessToken != "" {
				t.Errorf("%s: %d %+v", name, status, answer)
			}
		}
		if status, answer := redeem(code(), nil); status != http.StatusOK || answer.IDToken == "" {
			t.Errorf("%d %+v", status, answer)
		}
		// A verifier where no challenge was is a sign that somebody took the challenge away.
		_, _, at := b.authorize(nil)
		status, answer := w.token(
			url.Values{
				"grant_type":    {"authorization_code"},
				"code":          {at.Query().Get("code")},
				"redirect_uri":  {callback},
				"code_verifier": {verifier},
			},
		)
		if status != http.StatusBadRequest || answer.AccessToken != "" {
			t.Errorf("downgrade: %d %+v", status, answer)
		}
	})
}

func TestCodes(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		b := w.browser()
		r := b.begin(nil)
		r.verify("ana@example.com", "obama2.jpg")

		// Only the browser that was verified gets the code.
		response, body, _ := w.browser().get(*r.view.Redirect)
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s %s", response.Status, body)
		}
		code := r.finish().Get("code")
		form := url.Values{
			"grant_type":   {"authorization_code"},
			"code":         {code},
			"redirect_uri": {callback},
		}
		for name, test := range map[string]struct {
			change map[string]string
			fault  string
		}{
			"unknown code":  {map[string]string{"code": "x"}, "invalid_grant"},
			"no code":       {map[string]string{"code": ""}, "invalid_request"},
			"unknown grant": {map[string]string{"grant_type": "password"}, "unsupported_grant_type"},
			"wrong secret": {map[string]string{
				"client_id": "rp", "client_secret": "wrong",
			}, "invalid_client"},
			"no secret": {map[string]string{"client_id": "rp"}, "invalid_client"},
			"unknown client": {map[string]string{
				"client_id": "nobody", "client_secret": "x",
			}, "invalid_client"},
		} {
			changed := url.Values{}
			for key, value := range form {
				changed[key] = value
			}
			for key, value := range test.change {
				changed.Set(key, value)
			}
			if status, answer := w.token(changed); status < 400 || answer.Error != test.fault {
				t.Errorf("%s: %d %+v", name, status, answer)
			}
		}
		status, given := w.token(form)
		if status != http.StatusOK {
			t.Fatalf("%d %+v", status, given)
		}
		if status, _ := w.bearer("/userinfo", given.AccessToken); status != http.StatusOK {
			t.Errorf("%d", status)
		}
		if status, answer := w.token(form); status != http.StatusBadRequest ||
			answer.Error != "invalid_grant" {
			t.Errorf("reuse: %d %+v", status, answer)
		}
		if status, _ := w.bearer("/userinfo", given.AccessToken); status == http.StatusOK {
			t.Error("the token of a reused code is still good")
		}
		late := b.begin(map[string]string{"prompt": "login"})
		late.must(late.submit(late.shot("obama.jpg")))
		code = late.finish().Get("code")
		w.clock.turn(2 * time.Minute)
		form.Set("code", code)
		if status, answer := w.token(form); status != http.StatusBadRequest ||
			answer.Error != "invalid_grant" {
			t.Errorf("late: %d %+v", status, answer)
		}
	})
}

// forged signs claims as somebody else would.
func forged(
	t *testing.T,
	claims map[string]any,
	key any,
	algorithm jose.SignatureAlgorithm,
	kid string,
) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	if algorithm == "none" {
		return base64.RawURLEncoding.EncodeToString(
			[]byte(`{"alg":"none"}`),
		) + "." + base64.RawURLEncoding.EncodeToString(
			text,
		) + "."
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}},
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestForgedAndOutdatedTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		b := w.browser()
		r := b.begin(nil)
		r.verify("ana@example.com", "obama2.jpg")
		given := w.redeem(r.finish().Get("code"))
		claims := map[string]any{
			"iss": w.url,
			"aud": []string{"rp"},
			"sub": w.claims(given.IDToken).Subject,
			"azp": "rp",
			"exp": time.Now().
				Add(time.Hour).
				Unix(),
			"iat":       time.Now().Unix(),
			"auth_time": time.Now().Unix(),
		}
		stranger, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		_, keys, _ := b.get(w.url + "/keys")
		var published jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(keys), &published); err != nil || len(published.Keys) != 1 {
			t.Fatalf("%v %s", err, keys)
		}
		kid := published.Keys[0].KeyID
		der, _ := published.Keys[0].MarshalJSON()
		for name, hint := range map[string]string{
			"none":              forged(t, claims, nil, "none", ""),
			"another key":       forged(t, claims, stranger, jose.RS256, kid),
			"the public as MAC": forged(t, claims, der, jose.HS256, kid),
			"unknown key":       forged(t, claims, stranger, jose.RS256, "nobody's"),
		} {
			_, _, at := b.authorize(map[string]string{"prompt": "none", "id_token_hint": hint})
			if at.Query().Get("error") != "login_required" {
				t.Errorf("%s: %s", name, at)
			}
			response, body, _ := b.get(w.url + "/end_session?id_token_hint=" + hint)
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %s %s", name, response.Status, body)
			}
			if status, _ := w.bearer("/userinfo", hint); status != http.StatusUnauthorized {
				t.Errorf("%s: userinfo %d", name, status)
			}
		}
		response, body, _ := b.get(w.url + "/end_session?id_token_hint=" + given.IDToken +
			"&post_logout_redirect_uri=https://evil.example.com")
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s %s", response.Status, body)
		}

		// Keys are replaced in time: the next one is published before it signs, the old one until its
		// tokens have run out.
		w.clock.turn(keyTimes.Period - keyTimes.Lead + time.Minute)
		if err := w.keys.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		public := func() string { _, keys, _ := b.get(w.url + "/keys"); return keys }
		if keys := public(); strings.Count(keys, `"kid"`) != 2 || !strings.Contains(keys, kid) {
			t.Errorf("%s", keys)
		}
		w.clock.turn(keyTimes.Lead)
		key, err := w.keys.Signing(t.Context(), w.db, "token")
		if err != nil || key.ID == kid {
			t.Errorf("%v %v", key, err)
		}
		w.clock.turn(keyTimes.Keep)
		if keys := public(); strings.Count(keys, `"kid"`) != 1 || strings.Contains(keys, kid) {
			t.Errorf("%s", keys)
		}
		_, _, at := b.authorize(map[string]string{"prompt": "none", "id_token_hint": given.IDToken})
		if at.Query().Get("error") != "login_required" {
			t.Errorf("a hint of an expired key: %s", at)
		}
	})
}

func TestDiscovery(t *testing.T) {
	w := start(t, "sqlite:"+t.TempDir()+"/idp.db", nil)
	_, text, _ := w.browser().get(w.url + "/.well-known/openid-configuration")
	var document map[string]any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	for name, expected := range map[string]string{
		"issuer":                                         `"` + w.url + `"`,
		"authorization_endpoint":                         `"` + w.url + `/authorize"`,
		"token_endpoint":                                 `"` + w.url + `/oauth/token"`,
		"userinfo_endpoint":                              `"` + w.url + `/userinfo"`,
		"jwks_uri":                                       `"` + w.url + `/keys"`,
		"end_session_endpoint":                           `"` + w.url + `/end_session"`,
		"response_types_supported":                       `["code"]`,
		"code_challenge_methods_supported":               `["S256"]`,
		"id_token_signing_alg_values_supported":          `["RS256"]`,
		"authorization_response_iss_parameter_supported": `true`, "verified_claims_supported": `true`,
		"acr_values_supported": `["urn:vultus:acr:face","urn:vultus:acr:document"]`,
	} {
		if got, _ := json.Marshal(document[name]); string(got) != expected {
			t.Errorf("%s is %s, expected %s", name, got, expected)
		}
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	w := start(t, "sqlite:"+t.TempDir()+"/idp.db", nil)
	r := w.browser().begin(nil)
	r.identify("ana@example.com")
	good := func() *burst { return r.shot("biden.jpg") }
	var small bytes.Buffer
	if err := png.Encode(&small, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	archive := append([]byte("PK\x03\x04"), make([]byte, 100)...)
	for name, test := range map[string]struct {
		change func(b *burst)
		status int
		code   string
	}{
		"no nonce": {func(b *burst) { b.nonce = "" }, 400, "bad-request"},
		"another nonce": {func(b *burst) {
			b.nonce = base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		}, 410, "nonce-used"},
		"no document": {func(b *burst) { b.document = nil }, 400, "bad-request"},
		"too few frames": {func(b *burst) {
			b.frames, b.at = b.frames[:3], b.at[:3]
		}, 422, "frames"},
		"too many frames":       {func(b *burst) { b.at = make([]int64, 49) }, 422, "frames"},
		"fewer than timestamps": {func(b *burst) { b.frames = b.frames[:7] }, 422, "frames"},
		"more than timestamps": {func(b *burst) {
			b.frames = append(b.frames, b.frames[0])
		}, 400, "bad-request"},
		"a part too many": {func(b *burst) {
			b.more = map[string][]byte{"passport": {1}}
		}, 400, "bad-request"},
		"a large frame": {func(b *burst) {
			b.frames[2] = append(b.frames[2], make([]byte, 400_000)...)
		}, 413, "too-large"},
		"a large document": {func(b *burst) {
			b.document = append(b.document, make([]byte, 8<<20)...)
		}, 413, "too-large"},
		"a page": {func(b *burst) {
			b.frames[0] = []byte("<html></html>")
		}, 415, "not-a-picture"},
		"a PNG as frame": {func(b *burst) { b.frames[0] = small.Bytes() }, 415, "not-a-picture"},
		"a cut frame": {func(b *burst) {
			b.frames[0] = b.frames[0][:2000]
		}, 415, "not-a-picture"},
		"an archive behind JPEG": {func(b *burst) {
			b.frames[0] = append(bytes.Clone(b.frames[0]), archive...)
		}, 415, "not-a-picture"},
		"a script behind PNG": {func(b *burst) {
			b.document = append(bytes.Clone(b.document), "<script>"...)
		}, 415, "not-a-picture"},
		"a PDF as document": {func(b *burst) {
			b.document = []byte("%PDF-1.7\n")
		}, 415, "not-a-picture"},
		"an SVG as document": {func(b *burst) {
			b.document = []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)
		}, 415, "not-a-picture"},
	} {
		t.Run(name, func(t *testing.T) {
			b := good()
			test.change(b)
			r.refused(r.submit(b), test.status, test.code)
		})
	}
	r.show()
	if r.view.AttemptsLeft != 5 || w.count("SELECT count(*) FROM decisions") != 0 {
		t.Errorf("refused uploads count as attempts: %+v", r.view)
	}

	t.Run("CSRF", func(t *testing.T) {
		b, token := good(), r.view.CSRF
		for _, wrong := range []string{"", "x", w.browser().begin(nil).view.CSRF} {
			r.view.CSRF = wrong
			r.refused(r.submit(b), 403, "csrf")
		}
		r.view.CSRF = token
	})
	t.Run("another browser", func(t *testing.T) {
		other := w.browser().begin(nil)
		other.id = r.id
		other.refused(other.submit(good()), 403, "no-session")
		other.refused(other.send("GET", "", "", nil, nil), 403, "no-session")
		other.id = "unknown"
		other.refused(other.send("GET", "", "", nil, nil), 404, "unknown-transaction")
	})
	t.Run("guidance", func(t *testing.T) {
		frame := pictures("obama2.jpg", 1)[0]
		w.clock.stop()
		var guidance face.Guidance
		r.must(
			r.send(
				"POST",
				"/guidance?role=selfie",
				"image/jpeg",
				bytes.NewReader(frame),
				&guidance,
			),
		)
		if guidance.Code != "ready" {
			t.Errorf("%+v", guidance)
		}
		r.refused(
			r.send(
				"POST",
				"/guidance?role=selfie",
				"image/jpeg",
				bytes.NewReader(frame),
				&guidance,
			),
			429,
			"slow-down",
		)
		w.clock.turn(time.Second)
		r.refused(
			r.send(
				"POST",
				"/guidance?role=passport",
				"image/jpeg",
				bytes.NewReader(frame),
				&guidance,
			),
			400,
			"bad-request",
		)
		r.refused(
			r.send(
				"POST",
				"/guidance?role=selfie",
				"image/jpeg",
				bytes.NewReader(append(frame, archive...)),
				&guidance,
			),
			415,
			"not-a-picture",
		)
	})
	t.Run("expired", func(t *testing.T) {
		b := good()
		w.clock.turn(16 * time.Minute)
		r.refused(r.submit(b), 410, "expired")
		if r.show(); r.view.State != "expired" || r.view.Redirect == nil {
			t.Errorf("%+v", r.view)
		}
	})
}

func TestMailCodes(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		r := w.browser().begin(nil)
		for name, email := range map[string]string{"no address": "ana", "two": "a@example.com, " +
			"b@example.com", "a header": "a@example.com\r\nBcc: b@example.com", "a name": "Ana " +
			"<ana@example.com>"} {
			if p := r.post("/email", map[string]string{"email": email}); p == nil ||
				p.Error.Code != "bad-request" {
				t.Errorf("%s: %+v", name, p)
			}
		}
		r.refused(
			r.post("/email", map[string]string{"email": "ana@elsewhere.com"}),
			403,
			"not-a-member",
		)
		r.must(r.post("/email", map[string]string{"email": "Ana@Example.com"}))
		r.in("code")
		r.refused(r.post("/consent", map[string]string{"version": "1"}), 409, "wrong-state")
		right := w.mailed()
		wrong := "000000"
		if right == wrong {
			wrong = "000001"
		}
		for range 5 {
			r.refused(r.post("/code", map[string]string{"code": wrong}), 403, "wrong-code")
		}
		r.refused(
			r.post("/code", map[string]string{"code": right}),
			403,
			"wrong-code",
		) // too many tries
		r.must(r.post("/email", map[string]string{"email": "ana@example.com"}))
		w.clock.turn(11 * time.Minute)
		r.refused(
			r.post("/code", map[string]string{"code": w.mailed()}),
			403,
			"wrong-code",
		) // too late
		r.must(r.post("/email", map[string]string{"email": "ana@example.com"}))
		r.must(r.post("/code", map[string]string{"code": w.mailed()}))
		r.in("consent")
		r.refused(r.post("/consent", map[string]string{"version": "0"}), 409, "wrong-state")
		r.must(r.post("/decline", map[string]string{}))
		r.in("refused")
	})
}
