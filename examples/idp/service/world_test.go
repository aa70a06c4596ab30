package service

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/vultus/vultus/examples/idp/config"
	"github.com/vultus/vultus/examples/idp/face"
	"github.com/vultus/vultus/examples/idp/vault"
	"github.com/vultus/vultus/examples/idp/verification"
)

// Pack and photos are what `make pack photos` of the root makes; VULTUS_PACK and VULTUS_PHOTOS name
// them when they lie elsewhere.
func place(variable, otherwise string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	return otherwise
}

func pack() string { return place("VULTUS_PACK", "../../../build/pack") }

func photo(name string) []byte {
	picture, err := os.ReadFile(
		filepath.Join(place("VULTUS_PHOTOS", "../../../build/photos"), name),
	)
	if err != nil {
		panic(err)
	}
	return picture
}

// onBoth runs a test on SQLite and on PostgreSQL. VULTUS_IDP_POSTGRES is what tests/postgres
// prints; without it the test fails, because one that does not run proves nothing.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "idp.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, postgres(t)) })
}

// postgres returns the URL of a fresh database.
func postgres(t *testing.T) string {
	t.Helper()
	server := os.Getenv("VULTUS_IDP_POSTGRES")
	if server == "" {
		t.Fatal("VULTUS_IDP_POSTGRES is not set: run make -C examples/idp test")
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := "t" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// clock is a clock that a test turns, and may stop.
type clock struct {
	lock    sync.Mutex
	offset  time.Duration
	stopped time.Time
}

func (c *clock) now() time.Time {
	c.lock.Lock()
	defer c.lock.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped.Add(c.offset)
	}
	return time.Now().Add(c.offset)
}

func (c *clock) stop() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.stopped = time.Now()
}

func (c *clock) turn(by time.Duration) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.offset += by
}

// world is a service that runs, with relying party "rp" and public client "app".
type world struct {
	*testing.T
	*Service
	url    string
	clock  *clock
	outbox string
}

const secret = "a secret of the relying party"

var engines sync.Map // policy -> *face.Engine: opening one takes long

func start(t *testing.T, database string, configure func(c *config.Config)) *world {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	w := &world{
		T:      t,
		url:    "http://" + server.Listener.Addr().String(),
		clock:  new(clock),
		outbox: t.TempDir(),
	}
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(vault.NewKey("first")), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"issuer": w.url, "pack": pack(), "database": database, "key": map[string]any{"file": keyFile},
		"mail":   map[string]any{"outbox": w.outbox, "from": "verify@example.com"},
		"access": map[string]any{"domains": []string{"example.com"}},
		"clients": []map[string]any{
			{
				"id":                        "rp",
				"name":                      "Portal",
				"secret":                    secret,
				"redirect_uris":             []string{callback},
				"post_logout_redirect_uris": []string{callback},
			},
			{"id": "app", "name": "App", "redirect_uris": []string{"http://127.0.0.1/app"}},
		},
		"policy": map[string]any{
			"attempts":  map[string]any{"first_delay": "1m"},
			"challenge": map[string]any{"kinds": []string{}},
			// The frames of most tests are a moved portrait at made-up times, which the engine rightly finds
			// suspicious, and a picture of the press is an attack to a PAD that knows captures.
			"engine": map[string]any{
				"pad":      "ignore",
				"sequence": map[string]any{"medium": "ignore", "high": "ignore"},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if configure != nil {
		configure(c)
	}
	w.Service, err = newWith(t.Context(), c, shared(t, c.Policy.Engine), w.clock.now)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = w.Handler
	server.Start()
	t.Cleanup(func() { server.Close(); w.db.Close() })
	return w
}

func shared(t *testing.T, policy map[string]any) *face.Engine {
	t.Helper()
	name := fmt.Sprint(policy)
	if engine, ok := engines.Load(name); ok {
		return engine.(*face.Engine)
	}
	engine, err := face.Open(pack(), policy)
	if err != nil {
		t.Fatal(err)
	}
	engines.Store(name, engine)
	return engine
}

const callback = "https://portal.example.com/callback"

// browser is one with cookies, which stops before it leaves the service.
type browser struct {
	*world
	client *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	return &browser{
		w,
		&http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Hostname() != "127.0.0.1" || r.URL.Path == "/app" {
				return http.ErrUseLastResponse
			}
			return nil
		}},
	}
}

// get follows redirects and returns the last answer with its body, and where the browser is or
// would go.
func (b *browser) get(address string) (*http.Response, string, *url.URL) {
	b.Helper()
	response, err := b.client.Get(address)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	at := response.Request.URL
	if location, err := response.Location(); err == nil {
		at = location
	}
	return response, string(body), at
}

