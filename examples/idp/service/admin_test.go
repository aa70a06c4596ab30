package service

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vultus/vultus/examples/idp/admin"
	"github.com/vultus/vultus/examples/idp/face"
	"github.com/vultus/vultus/examples/idp/vault"
)

type administrator struct {
	*world
	token string
}

func (w *world) admin(scopes ...string) *administrator {
	w.Helper()
	a := &administrator{world: w}
	err := w.db.Tx(w.Context(), func(tx *sql.Tx) (err error) {
		a.token, err = admin.NewToken(
			w.Context(),
			tx,
			"tester",
			scopes,
			w.clock.now(),
			10*365*24*time.Hour,
		)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func (a *administrator) must(status int, method, path string, body, into any) {
	a.Helper()
	text := []byte("{}")
	if body != nil {
		text, _ = json.Marshal(body)
	}
	request, err := http.NewRequest(method, a.url+"/admin/v1"+path, bytes.NewReader(text))
	if err != nil {
		a.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		a.Fatalf("%s %s: %s %s, expected %d", method, path, response.Status, answer, status)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			a.Fatal(err)
		}
	}
}

func TestAdministration(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		all := w.admin(admin.Scopes...)
		stranger := &administrator{w, "not a token"}
		stranger.must(http.StatusUnauthorized, "GET", "/clients", nil, nil)
		reader := w.admin("clients:read")
		reader.must(http.StatusOK, "GET", "/clients", nil, nil)
		reader.must(
			http.StatusForbidden,
			"PUT",
			"/clients/x",
			map[string]any{"name": "X", "redirect_uris": []string{"https://x.example.com/"}},
			nil,
		)

		var client struct{ Secret string }
		all.must(
			http.StatusOK,
			"PUT",
			"/clients/new",
			map[string]any{
				"name":          "New",
				"redirect_uris": []string{"https://new.example.com/cb"},
				"groups":        []string{"staff"},
			},
			&client,
		)
		if len(client.Secret) != 43 {
			t.Errorf("%+v", client)
		}
		key := client.Secret
		client.Secret = ""
		all.must(
			http.StatusOK,
			"PUT",
			"/clients/new",
			map[string]any{
				"name":          "New 2",
				"redirect_uris": []string{"https://new.example.com/cb"},
				"groups":        []string{"staff"},
			},
			&client,
		)
		if client.Secret != "" {
			t.Error("a secret was made again")
		}
		for _, wrong := range []map[string]any{
			{"name": "X", "redirect_uris": []string{"http://x.example.com/"}},
			{"name": "X", "redirect_uris": []string{"javascript:alert(1)"}},
			{"name": "X", "redirect_uris": []string{}},
			{"redirect_uris": []string{"https://x.example.com/"}},
			{"name": "X", "redirect_uris": []string{"https://x.example.com/#f"}},
			{"name": "X", "redirect_uris": []string{"https://x.example.com/"}, "unknown": 1},
			{"name": "X", "redirect_uris": []string{"https://x.example.com/"}, "secret": "weak"},
		} {
			all.must(http.StatusBadRequest, "PUT", "/clients/x", wrong, nil)
		}

		// Members: only those of the client's groups come in, and the relying party can match on them.
		request := map[string]string{
			"client_id":    "new",
			"redirect_uri": "https://new.example.com/cb",
		}
		outside := w.browser().begin(request)
		outside.refused(
			outside.post("/email", map[string]string{"email": "ana@example.com"}),
			403,
			"not-a-member",
		)
		all.must(
			http.StatusOK,
			"PUT",
			"/members/email/Ana@Example.com",
			map[string]any{"groups": []string{"staff", "admins"}},
			nil,
		)
		all.must(
			http.StatusOK,
			"PUT",
			"/members/domain/partner.example.org",
			map[string]any{"groups": []string{"partners"}},
			nil,
		)
		all.must(http.StatusBadRequest, "PUT", "/members/group/x", map[string]any{}, nil)
		inside := w.browser().begin(request)
		inside.verify("ana@example.com", "obama2.jpg")
		inside.in("accepted")
		b := inside.browser
		_, _, at := b.get(*inside.view.Redirect)
		asNew := func(form url.Values) (int, tokens) {
			form.Set("client_id", "new")
			form.Set("client_secret", key)
			return w.token(form)
		}
		status, given := asNew(
			url.Values{
				"grant_type":   {"authorization_code"},
				"code":         {at.Query().Get("code")},
				"redirect_uri": {"https://new.example.com/cb"},
			},
		)
		if status != http.StatusOK {
			t.Fatalf("%d %+v", status, given)
		}
		status, given = asNew(
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {given.RefreshToken}},
		)
		if status != http.StatusOK {
			t.Fatalf("%d %+v", status, given)
		}
		_, _, at = b.authorize(nil)
		claims := w.claims(w.redeem(at.Query().Get("code")).IDToken).Claims
		if groups, _ := json.Marshal(claims["groups"]); string(groups) != `["admins","staff"]` {
			t.Errorf("%s", groups)
		}
		all.must(http.StatusOK, "DELETE", "/members/email/ana@example.com", nil, nil)
		all.must(http.StatusNotFound, "DELETE", "/members/email/ana@example.com", nil, nil)
		_, _, at = b.authorize(map[string]string{
			"client_id": "new", "redirect_uri": "https://new.example.com/cb", "prompt": "none",
		})
		if at.Query().Get("error") != "login_required" {
			t.Errorf("no member any more: %s", at)
		}
		status, given = asNew(
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {given.RefreshToken}},
		)
		if status != http.StatusBadRequest || given.Error != "invalid_grant" ||
			!strings.Contains(given.Description, "no member") {
			t.Errorf("no member any more: %d %+v", status, given)
		}

		var users []admin.User
		all.must(http.StatusOK, "GET", "/users?count=1", nil, &users)
		if len(users) != 1 || users[0].Email != "ana@example.com" || users[0].RiskLevel == "" {
			t.Errorf("%+v", users)
		}
		all.must(http.StatusBadRequest, "GET", "/users?count=0", nil, nil)
		var receipt map[string]string
		all.must(http.StatusOK, "GET", "/receipts/"+users[0].DecisionID, nil, &receipt)
		if strings.Count(receipt["receipt"], ".") != 2 {
			t.Errorf("%v", receipt)
		}
		all.must(http.StatusOK, "DELETE", "/clients/new", nil, nil)
		var log []struct{ Actor, Action, Subject string }
		all.must(http.StatusOK, "GET", "/audit?count=1000", nil, &log)
		actions := map[string]int{}
		for _, e := range log {
			actions[e.Action]++
		}
		for _, action := range []string{
			"admin-token.make", "client.put", "client.delete", "member.put", "member.delete",
			"decision.accept", "token.issue", "receipt.read",
		} {
			if actions[action] == 0 {
				t.Errorf("the audit log lacks %s: %v", action, actions)
			}
		}
	})
}

