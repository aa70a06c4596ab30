package service

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vultus/vultus/examples/idp/receipt"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/vault"
)

// process is the command itself, which a test can kill.
type process struct {
	*testing.T
	url, config, database, outbox string
	command                       *exec.Cmd
}

func launch(t *testing.T, database string) *process {
	t.Helper()
	folder := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	p := &process{
		T:        t,
		url:      "http://" + address,
		config:   filepath.Join(folder, "config.json"),
		database: database,
		outbox:   folder,
	}
	text, err := json.Marshal(map[string]any{
		"issuer": p.url, "listen": address, "pack": pack(), "database": database,
		"key":           map[string]any{"file": filepath.Join(folder, "key")},
		"confirm_email": false, "access": map[string]any{"open": true}, "waiting": 8, "patience": "30s",
		"clients": []map[string]any{
			{"id": "rp", "name": "Portal", "secret": secret, "redirect_uris": []string{callback}},
		},
		"policy": map[string]any{"challenge": map[string]any{"kinds": []string{}},
			"engine": map[string]any{
				"sequence": map[string]any{"medium": "ignore", "high": "ignore"},
			}, "attempts": map[string]any{"first_delay": "0s"},
			"duplicate": map[string]any{
				"action": "flag",
			}, "risk": map[string]any{"revoke_at_high": false}},
	})
	if err == nil {
		err = os.WriteFile(p.config, text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "key"), []byte(vault.NewKey("first")), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.command.Process.Kill(); p.command.Wait() })
	p.start()
	return p
}

// start runs the command until it says that it listens.
func (p *process) start() {
	p.Helper()
	p.command = exec.Command(
		place("VULTUS_IDP", "../../../build/idp/vultus-idp"),
		"serve",
		"-config",
		p.config,
	)
	lines, err := p.command.StderrPipe()
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		p.Fatal(err)
	}
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		if strings.Contains(scanner.Text(), `"listening"`) {
			go io.Copy(io.Discard, lines)
			return
		}
		p.Log(scanner.Text())
	}
	p.Fatal("the service does not start")
}

func (p *process) kill() {
	p.command.Process.Kill() // signal 9
	p.command.Wait()
}

// visitor goes through the service again and again, whatever happens to it, and tells how far it
// came.
func (p *process) visitor(ctx context.Context, email string, done func(token string)) {
	w := &world{T: p.T, url: p.url}
	var last error // before the time was over
	for {
		token, err := attemptOnce(ctx, w, email)
		if err == nil {
			done(token)
			return
		}
		if ctx.Err() != nil {
			p.Logf("%s: %v", email, last)
			return
		}
		last = err
		time.Sleep(100 * time.Millisecond)
	}
}

// attemptOnce is a whole login without a check of its own: whatever fails is an error.
func attemptOnce(ctx context.Context, w *world, email string) (code string, err error) {
	b := w.browser()
	call := func(
		method, address, contentType, csrf string, body io.Reader, into any,
	) (*http.Response, error) {
		request, err := http.NewRequestWithContext(ctx, method, address, body)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("X-CSRF-Token", csrf)
		response, err := b.client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err == nil && into != nil {
			if response.StatusCode != http.StatusOK {
				return nil, fmt.Errorf("%s: %s", response.Status, text)
			}
			err = json.Unmarshal(text, into)
		}
		return response, err
	}
	query := url.Values{
		"client_id":     {"rp"},
		"response_type": {"code"},
		"redirect_uri":  {callback},
		"scope":         {"openid"},
		"nonce":         {"n"},
		"state":         {"s"},
	}
	response, err := call("GET", w.url+"/authorize?"+query.Encode(), "", "", nil, nil)
	if err != nil {
		return "", err
	}
	id, ok := strings.CutPrefix(response.Request.URL.Path, "/verify/")
	if !ok {
		return "", errors.New(response.Status)
	}
	api := w.url + "/api/transactions/" + id
	var view struct {
		CSRF             string `json:"csrf"`
		State            string `json:"state"`
		DocumentRequired bool   `json:"document_required"`
		Redirect         string `json:"redirect"`
	}
	if _, err := call("GET", api, "", "", nil, &view); err != nil {
		return "", err
	}
	post := func(path, body string) error {
		_, err := call(
			"POST",
			api+path,
			"application/json",
			view.CSRF,
			strings.NewReader(body),
			&view,
		)
		return err
	}
	if err := post("/email", `{"email":"`+email+`"}`); err != nil {
		return "", err
	}
	if view.State == "consent" {
		if err := post("/consent", `{"version":"1"}`); err != nil {
			return "", err
		}
	}
	var challenge struct{ Nonce string }
	if _, err := call(
		"POST", api+"/challenge", "application/json", view.CSRF, strings.NewReader("{}"), &challenge,
	); err != nil {
		return "", err
	}
	shot := &burst{nonce: challenge.Nonce, frames: pictures("obama2.jpg", 8), at: make([]int64, 8)}
	if view.DocumentRequired {
		shot.document = photo("specimen-obama.png")
	}
	contentType, body := shot.form()
	if _, err := call("POST", api+"/submit", contentType, view.CSRF, body, &view); err != nil {
		return "", err
	}
	if view.State != "accepted" {
		return "", errors.New(view.State)
	}
	response, err = call("GET", view.Redirect, "", "", nil, nil)
	if err != nil {
		return "", err
	}
	location, err := response.Location()
	if err != nil || location.Query().Get("code") == "" {
		return "", errors.New(response.Status)
	}
	form := url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {location.Query().Get("code")},
		"redirect_uri": {callback},
	}
	request, err := http.NewRequestWithContext(
		ctx,
		"POST",
		w.url+"/oauth/token",
		strings.NewReader(form.Encode()),
	)
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("rp", url.QueryEscape(secret))
	answer, err := b.client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var given tokens
	if err := json.NewDecoder(answer.Body).Decode(&given); err != nil {
		return "", err
	}
	if given.AccessToken == "" {
		return "", errors.New(given.Error)
	}
	return given.AccessToken, nil
}