// authorize sends a request of the relying party, whose parameters are changed; an empty value
// removes one.
func (b *browser) authorize(change map[string]string) (*http.Response, string, *url.URL) {
	b.Helper()
	query := url.Values{
		"client_id":     {"rp"},
		"response_type": {"code"},
		"redirect_uri":  {callback},
		"scope":         {"openid email profile offline_access identity"},
		"state":         {"the state"},
		"nonce":         {"the nonce"},
	}
	for name, value := range change {
		query.Set(name, value)
		if value == "" {
			query.Del(name)
		}
	}
	return b.get(b.url + "/authorize?" + query.Encode())
}

// begin starts a transaction, which must lead to the capture page.
func (b *browser) begin(change map[string]string) *run {
	b.Helper()
	_, body, at := b.authorize(change)
	id, ok := strings.CutPrefix(at.Path, "/verify/")
	if !ok {
		b.Fatalf("%s: %s", at, body)
	}
	r := &run{browser: b, id: id}
	r.show()
	return r
}

// run is a transaction as the page drives it.
type run struct {
	*browser
	id   string
	view verification.View
}

type problem struct {
	Status     int
	RetryAfter string
	Error      struct{ Code, Text, Do string }
}

// send calls the service and reads the answer into "into"; the problem is nil when it is 200.
func (r *run) send(method, path, contentType string, body io.Reader, into any) *problem {
	r.Helper()
	request, err := http.NewRequest(method, r.url+"/api/transactions/"+r.id+path, body)
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("X-CSRF-Token", r.view.CSRF)
	response, err := r.client.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		p := &problem{Status: response.StatusCode, RetryAfter: response.Header.Get("Retry-After")}
		if err := json.NewDecoder(response.Body).Decode(p); err != nil || p.Error.Code == "" ||
			p.Error.Text == "" ||
			p.Error.Do == "" {
			r.Fatalf("%s %s: %s: %v", method, path, response.Status, err)
		}
		return p
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		r.Fatal(err)
	}
	return nil
}

func (r *run) show() {
	r.Helper()
	if p := r.send("GET", "", "", nil, &r.view); p != nil {
		r.Fatalf("%+v", p)
	}
}

// post sends JSON and expects the view.
func (r *run) post(path string, body any) *problem {
	r.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.Fatal(err)
	}
	return r.send("POST", path, "application/json", bytes.NewReader(text), &r.view)
}

func (r *run) must(p *problem) {
	r.Helper()
	if p != nil {
		r.Fatalf("%+v", p)
	}
}

func (r *run) refused(p *problem, status int, code string) {
	r.Helper()
	if p == nil || p.Status != status || p.Error.Code != code {
		r.Errorf("got %+v, expected %d %s", p, status, code)
	}
}

func (r *run) in(state string) {
	r.Helper()
	if string(r.view.State) != state {
		r.Fatalf(
			"the state is %s, expected %s; the last outcome is %+v",
			r.view.State,
			state,
			r.view.Last,
		)
	}
}

var digits = regexp.MustCompile(`Your code: (\d{6})`)

// mailed returns the code of the newest mail.
func (w *world) mailed() string {
	w.Helper()
	files, err := filepath.Glob(filepath.Join(w.outbox, "*.eml"))
	if err != nil || len(files) == 0 {
		w.Fatalf("no mail: %v", err)
	}
	text, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		w.Fatal(err)
	}
	return digits.FindStringSubmatch(string(text))[1]
}

// identify goes through address, code and consent, as far as they are asked for.
func (r *run) identify(email string) {
	r.Helper()
	if r.view.State == "email" {
		r.must(r.post("/email", map[string]string{"email": email}))
	}
	if r.view.State == "code" {
		r.must(r.post("/code", map[string]string{"code": r.mailed()}))
	}
	if r.view.State == "consent" {
		r.must(r.post("/consent", map[string]string{"version": r.view.Consent.Version}))
	}
	r.in("capture")
}

func (r *run) challenge() verification.Challenge {
	r.Helper()
	var c verification.Challenge
	r.must(r.send("POST", "/challenge", "application/json", strings.NewReader("{}"), &c))
	return c
}

// burst is what a submit holds.
type burst struct {
	nonce    string
	began    int64
	frames   [][]byte
	at       []int64
	document []byte
	more     map[string][]byte // parts that do not belong there
}

// The parts of the photos that a camera would see.
var crops = map[string]image.Rectangle{
	"obama.jpg":  image.Rect(0, 0, 910, 910),
	"obama2.jpg": image.Rect(0, 130, 626, 756),
	"biden.jpg":  image.Rect(70, 20, 970, 920),
}

var portraits sync.Map // name -> *image.RGBA

