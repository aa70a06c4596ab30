package service

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vultus/vultus/examples/idp/config"
	"github.com/vultus/vultus/examples/idp/provider"
	"github.com/vultus/vultus/examples/idp/upstream"
)

// chain returns a service behind another one: login there, verification here, one token out.
func chain(t *testing.T, database string) (first, second *world) {
	first = start(t, "sqlite:"+t.TempDir()+"/first.db", nil)
	second = start(t, database, func(c *config.Config) {
		c.Upstream = &upstream.Settings{
			Issuer:       first.url,
			ClientID:     "chained",
			ClientSecret: "the secret of the chain",
		}
	})
	err := provider.PutClient(
		t.Context(),
		first.db,
		provider.Client{ID: "chained", Name: "Chained", Secret: "the secret of the chain",
			ClientSettings: provider.ClientSettings{
				RedirectURIs: []string{second.url + upstream.CallbackPath},
			}},
		first.clock.now(),
	)
	if err != nil {
		t.Fatal(err)
	}
	return first, second
}

func TestChained(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		first, second := chain(t, database)
		b := second.browser()
		_, body, at := b.authorize(map[string]string{"login_hint": "ana@example.com"})
		id, ok := strings.CutPrefix(at.Path, "/verify/")
		if !ok || at.Host != strings.TrimPrefix(first.url, "http://") {
			t.Fatalf("%s %s", at, body)
		}
		there := &run{browser: &browser{first, b.client}, id: id}
		there.show()
		if *there.view.Email != "ana@example.com" || there.view.Client != "Chained" {
			t.Errorf("%+v", there.view)
		}
		there.verify("ana@example.com", "obama2.jpg")
		_, body, at = b.get(*there.view.Redirect)
		id, ok = strings.CutPrefix(at.Path, "/verify/")
		if !ok || at.Host != strings.TrimPrefix(second.url, "http://") {
			t.Fatalf("%s %s", at, body)
		}
		here := &run{browser: b, id: id}
		here.show()
		here.in("consent")
		if *here.view.Email != "ana@example.com" || !here.view.EmailLocked ||
			here.view.Purpose != "enrol" {
			t.Errorf("%+v", here.view)
		}
		here.verify("ana@example.com", "obama2.jpg")
		claims := second.claims(second.redeem(here.finish().Get("code")).IDToken)
		if claims.Email != "ana@example.com" || !bool(claims.EmailVerified) ||
			!slices.Equal(claims.AuthenticationMethodsReferences, []string{"face", "mfa", "otp"}) {
			t.Errorf("%+v", claims)
		}
		// Signed on at both: the next request needs nobody.
		if _, body, at := b.authorize(nil); at.Query().Get("code") == "" {
			t.Errorf("%s %s", at, body)
		}
	})
}

// An answer that was not asked for in this browser, or comes from somebody else, is not taken.
func TestAnswersOfAnotherProviderThatAreRefused(t *testing.T) {
	first, second := chain(t, "sqlite:"+t.TempDir()+"/idp.db")
	enrolled := first.browser()
	r := enrolled.begin(nil)
	r.verify("ana@example.com", "obama2.jpg")
	r.in("accepted")

	// The browser is signed on at the first, so a request at the second comes back at once; look at
	// its answer.
	answer := ""
	enrolled.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == upstream.CallbackPath && answer == "" {
			answer = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	victim := &browser{second, enrolled.client}
	fresh := func() string {
		answer = ""
		victim.authorize(nil)
		if !strings.Contains(answer, "code=") || !strings.Contains(answer, "iss=") ||
			!strings.Contains(answer, "state=") {
			t.Fatalf("%s", answer)
		}
		return answer
	}
	for name, test := range map[string]struct {
		browser *browser
		change  func(answer url.Values)
		status  int
	}{
		"in another browser": {second.browser(), func(url.Values) {}, http.StatusBadRequest},
		"with another " +
			"state": {victim, func(answer url.Values) { answer.Set("state", "x") }, http.StatusBadRequest},
		"mixed up": {victim, func(answer url.Values) {
			answer.Set("iss", "https://evil.example.com")
		}, http.StatusForbidden},
		"with another's " +
			"code": {victim, func(answer url.Values) { answer.Set("code", "x") }, http.StatusForbidden},
	} {
		at, err := url.Parse(fresh())
		if err != nil {
			t.Fatal(err)
		}
		query := at.Query()
		test.change(query)
		at.RawQuery = query.Encode()
		if response, body, _ := test.browser.get(at.String()); response.StatusCode != test.status {
			t.Errorf("%s: %s %s", name, response.Status, body)
		}
	}
	_, body, at := victim.get(fresh()) // as it came it is taken
	if !strings.HasPrefix(at.Path, "/verify/") {
		t.Errorf("%s %s", at, body)
	}
}
