package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	vultus "github.com/vultus/vultus/ffi/go"
)

var engine *vultus.Engine

// Pack and photos are what `make pack photos` makes; VULTUS_PACK and VULTUS_PHOTOS name them when
// they lie elsewhere.
func place(variable, otherwise string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	return otherwise
}

func photo(name string) []byte {
	picture, err := os.ReadFile(filepath.Join(place("VULTUS_PHOTOS", "../../build/photos"), name))
	if err != nil {
		panic(err)
	}
	return picture
}

func TestMain(m *testing.M) {
	var err error
	if engine, err = vultus.Open(place("VULTUS_PACK", "../../build/pack")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	engine.Close()
	os.Exit(code)
}

func limits() Limits {
	return Limits{
		BodyBytes: 4 << 20,
		Parallel:  2,
		Admitted:  16,
		Read:      time.Minute,
		Answer:    time.Minute,
	}
}

type file struct {
	name    string
	content []byte
}

func form(files ...file) (contentType string, body *bytes.Buffer) {
	body = new(bytes.Buffer)
	writer := multipart.NewWriter(body)
	for _, f := range files {
		part, err := writer.CreateFormFile(f.name, f.name)
		if err == nil {
			_, err = part.Write(f.content)
		}
		if err != nil {
			panic(err)
		}
	}
	writer.Close()
	return writer.FormDataContentType(), body
}

func post(t *testing.T, url string, files ...file) (int, string) {
	t.Helper()
	contentType, body := form(files...)
	response, err := http.Post(url+"/verify", contentType, body)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(text)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestService(t *testing.T) {
	server := httptest.NewServer(NewService(engine, limits()))
	defer server.Close()
	document := file{"document", photo("specimen-obama.png")}
	holder, other := file{"selfie", photo("obama2.jpg")}, file{"selfie", photo("biden.jpg")}

	for _, test := range []struct {
		name   string
		files  []file
		status int
		part   string
	}{
		{"holder", []file{holder, document}, 200, `"outcome":"accept"`},
		{"another person", []file{document, other}, 200, `"outcome":"reject"`},
		{"broken picture", []file{{"selfie", []byte("hello")}, document}, 422, "selfie: "},
		{"empty picture", []file{holder, {"document", nil}}, 422, "document: the file is empty"},
		{"missing", []file{holder}, 400, "document"},
		{"twice", []file{holder, holder}, 400, "given twice"},
		{"unknown", []file{holder, {"passport", nil}}, 400, "passport"},
		{"too large", []file{holder, {"document", make([]byte, 5<<20)}}, 413, "more than " +
			"4194304 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := post(t, server.URL, test.files...)
			if status != test.status || !strings.Contains(body, test.part) ||
				!json.Valid([]byte(body)) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	text := strings.NewReader("hello")
	if response, err := http.Post(server.URL+"/verify", "text/plain", text); err != nil ||
		response.StatusCode != 400 {
		t.Errorf("%+v, %v", response, err)
	}
	if status, _ := get(t, server.URL+"/verify"); status != 405 {
		t.Errorf("GET /verify: %d", status)
	}
	if status, body := get(t, server.URL+"/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("%d %q", status, body)
	}
	status, metrics := get(t, server.URL+"/metrics")
	for _, line := range []string{
		`vultus_decisions_total{outcome="accept"} 1`,
		`vultus_decisions_total{outcome="reject"} 1`,
		`vultus_refused_total{status="413"} 1`,
		`vultus_refused_total{status="422"} 2`,
		"vultus_verify_seconds_count 2",
		"vultus_requests_in_flight 0",
	} {
		if status != 200 || !strings.Contains(metrics, line+"\n") {
			t.Errorf("%d, no %q in the metrics", status, line)
		}
	}
}

func TestConcurrentRequestsGetTheirOwnAnswers(t *testing.T) {
	server := httptest.NewServer(NewService(engine, limits()))
	defer server.Close()
	document := file{"document", photo("specimen-obama.png")}
	var group sync.WaitGroup
	for i := range 8 {
		name, outcome := "obama2.jpg", `"outcome":"accept"`
		if i%2 == 1 {
			name, outcome = "biden.jpg", `"outcome":"reject"`
		}
		group.Add(1)
		go func() {
			defer group.Done()
			if status, body := post(t, server.URL, file{"selfie", photo(name)}, document); status != 200 ||
				!strings.Contains(body, outcome) {
				t.Errorf("%s: %d %s", name, status, body)
			}
		}()
	}
	group.Wait()
}

func TestMoreThanAdmittedIsTurnedAway(t *testing.T) {
	service := NewService(engine, limits())
	for range cap(service.admitted) {
		service.admitted <- struct{}{}
	}
	server := httptest.NewServer(service)
	defer server.Close()
	if status, body := post(t, server.URL); status != 503 {
		t.Errorf("%d %s", status, body)
	}
}

func TestWaitingForATurnEnds(t *testing.T) {
	short := limits()
	short.Answer = 10 * time.Millisecond
	service := NewService(engine, short)
	for range cap(service.parallel) {
		service.parallel <- struct{}{}
	}
	server := httptest.NewServer(service)
	defer server.Close()
	selfie, document := file{"selfie", []byte("a")}, file{"document", []byte("b")}
	if status, body := post(t, server.URL, selfie, document); status != 503 {
		t.Errorf("%d %s", status, body)
	}
}

// run serves on a free port until stop is called, which returns what serve returned.
func run(t *testing.T, service *Service) (address string, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, listener, service) }()
	return listener.Addr().String(), func() error { cancel(); return <-done }
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	service := NewService(engine, limits())
	address, stop := run(t, service)
	answered := make(chan int, 1)
	go func() {
		status, _ := post(
			t,
			"http://"+address,
			file{"selfie", photo("obama2.jpg")},
			file{"document", photo("specimen-obama.png")},
		)
		answered <- status
	}()
	for len(service.admitted) == 0 && len(answered) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if status := <-answered; status != 200 {
		t.Errorf("a request that ran at shutdown got %d", status)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("it still listens")
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	short := limits()
	short.Read = 200 * time.Millisecond
	address, stop := run(t, NewService(engine, short))
	for name, sent := range map[string]string{
		"header": "POST /verify HTTP/1.1\r\nHost: a\r\n",
		"body": "POST /verify HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; " +
			"boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\n",
	} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(connection, sent); err != nil {
			t.Fatal(err)
		}
		connection.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.Copy(io.Discard, connection); err != nil &&
			!strings.Contains(err.Error(), "reset") {
			t.Errorf("slow %s: %v", name, err)
		}
		connection.Close()
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