// portrait returns what a camera would see, at the size of a video.
func portrait(name string) *image.RGBA {
	if seen, ok := portraits.Load(name); ok {
		return seen.(*image.RGBA)
	}
	whole, err := jpeg.Decode(bytes.NewReader(photo(name)))
	if err != nil {
		panic(err)
	}
	const scale = 0.7
	crop := crops[name]
	side := int(scale * float64(crop.Dx()))
	seen := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			seen.Set(
				x,
				y,
				whole.At(crop.Min.X+int(float64(x)/scale), crop.Min.Y+int(float64(y)/scale)),
			)
		}
	}
	portraits.Store(name, seen)
	return seen
}

// pictures returns frames of a person who holds the camera by hand: a portrait that moves and
// flickers. No two calls give the same files.
func pictures(name string, count int) [][]byte {
	seen := portrait(name)
	side := seen.Bounds().Dx()
	frames := make([][]byte, count)
	dx, dy := 4, 4
	for i := range frames {
		dx, dy = min(8, max(0, dx+rand.IntN(3)-1)), min(8, max(0, dy+rand.IntN(3)-1))
		frame := image.NewRGBA(image.Rect(0, 0, side-8, side-8))
		draw.Draw(frame, frame.Bounds(), seen, image.Pt(dx, dy), draw.Src)
		for range 200 { // the noise of the sensor
			frame.Set(
				rand.IntN(side),
				rand.IntN(side),
				color.RGBA{uint8(rand.IntN(256)), 0, 0, 255},
			)
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, frame, &jpeg.Options{Quality: 90}); err != nil {
			panic(err)
		}
		frames[i] = file.Bytes()
	}
	return frames
}

// shot is a burst of a portrait for the present challenge.
func (r *run) shot(name string) *burst {
	r.Helper()
	b := &burst{nonce: r.challenge().Nonce, frames: pictures(name, 8)}
	if r.view.DocumentRequired {
		b.document = photo("specimen-obama.png")
	}
	for i := range b.frames {
		b.at = append(b.at, int64(i)) // faster than any camera, so that the test need not wait
	}
	return b
}

func (b *burst) form() (contentType string, body *bytes.Buffer) {
	body = new(bytes.Buffer)
	form := multipart.NewWriter(body)
	add := func(name, mediaType string, content []byte) {
		part, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {
				fmt.Sprintf(`form-data; name=%q; filename=%q`, name, name),
			}, "Content-Type": {mediaType}})
		if err == nil {
			_, err = part.Write(content)
		}
		if err != nil {
			panic(err)
		}
	}
	capture, err := json.Marshal(
		map[string]any{"nonce": b.nonce, "began_us": b.began, "frames_us": b.at},
	)
	if err != nil {
		panic(err)
	}
	add("capture", "application/json", capture)
	for _, frame := range b.frames {
		add("frame", "image/jpeg", frame)
	}
	if b.document != nil {
		add("document", "image/png", b.document)
	}
	for name, content := range b.more {
		add(name, "application/octet-stream", content)
	}
	form.Close()
	return form.FormDataContentType(), body
}

func (r *run) submit(b *burst) *problem {
	r.Helper()
	contentType, body := b.form()
	return r.send("POST", "/submit", contentType, body, &r.view)
}

// verify goes all the way with a portrait.
func (r *run) verify(email, portrait string) {
	r.Helper()
	r.identify(email)
	r.must(r.submit(r.shot(portrait)))
}

// finish follows an accepted transaction to the relying party and returns what comes with it.
func (r *run) finish() url.Values {
	r.Helper()
	r.in("accepted")
	_, body, at := r.get(*r.view.Redirect)
	if !strings.HasPrefix(at.String(), callback) {
		r.Fatalf("%s %s", at, body)
	}
	return at.Query()
}

// tokens are what the token endpoint answers.
type tokens struct {
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

// token asks the token endpoint as the relying party.
func (w *world) token(form url.Values) (int, tokens) {
	w.Helper()
	request, err := http.NewRequest("POST", w.url+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !form.Has("client_id") {
		request.SetBasicAuth("rp", url.QueryEscape(secret))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	var answer tokens
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		w.Fatal(err)
	}
	return response.StatusCode, answer
}

// redeem redeems a code, which must be good.
func (w *world) redeem(code string) tokens {
	w.Helper()
	status, answer := w.token(
		url.Values{
			"grant_type":   {"authorization_code"},
			"code":         {code},
			"redirect_uri": {callback},
		},
	)
	if status != http.StatusOK {
		w.Fatalf("%d %+v", status, answer)
	}
	return answer
}

// count returns a number from the database.
func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	if err := w.db.QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