// The document and the routes are the same list.
func TestOpenAPI(t *testing.T) {
	w := start(t, "sqlite:"+t.TempDir()+"/idp.db", nil)
	_, text, _ := w.browser().get(w.url + "/admin/v1/openapi.json")
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string
		}
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	described := map[string]string{}
	for path, methods := range document.Paths {
		for method, operation := range methods {
			described[strings.ToUpper(method)+" "+path] = operation.Security[0]["token"][0]
		}
	}
	served := admin.Described()
	for pattern, scope := range served {
		if described[pattern] != scope {
			t.Errorf("%s needs %s, the document says %q", pattern, scope, described[pattern])
		}
	}
	if len(described) != len(served) || len(served) < 15 {
		t.Errorf("%d are described, %d are served", len(described), len(served))
	}
}

// A new key before the old one: what is there is still read, then encrypted anew, and then the old
// key can go.
func TestKeysOfTheVault(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database, nil)
		r := w.browser().begin(nil)
		r.verify("ana@example.com", "obama2.jpg")
		r.in("accepted")
		old, err := os.ReadFile(w.config.Key.File)
		if err != nil {
			t.Fatal(err)
		}
		file, fresh := filepath.Join(t.TempDir(), "key"), vault.NewKey("second")
		open := func(text string) *vault.Vault {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			v, err := vault.Open(t.Context(), vault.Source{File: file})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if n, err := w.db.Reseal(t.Context(), open(fresh+"\n"+string(old))); err != nil || n != 4 {
			t.Errorf("%d values, %v", n, err)
		}
		var owner string
		var sealed []byte
		if err := w.db.QueryRow("SELECT user_id, sealed FROM "+
			"templates").Scan(&owner, &sealed); err != nil {
			t.Fatal(err)
		}
		alone := open(fresh)
		if plain, err := alone.Open(face.Place(owner), sealed); err != nil || len(plain) == 0 ||
			bytes.Contains(sealed, plain[:16]) {
			t.Errorf("%v", err)
		}
		if _, err := alone.Open(face.Place("somebody else"), sealed); err == nil {
			t.Error("a template opens in another row")
		}
		sealed[len(sealed)-1] ^= 1
		if _, err := alone.Open(face.Place(owner), sealed); err == nil {
			t.Error("a changed template opens")
		}
	})
}
