package vultus

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// For a soak: go test -run TestSoak -count=1 -v -soak.rounds=5000
var soakRounds = flag.Int("soak.rounds", 20, "rounds of TestSoak")

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

// Every sort of call, good and bad, from two goroutines, with templates that are closed and such
// that are forgotten.
func TestSoak(t *testing.T) {
	const warm, most = 5, 64 << 20
	selfie, document := photo("obama2.jpg"), photo("specimen-obama.png")
	stored, err := enrol(t, document, Document).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	round := func(ctx context.Context) {
		reference, err := engine.ReadTemplate(stored)
		if err != nil {
			t.Error(err)
			return
		}
		if decision, err := engine.VerifyTemplate(ctx, selfie, reference); err != nil ||
			decision.Outcome != Accept {
			t.Errorf("%+v, %v", decision, err)
		}
		reference.Close()
		if forgotten, err := engine.ReadTemplate(stored); err != nil {
			t.Error(err)
		} else if c, err := engine.Compare(forgotten, forgotten); err != nil || !c.Match {
			t.Errorf("%+v, %v", c, err)
		}
		if _, err := engine.Verify(ctx, selfie[:len(selfie)/2], document); !errors.Is(
			err,
			ErrInput,
		) {
			t.Errorf("%v", err)
		}
		if _, err := engine.Verify(cancelled, selfie, document); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if _, err := engine.ReadTemplate(stored[1:]); !errors.Is(err, ErrInput) {
			t.Errorf("%v", err)
		}
	}
	soak := func(rounds int) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range rounds {
				round(t.Context())
			}
		}()
		for range rounds {
			round(t.Context())
		}
		<-done
	}
	objects, goroutines := liveObjects(), runtime.NumGoroutine()
	soak(warm)
	resident, highest := residentBytes(t), 0
	for range 4 {
		soak((*soakRounds + 3) / 4)
		highest = max(highest, residentBytes(t))
	}
	t.Logf(
		"%d rounds: %d MiB after %d, %d MiB at most after each quarter",
		2*(warm+*soakRounds),
		resident>>20,
		2*warm,
		highest>>20,
	)
	if highest > resident+most {
		t.Errorf("memory grew by %d MiB", (highest-resident)>>20)
	}
	if live := settled(objects); live > objects {
		t.Errorf("%d C objects live, before %d", live, objects)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines run, before %d", n, goroutines)
	}
}

// Whatever the bytes are: a picture or an error of the input, and no defect.
func FuzzDecode(f *testing.F) {
	pixels := image.NewNRGBA(image.Rect(0, 0, 24, 16))
	for i := range pixels.Pix {
		pixels.Pix[i] = byte(i * 7)
	}
	var asJPEG, asPNG bytes.Buffer
	if err := errors.Join(jpeg.Encode(&asJPEG, pixels, nil), png.Encode(&asPNG, pixels)); err != nil {
		f.Fatal(err)
	}
	asWebP := []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\r\x00\x00\x00" +
		"/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")
	for _, file := range [][]byte{asJPEG.Bytes(), asPNG.Bytes(), asWebP, nil} {
		f.Add(file)
		f.Add(file[:len(file)/2])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c := begin(context.Background())
		defer c.end()
		c.picture("file", file)
		if err := c.err; err != nil && !errors.Is(err, ErrInput) && !errors.Is(err, ErrLimit) &&
			!errors.Is(err, ErrUnsupported) {
			t.Errorf("%v", err)
		}
	})
}