// whole checks what must hold at any moment, whoever died before it.
func whole(t *testing.T, database, issuer string) {
	t.Helper()
	db, err := store.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, query := range map[string]string{
		"tokens without an accepted decision": `SELECT count(*) FROM access_tokens a WHERE NOT
			EXISTS
			(SELECT 1 FROM sessions s JOIN decisions d ON d.id = s.decision_id WHERE s.id =
				a.session_id AND d.outcome = 'accept' AND d.user_id = a.user_id)`,
		"users without template": "SELECT count(*) FROM users WHERE id NOT IN (SELECT " +
			"user_id FROM templates)",
		"users without decision": "SELECT count(*) FROM users WHERE decision_id NOT IN " +
			"(SELECT id FROM decisions WHERE outcome = 'accept')",
		"templates without decision": "SELECT count(*) FROM templates t JOIN decisions d ON " +
			"d.id = t.decision_id WHERE d.outcome <> 'accept' OR d.user_id <> t.user_id",
		"accepted without session": "SELECT count(*) FROM transactions WHERE state = " +
			"'accepted' AND session_id IS NULL",
		"sessions without a decision": "SELECT count(*) FROM sessions WHERE decision_id NOT IN " +
			"(SELECT id FROM decisions WHERE outcome = 'accept')",
		"redeemed without token": "SELECT count(*) FROM transactions WHERE redeemed_at IS " +
			"NOT NULL AND id NOT IN (SELECT transaction_id FROM access_tokens)",
		"decisions outside of the log": "SELECT count(*) FROM decisions WHERE transaction_id " +
			"NOT IN (SELECT transaction_id FROM audit WHERE action LIKE 'decision.%')",
		"a template number used twice": "SELECT count(*) FROM templates WHERE number > (SELECT " +
			"value FROM counters WHERE name = 'template')",
	} {
		var n int
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != 0 {
			t.Errorf("%d %s", n, name)
		}
	}
	response, err := http.Get(issuer + "/receipts/jwks")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var keys bytes.Buffer
	keys.ReadFrom(response.Body)
	rows, err := db.Query("SELECT receipt, digest FROM decisions")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text, digest string
		if err := rows.Scan(&text, &digest); err != nil {
			t.Fatal(err)
		}
		if _, err := receipt.Verify(text, keys.Bytes()); err != nil ||
			receipt.Hash([]byte(text)) != digest {
			t.Errorf("a receipt does not hold: %v", err)
		}
	}
}

// While people are verified, the service or the database is killed again and again. Afterwards all
// of them have their tokens, and at no time was anything half done.
func killing(t *testing.T, p *process, kill func()) {
	const people, kills = 4, 5
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var group sync.WaitGroup
	var lock sync.Mutex
	var issued []string
	for i := range people {
		group.Add(1)
		go func() {
			defer group.Done()
			p.visitor(ctx, fmt.Sprintf("person%d@example.com", i), func(token string) {
				lock.Lock()
				defer lock.Unlock()
				issued = append(issued, token)
			})
		}()
	}
	for range kills {
		time.Sleep(time.Duration(200+rand.IntN(1200)) * time.Millisecond)
		kill()
		whole(t, p.database, p.url)
	}
	group.Wait()
	if len(issued) != people {
		t.Fatalf("%d of %d came through", len(issued), people)
	}
	whole(t, p.database, p.url)
	w := &world{T: t, url: p.url}
	for _, token := range issued {
		if status, body := w.bearer("/userinfo", token); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
	}
}

func TestKillingTheService(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		p := launch(t, database)
		killing(t, p, func() { p.kill(); p.start() })
	})
}

func TestKillingTheDatabase(t *testing.T) {
	folder, err := os.MkdirTemp("", "idp")
	if err == nil {
		err = os.Chmod(folder, 0o755) // the server runs as another user
	}
	if err != nil {
		t.Fatal(err)
	}
	server := func(action string) string {
		out, err := exec.Command("../tests/postgres", action, filepath.Join(folder, "data")).
			CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	t.Cleanup(func() { server("stop"); os.RemoveAll(folder) })
	p := launch(t, server("start"))
	killing(t, p, func() { server("kill"); server("start") })
}
