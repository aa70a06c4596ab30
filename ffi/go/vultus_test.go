package vultus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var engine *Engine

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

func blank() []byte {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		panic(err)
	}
	return file.Bytes()
}

func TestMain(m *testing.M) {
	var err error
	if engine, err = Open(place("VULTUS_PACK", "../../build/pack")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	engine.Close()
	if live := settled(0); live != 0 {
		fmt.Fprintf(os.Stderr, "%d C objects were never freed\n", live)
		code = 1
	}
	os.Exit(code)
}

// settled waits for the collector until no more than `most` C objects live, and returns how many
// do.
func settled(most int) int {
	deadline := time.Now().Add(30 * time.Second)
	for liveObjects() > most && time.Now().Before(deadline) {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return liveObjects()
}

func verify(t *testing.T, selfie, document []byte, options ...Option) *Decision {
	t.Helper()
	decision, err := engine.Verify(t.Context(), selfie, document, options...)
	if err != nil {
		t.Fatal(err)
	}
	return decision
}

func TestHolderIsAccepted(t *testing.T) {
	decision := verify(t, photo("obama2.jpg"), photo("specimen-obama.png"))
	if decision.Outcome != Accept || !decision.Comparison.Match {
		t.Errorf("%s", decision.JSON)
	}
	if c := decision.Comparison; c.Score < c.OperatingPoint.Threshold ||
		c.OperatingPoint.FMR != 1e-4 ||
		c.OperatingPoint.NonMated == 0 {
		t.Errorf("%+v", c)
	}
	if !slices.ContainsFunc(
		decision.Stages,
		func(s Stage) bool { return s.Name == "embed" && s.Took > 0 },
	) {
		t.Errorf("%+v", decision.Stages)
	}
}

func TestAnotherPersonIsRejected(t *testing.T) {
	decision := verify(
		t,
		photo("biden.jpg"),
		photo("specimen-obama.png"),
		WithFMR(1e-3),
		With("comparator", "single"),
	)
	if decision.Outcome != Reject || decision.Reasons[0].Effect != "reject" ||
		decision.Comparison.Match {
		t.Errorf("%s", decision.JSON)
	}
	if !strings.Contains(string(decision.JSON), `"comparator":"single"`) ||
		decision.Comparison.OperatingPoint.FMR != 1e-3 {
		t.Errorf("the policy was not applied: %s", decision.JSON)
	}
}

func TestNoFaceIsInconclusive(t *testing.T) {
	decision := verify(t, blank(), photo("specimen-obama.png"))
	if decision.Outcome != Inconclusive || decision.Comparison != nil {
		t.Errorf("%s", decision.JSON)
	}
	if reason := decision.Reasons[0]; reason.Code != "no-face" || reason.Role != Selfie {
		t.Errorf("%+v", reason)
	}
	enrolment, err := engine.Enrol(t.Context(), blank(), Selfie)
	if err != nil || enrolment.Template != nil || len(enrolment.Sample) == 0 {
		t.Errorf("%+v, %v", enrolment, err)
	}
}

func enrol(t *testing.T, picture []byte, role Role) *Template {
	t.Helper()
	enrolment, err := engine.Enrol(t.Context(), picture, role)
	if err != nil {
		t.Fatal(err)
	}
	if enrolment.Template == nil {
		t.Fatal("no face was found")
	}
	t.Cleanup(func() { enrolment.Template.Close() })
	return enrolment.Template
}

func TestTemplateIsStoredAndReadAgain(t *testing.T) {
	reference := enrol(t, photo("specimen-obama.png"), Document)
	stored, err := reference.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := engine.ReadTemplate(stored)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	decision, err := engine.VerifyTemplate(t.Context(), photo("obama2.jpg"), again)
	if err != nil || decision.Outcome != Accept {
		t.Errorf("%+v, %v", decision, err)
	}
	if quality, err := again.Quality(); err != nil || quality <= 0 || quality > 100 {
		t.Errorf("quality %d, %v", quality, err)
	}
	if c, err := engine.Compare(again, reference); err != nil || !c.Match || c.Score < 0.999 {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := engine.Compare(reference, reference); err != nil || !c.Match {
		t.Errorf("%+v, %v", c, err)
	}
	other := enrol(t, photo("biden.jpg"), Selfie)
	if c, err := engine.Compare(other, reference); err != nil || c.Match {
		t.Errorf("%+v, %v", c, err)
	}
	again.Close()
	if _, err := again.Bytes(); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := engine.VerifyTemplate(t.Context(), blank(), again); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestBadInput(t *testing.T) {
	good := photo("obama2.jpg")
	verify := func(selfie, document []byte, options ...Option) func() error {
		return func() error {
			_, err := engine.Verify(t.Context(), selfie, document, options...)
			return err
		}
	}
	enrol := func(picture []byte, role Role) func() error {
		return func() error {
			_, err := engine.Enrol(t.Context(), picture, role)
			return err
		}
	}
	read := func(stored []byte) func() error {
		return func() error {
			_, err := engine.ReadTemplate(stored)
			return err
		}
	}
	for name, test := range map[string]struct {
		call func() error
		kind Kind
		part string
	}{
		"nil selfie":       {verify(nil, good), ErrInput, "selfie: the file is empty"},
		"empty document":   {verify(good, []byte{}), ErrInput, "document: the file is empty"},
		"cut selfie":       {verify(good[:1000], good), ErrInput, "selfie: "},
		"no picture":       {verify(good, []byte("hello")), ErrInput, "document: "},
		"unknown field":    {verify(good, good, With("far", 1)), ErrUsage, "policy: "},
		"not JSON":         {verify(good, good, WithFMR(math.NaN())), ErrUsage, "policy: "},
		"unsupported rate": {verify(good, good, WithFMR(1e-30)), ErrUsage, "is not supported"},
		"unknown role":     {enrol(good, "passport"), ErrUsage, `role: is "passport"`},
		"cut picture":      {enrol(good[:10], Selfie), ErrInput, "picture: "},
		"no template":      {read([]byte("hello")), ErrInput, "stored: "},
		"empty template":   {read(nil), ErrInput, "stored: "},
		"nil template": {func() error {
			_, err := engine.VerifyTemplate(t.Context(), good, nil)
			return err
		}, ErrUsage, "reference: is nil"},
		"no pack":       {func() error { _, err := Open("/nowhere"); return err }, ErrModel, "pack: "},
		"NUL in a path": {func() error { _, err := Open("a\x00b"); return err }, ErrUsage, "NUL"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.call()
			var fault *Error
			if !errors.As(err, &fault) || !errors.Is(err, test.kind) || fault.Kind != test.kind ||
				fault.Stage == "" {
				t.Fatalf("%T %v", err, err)
			}
			if !strings.Contains(err.Error(), test.part) {
				t.Errorf("%q lacks %q", err, test.part)
			}
			for _, other := range []Kind{
				ErrInput, ErrLimit, ErrModel, ErrUsage, ErrUnsupported, ErrInternal,
			} {
				if other != test.kind && errors.Is(err, other) {
					t.Errorf("%v is also %v", err, other)
				}
			}
		})
	}
}

func TestContextIsHonoured(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	good := photo("obama2.jpg")
	if _, err := engine.Verify(cancelled, good, good); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := engine.Enrol(late, good, Selfie); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := engine.VerifyTemplate(cancelled, good, enrol(t, good, Selfie)); !errors.Is(
		err,
		context.Canceled,
	) {
		t.Errorf("%v", err)
	}
}

// Ends after a number of looks, so that the call is cancelled between two of its steps.
type endsAfter struct {
	context.Context
	looks int
}

func (c *endsAfter) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestContextIsHonouredBetweenSteps(t *testing.T) {
	good, before := photo("obama2.jpg"), liveObjects()
	for looks := range 3 {
		if _, err := engine.Verify(&endsAfter{t.Context(), looks}, good, good); !errors.Is(
			err,
			context.Canceled,
		) {
			t.Errorf("after %d looks: %v", looks, err)
		}
	}
	if live := liveObjects(); live > before {
		t.Errorf("%d C objects live, before %d", live, before)
	}
}

func TestConcurrentCallsGiveTheSameAnswers(t *testing.T) {
	selfies, document := [][]byte{
		photo("obama2.jpg"),
		photo("biden.jpg"),
	}, photo(
		"specimen-obama.png",
	)
	var expected [2][]byte
	for i, selfie := range selfies {
		expected[i] = verify(t, selfie, document).JSON
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range selfies {
				i = (i + worker) % len(selfies)
				decision, err := engine.Verify(t.Context(), selfies[i], document)
				if err != nil || !bytes.Equal(decision.JSON, expected[i]) {
					t.Errorf("worker %d, selfie %d: %v", worker, i, err)
				}
			}
		}()
	}
	group.Wait()
}

func TestParallelGivesTheSameAnswer(t *testing.T) {
	parallel, err := Open(place("VULTUS_PACK", "../../build/pack"), Parallel())
	if err != nil {
		t.Fatal(err)
	}
	defer parallel.Close()
	selfie, document := photo("obama2.jpg"), photo("specimen-obama.png")
	decision, err := parallel.Verify(t.Context(), selfie, document)
	if err != nil || !bytes.Equal(decision.JSON, verify(t, selfie, document).JSON) {
		t.Errorf("another answer, or none: %v", err)
	}
}

func TestCloseWaitsForCalls(t *testing.T) {
	pack := place("VULTUS_PACK", "../../build/pack")
	if _, err := Open(pack, AcceptLicences("none", "of these")); !errors.Is(err, ErrUsage) {
		t.Errorf("licences of no weight: %v", err)
	}
	if _, err := Open(pack, ExpectPack("another")); !errors.Is(err, ErrModel) {
		t.Errorf("another pack: %v", err)
	}
	mine, err := Open(pack, AcceptLicences("sface", "iris"))
	if err != nil {
		t.Fatal(err)
	}
	if pack, err := mine.Pack(); err != nil || pack == "" {
		t.Errorf("%q, %v", pack, err)
	}
	good := photo("obama2.jpg")
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			if _, err := mine.Verify(t.Context(), good, good); err != nil &&
				!errors.Is(err, ErrClosed) {
				t.Errorf("%v", err)
			}
		}()
	}
	mine.Close()
	group.Wait()
	mine.Close()
	if _, err := mine.Verify(t.Context(), good, good); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestForgottenTemplatesAreFreed(t *testing.T) {
	stored, err := enrol(t, photo("obama2.jpg"), Selfie).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	before := liveObjects()
	for range 100 {
		if _, err := engine.ReadTemplate(stored); err != nil {
			t.Fatal(err)
		}
	}
	if live := settled(before); live > before {
		t.Errorf("%d C objects live, before %d", live, before)
	}
}

func TestVersion(t *testing.T) {
	if !strings.Contains(Version(), ".") {
		t.Errorf("%q", Version())
	}
}

func FuzzReadTemplate(f *testing.F) {
	enrolment, err := engine.Enrol(context.Background(), photo("obama2.jpg"), Selfie)
	if err != nil {
		f.Fatal(err)
	}
	stored, err := enrolment.Template.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	enrolment.Template.Close()
	f.Add(stored)
	f.Add(stored[:len(stored)-1])
	f.Add([]byte("VULT"))
	f.Fuzz(func(t *testing.T, given []byte) {
		template, err := engine.ReadTemplate(given)
		if err != nil {
			return
		}
		defer template.Close()
		if again, err := template.Bytes(); err != nil || !bytes.Equal(again, given) {
			t.Errorf("what was read is not what was given: %v", err)
		}
	})
}
