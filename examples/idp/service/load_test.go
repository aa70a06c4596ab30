package service

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vultus/vultus/examples/idp/config"
	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/receipt"
)

// Fifty people submit at once, and again when they are told to wait: all are judged, nobody waits
// longer than is promised for an answer, and who is turned away hears when to come back.
// VULTUS_IDP_LOAD prints the figures.
func TestFiftyAtOnce(t *testing.T) {
	const people, waiting, patience = 50, 6, 20 * time.Second
	w := start(t, postgres(t), func(c *config.Config) {
		c.Waiting, c.Patience, c.ConfirmEmail, c.Access.Open = waiting, policy.Duration(
			patience,
		), false, true
		c.Policy.Duplicate.Action = "flag"
		c.Policy.Challenge.Window = policy.Duration(5 * time.Minute)
	})
	runs, shots := make([]*run, people), make([]*burst, people)
	for i := range runs {
		runs[i] = w.browser().begin(nil)
		runs[i].identify(fmt.Sprintf("person%d@example.com", i))
		shots[i] = runs[i].shot("obama2.jpg")
	}
	var lock sync.Mutex
	var latencies []time.Duration
	turned := 0
	var group sync.WaitGroup
	began := time.Now()
	for i, r := range runs {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				start := time.Now()
				p := r.submit(shots[i])
				lock.Lock()
				latencies = append(latencies, time.Since(start))
				lock.Unlock()
				if p == nil {
					return
				}
				if after, err := strconv.Atoi(p.RetryAfter); p.Status != http.StatusServiceUnavailable ||
					p.Error.Code != "busy" ||
					err != nil ||
					after < 1 {
					t.Errorf("%+v", p)
					return
				}
				lock.Lock()
				turned++
				lock.Unlock()
				time.Sleep(200 * time.Millisecond)
			}
		}()
	}
	group.Wait()
	total := time.Since(began)
	if n := w.count("SELECT count(*) FROM users u JOIN templates t ON t.user_id = " +
		"u.id"); n != people {
		t.Errorf("%d of %d were enrolled", n, people)
	}
	if turned == 0 {
		t.Error("nobody was turned away: the test proves nothing")
	}
	slices.Sort(latencies)
	at := func(share float64) time.Duration { return latencies[int(share*float64(len(latencies)-1))] }
	if at(0.99) > patience {
		t.Errorf("p99 is %v", at(0.99))
	}
	if os.Getenv("VULTUS_IDP_LOAD") != "" {
		t.Logf(
			"%d people in %v; %d answers, %d of them 503; p50 %v, p99 %v, max %v; engine %s ms",
			people,
			total.Round(time.Millisecond),
			len(latencies),
			turned,
			at(
				0.5,
			).Round(time.Millisecond),
			at(0.99).Round(time.Millisecond),
			latencies[len(latencies)-1].Round(time.Millisecond),
			w.engineTimes(),
		)
	}
}

// receipts returns what was signed, the first first.
func (w *world) receipts() []receipt.Receipt {
	w.Helper()
	rows, err := w.db.Query("SELECT receipt FROM decisions ORDER BY created_at")
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	var all []receipt.Receipt
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			w.Fatal(err)
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[1])
		var r receipt.Receipt
		if err == nil {
			err = json.Unmarshal(payload, &r)
		}
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// engineTimes returns the least, the middle and the greatest time that the engine took, as the
// receipts say.
func (w *world) engineTimes() string {
	w.Helper()
	var times []int
	for _, r := range w.receipts() {
		times = append(times, int(r.EngineMS))
	}
	slices.Sort(times)
	return fmt.Sprint(times[0], times[len(times)/2], times[len(times)-1])
}
