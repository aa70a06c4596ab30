package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The short form looks for wrong answers and leaks. For figures, on an idle machine:
// go test -run TestLoad -count=1 -v -load.requests=20000 -load.share=0.9
var (
	loadRequests = flag.Int("load.requests", 60, "requests that TestLoad sends")
	loadShare    = flag.Float64(
		"load.share",
		0,
		"share of the in-process rate that TestLoad must see at least",
	)
)

// A request of which the answer is known.
type known struct {
	selfie, document []byte
	contentType      string
	body             []byte
	answer           []byte
}

func knownRequests(t *testing.T) []known {
	t.Helper()
	document := photo("specimen-obama.png")
	var requests []known
	for _, name := range []string{"obama2.jpg", "biden.jpg"} {
		selfie := photo(name)
		decision, err := engine.Verify(t.Context(), selfie, document)
		if err != nil {
			t.Fatal(err)
		}
		contentType, body := form(file{"selfie", selfie}, file{"document", document})
		requests = append(
			requests,
			known{selfie, document, contentType, body.Bytes(), decision.JSON},
		)
	}
	return requests
}

// parallel calls work with 0 to n-1 from a number of goroutines, and returns how long all took.
func parallel(workers, n int, work func(i int)) time.Duration {
	var next atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

func residentBytes(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// send posts a known request and returns an error unless the answer is the right one.
func (k *known) send(client *http.Client, address string) (status int, right bool, err error) {
	response, err := client.Post(
		"http://"+address+"/verify",
		k.contentType,
		bytes.NewReader(k.body),
	)
	if err != nil {
		return 0, false, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, bytes.Equal(body, k.answer), err
}

func TestLoad(t *testing.T) {
	// A leak of one picture a request is more, in the short form too.
	const rounds, slack = 10, 64 << 20
	requests, limits := knownRequests(t), limits()
	workers := limits.Parallel
	address, stop := run(t, NewService(engine, limits))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * workers}}

	var wrong atomic.Int64
	inProcess := func(i int) {
		k := &requests[i%len(requests)]
		if decision, err := engine.Verify(t.Context(), k.selfie, k.document); err != nil ||
			!bytes.Equal(decision.JSON, k.answer) {
			wrong.Add(1)
		}
	}
	latencies := make([]time.Duration, *loadRequests)
	overHTTP := func(i int) {
		start := time.Now()
		if status, right, err := requests[i%len(requests)].send(client, address); status != 200 ||
			!right ||
			err != nil {
			wrong.Add(1)
		}
		latencies[i] = time.Since(start)
	}

	parallel(2*workers, 4*workers, overHTTP) // opens the connections
	goroutines := runtime.NumGoroutine()
	var callTime, serviceTime time.Duration
	var calls, answers int
	var highest [2]int          // memory after each round of the first and of the second half
	for round := range rounds { // in turns, so that both rates see the same machine
		n := max(*loadRequests/rounds/10, workers)
		callTime += parallel(workers, n, inProcess)
		calls += n
		first, end := *loadRequests*round/rounds, *loadRequests*(round+1)/rounds
		serviceTime += parallel(2*workers, end-first, func(i int) { overHTTP(first + i) })
		answers += end - first
		highest[2*round/rounds] = max(highest[2*round/rounds], residentBytes(t))
	}

	callRate, serviceRate := float64(
		calls,
	)/callTime.Seconds(), float64(
		answers,
	)/serviceTime.Seconds()
	slices.Sort(latencies)
	at := func(share float64) time.Duration {
		return latencies[int(share*float64(len(latencies)-1))].Round(100 * time.Microsecond)
	}
	t.Logf(
		"%d requests from %d clients, %d verifications at once: %.1f a second, in-process %.1f, "+
			"share %.1f %%",
		answers,
		2*workers,
		workers,
		serviceRate,
		callRate,
		100*serviceRate/callRate,
	)
	t.Logf("latency: median %v, p99 %v, longest %v", at(0.5), at(0.99), at(1))
	t.Logf(
		"memory: %d MiB at most in the first half, %d MiB in the second",
		highest[0]>>20,
		highest[1]>>20,
	)
	if n := wrong.Load(); n != 0 {
		t.Errorf("%d wrong answers", n)
	}
	if highest[1] > highest[0]+slack {
		t.Errorf("memory grew by %d MiB", (highest[1]-highest[0])>>20)
	}
	if n := runtime.NumGoroutine(); n > goroutines+workers {
		t.Errorf("%d goroutines run, %d after the first requests", n, goroutines)
	}
	if serviceRate < *loadShare*callRate {
		t.Errorf("the service reaches %.1f %% of the in-process rate", 100*serviceRate/callRate)
	}
	client.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func decisionsCounted(t *testing.T, service *Service) int {
	t.Helper()
	recorder := httptest.NewRecorder()
	service.ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	sum := 0
	for line := range strings.Lines(recorder.Body.String()) {
		if _, count, ok := strings.Cut(line, "} "); ok &&
			strings.HasPrefix(line, "vultus_decisions_total{") {
			n, err := strconv.Atoi(strings.TrimSpace(count))
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

func TestShutdownUnderLoadLosesNoAnswer(t *testing.T) {
	requests := knownRequests(t)
	service := NewService(engine, limits())
	address, stop := run(t, service)
	var answered, wrong, refused atomic.Int64
	var group sync.WaitGroup
	for worker := range 8 {
		client := &http.Client{Transport: &http.Transport{}}
		group.Go(func() {
			defer client.CloseIdleConnections()
			for refused.Load() == 0 {
				status, right, err := requests[worker%len(requests)].send(client, address)
				switch {
				case status == 200 && (!right || err != nil):
					wrong.Add(1)
				case status == 200:
					answered.Add(1)
				case status == 0: // it does not listen any more
					refused.Add(1)
				default:
					wrong.Add(1)
				}
			}
		})
	}
	for answered.Load() < 8 {
		time.Sleep(time.Millisecond)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	group.Wait()
	if decided := decisionsCounted(t, service); wrong.Load() != 0 ||
		int(answered.Load()) != decided {
		t.Errorf(
			"%d decisions, %d right answers, %d wrong ones",
			decided,
			answered.Load(),
			wrong.Load(),
		)
	}
}

// zeros is a body without an end to speak of.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestHugeBodiesAreRefused(t *testing.T) {
	const size, slack = 1 << 30, 64 << 20
	limits := limits()
	address, stop := run(t, NewService(engine, limits))
	before := residentBytes(t)
	part := "--b\r\nContent-Disposition: form-data; name=\"selfie\"; filename=\"a\"\r\n\r\n"
	header := "POST /verify HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; " +
		"boundary=b\r\n"
	for name, start := range map[string]string{
		"of stated length": header + "Content-Length: " + strconv.Itoa(size) + "\r\n\r\n" + part,
		"chunked": header + "Transfer-Encoding: chunked\r\n\r\n" +
			strconv.FormatInt(int64(len(part)), 16) + "\r\n" + part + "\r\n" +
			strconv.FormatInt(size, 16) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			connection, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			connection.SetDeadline(time.Now().Add(time.Minute))
			if _, err := io.WriteString(connection, start); err != nil {
				t.Fatal(err)
			}
			taken := make(chan int64, 1)
			go func() {
				n, _ := io.Copy(connection, io.LimitReader(zeros{}, size))
				taken <- n
			}()
			answer, _ := io.ReadAll(connection)
			if !strings.HasPrefix(string(answer), "HTTP/1.1 413 ") {
				t.Errorf("%.80q", answer)
			}
			if n := <-taken; n > limits.BodyBytes+slack {
				t.Errorf("%d of %d bytes were taken, the limit is %d", n, size, limits.BodyBytes)
			}
		})
	}
	if after := residentBytes(t); after > before+slack {
		t.Errorf("memory grew from %d to %d MiB", before>>20, after>>20)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestManySlowClientsHinderNobody(t *testing.T) {
	const many = 200
	limits := limits()
	limits.Read = 2 * time.Second
	address, stop := run(t, NewService(engine, limits))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cut atomic.Int64
	var group sync.WaitGroup
	for range many {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			defer connection.Close()
			for ctx.Err() == nil { // a byte of the header at a time
				if _, err := io.WriteString(connection, "P"); err != nil {
					cut.Add(1)
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	request := knownRequests(t)[0]
	if status, right, err := request.send(http.DefaultClient, address); status != 200 || !right ||
		err != nil {
		t.Errorf("among %d slow clients: %d, %v, %v", many, status, right, err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for cut.Load() < many && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	group.Wait()
	if n := cut.Load(); n != many {
		t.Errorf("%d of %d slow clients were cut off", n, many)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
