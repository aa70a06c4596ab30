package vultus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

var nonce = []byte("sixteen bytes ok")

func open(t *testing.T, options ...SessionOption) *Session {
	t.Helper()
	session, err := engine.NewSession(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func push(t *testing.T, session *Session, frame []byte, frames int) Guidance {
	t.Helper()
	var last Guidance
	for i := range frames {
		var err error
		at := time.Second + time.Duration(i)*250*time.Millisecond
		if last, err = session.Push(t.Context(), frame, at); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

func TestChallengeComesFromTheNonce(t *testing.T) {
	script := func(nonce []byte, kinds ...ChallengeKind) string {
		challenge, err := NewChallenge(nonce, kinds...)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(challenge.JSON) {
			t.Errorf("%s", challenge.JSON)
		}
		return string(challenge.JSON)
	}
	all := script(nonce, ChallengeFlash, ChallengeHeadTurn, ChallengeBlink)
	if all != script(nonce, ChallengeBlink, ChallengeHeadTurn, ChallengeFlash) {
		t.Error("the order of the kinds changes the challenge")
	}
	if all == script(append(nonce, 1), ChallengeFlash, ChallengeHeadTurn, ChallengeBlink) ||
		all == script(nonce, ChallengeFlash) {
		t.Error("another nonce or another kind gives the same challenge")
	}
	for name, call := range map[string]func() (*Challenge, error){
		"short nonce":  func() (*Challenge, error) { return NewChallenge(nonce[:15], ChallengeFlash) },
		"no nonce":     func() (*Challenge, error) { return NewChallenge(nil, ChallengeFlash) },
		"no kind":      func() (*Challenge, error) { return NewChallenge(nonce) },
		"unknown kind": func() (*Challenge, error) { return NewChallenge(nonce, 16) },
	} {
		if challenge, err := call(); challenge != nil || !errors.Is(err, ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSession(t *testing.T) {
	const frames = 6
	session := open(t)
	if template, err := session.Template(); template != nil || err != nil {
		t.Errorf("%v, %v", template, err)
	}
	if g, err := session.Push(t.Context(), blank(), 0); err != nil || g.Code != NoFace ||
		g.Face != nil ||
		g.Text == "" ||
		g.Frames != 0 {
		t.Errorf("%+v, %v", g, err)
	}
	if g := push(t, session, photo("obama2.jpg"), frames-1); g.Code == NoFace || g.Face == nil ||
		g.Face.Width < 40 ||
		g.Text == "" {
		t.Errorf("%+v", g)
	}
	evidence, err := session.Evidence()
	if err != nil || evidence.Frames != frames || evidence.Challenge.Assessed != NotAsked ||
		!bytes.Contains(evidence.JSON, []byte(`"signals":[`)) {
		t.Errorf("%+v, %v", evidence, err)
	}
	decision, err := session.Verify(t.Context(), photo("specimen-obama.png"), WithFMR(1e-3))
	if err != nil || !decision.Comparison.Match || decision.Comparison.OperatingPoint.FMR != 1e-3 {
		t.Fatalf("%+v, %v", decision, err)
	}
	// Alone it says its format; in a decision the whole says it.
	within := bytes.Replace(evidence.JSON, []byte(`"format":1,`), nil, 1)
	if len(within) == len(evidence.JSON) || !bytes.Contains(decision.JSON, within) {
		t.Errorf("%s is not in %s", evidence.JSON, decision.JSON)
	}
	decision, err = session.VerifyTemplate(t.Context(), enrol(t, photo("biden.jpg"), Document))
	if err != nil || decision.Comparison.Match || decision.Outcome == Accept {
		t.Errorf("%+v, %v", decision, err)
	}
	template, err := session.Template()
	if err != nil {
		t.Fatal(err)
	}
	defer template.Close()
	if c, err := engine.Compare(template, enrol(t, photo("obama.jpg"), Selfie)); err != nil ||
		!c.Match {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSessionWithChallenge(t *testing.T) {
	challenge, err := NewChallenge(nonce, ChallengeHeadTurn)
	if err != nil {
		t.Fatal(err)
	}
	session := open(t, WithChallenge(challenge))
	if err := session.BeginChallenge(time.Second); err != nil {
		t.Fatal(err)
	}
	if err := session.BeginChallenge(time.Second); !errors.Is(err, ErrUsage) {
		t.Errorf("begun twice: %v", err)
	}
	push(t, session, photo("obama2.jpg"), 2)
	if evidence, err := session.Evidence(); err != nil || evidence.Challenge.Status == "passed" ||
		evidence.Challenge.Assessed == NotAsked {
		t.Errorf("%+v, %v", evidence, err)
	}
}

func TestStepsComeOneByOneOnTheHostsClock(t *testing.T) {
	challenge, err := NewChallenge(nonce, ChallengeFlash, ChallengeHeadMoves)
	if err != nil {
		t.Fatal(err)
	}
	var script struct {
		Steps []Step `json:"steps"`
	}
	if err := json.Unmarshal(challenge.JSON, &script); err != nil {
		t.Fatal(err)
	}
	session := open(t, WithChallenge(challenge))
	if _, err := session.AttestationDigest(); !errors.Is(err, ErrUsage) {
		t.Errorf("nothing to attest: %v", err)
	}
	frame := photo("obama2.jpg")
	now := time.Hour
	for i := 0; ; i++ {
		next, err := session.NextStep(now)
		if err != nil {
			t.Fatal(err)
		}
		if next.IsOver {
			break
		}
		if next.Step == nil {
			if i != len(script.Steps) {
				t.Fatalf("%d: no step is due", i)
			}
		} else if *next.Step != script.Steps[i] {
			t.Errorf("%d: %+v, the script says %+v", i, *next.Step, script.Steps[i])
		}
		if _, err := session.PushArrival(t.Context(), frame, now-time.Minute, now); err != nil {
			t.Fatal(err)
		}
		now += next.Wait
	}
	digest, err := session.AttestationDigest()
	if err != nil || digest == [32]byte{} {
		t.Errorf("%x, %v", digest, err)
	}
	wrong := digest
	wrong[0]++
	if err := session.Attest(wrong); !errors.Is(err, ErrUsage) {
		t.Errorf("another digest: %v", err)
	}
	if err := session.Attest(digest); err != nil {
		t.Error(err)
	}
	// A signature makes no capture out of a still.
	evidence, err := session.Evidence()
	if err != nil || evidence.Capture != CaptureNone || evidence.Challenge.Status == "passed" {
		t.Errorf("%+v, %v", evidence, err)
	}
	decision, err := session.Verify(
		t.Context(), photo("specimen-obama.png"), With("min_capture", CaptureHostTime),
	)
	if err != nil || decision.Outcome == Accept ||
		!bytes.Contains(decision.JSON, []byte(`"capture-level"`)) {
		t.Errorf("%+v, %v", decision, err)
	}
	if _, err := session.NextStep(0); !errors.Is(err, ErrUsage) {
		t.Errorf("time that goes back: %v", err)
	}
	if err := session.BeginChallenge(0); !errors.Is(err, ErrUsage) {
		t.Errorf("begun on two clocks: %v", err)
	}
}

func TestSessionBadInput(t *testing.T) {
	session := open(t)
	good := photo("obama2.jpg")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	closed := open(t)
	closed.Close()
	push := func(s *Session, ctx context.Context, frame []byte, at time.Duration) func() error {
		return func() error { _, err := s.Push(ctx, frame, at); return err }
	}
	verify := func(ctx context.Context, document []byte, options ...Option) func() error {
		return func() error { _, err := session.Verify(ctx, document, options...); return err }
	}
	begin := func(at time.Duration) func() error {
		return func() error { return session.BeginChallenge(at) }
	}
	for name, test := range map[string]struct {
		call func() error
		is   error
		part string
	}{
		"cut frame":        {push(session, t.Context(), good[:99], 0), ErrInput, "frame: "},
		"negative time":    {push(session, t.Context(), good, -1), ErrUsage, "at: "},
		"negative begin":   {begin(-1), ErrUsage, "at: "},
		"no challenge":     {begin(0), ErrUsage, "challenge"},
		"cancelled push":   {push(session, cancelled, good, 0), context.Canceled, ""},
		"cancelled verify": {verify(cancelled, good), context.Canceled, ""},
		"cut document":     {verify(t.Context(), good[:99]), ErrInput, "document: "},
		"unknown field":    {verify(t.Context(), good, With("far", 1)), ErrUsage, "policy: "},
		"push on closed":   {push(closed, t.Context(), good, 0), ErrClosed, ""},
		"no step": {func() error {
			_, err := session.NextStep(0)
			return err
		}, ErrUsage, "challenge"},
		"negative arrival": {func() error {
			_, err := session.PushArrival(t.Context(), good, 0, -1)
			return err
		}, ErrUsage, "at: "},
		"nil template": {func() error {
			_, err := session.VerifyTemplate(t.Context(), nil)
			return err
		}, ErrUsage, "reference: "},
		"evidence of closed": {func() error {
			_, err := closed.Evidence()
			return err
		}, ErrClosed, ""},
	} {
		if err := test.call(); !errors.Is(err, test.is) ||
			!strings.Contains(err.Error(), test.part) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSessionsAreIndependent(t *testing.T) {
	frame := photo("obama2.jpg")
	record := func() []byte {
		session, err := engine.NewSession()
		if err != nil {
			t.Error(err)
			return nil
		}
		defer session.Close()
		for i := range 3 {
			at := time.Duration(i) * 250 * time.Millisecond
			if _, err := session.Push(t.Context(), frame, at); err != nil {
				t.Error(err)
			}
		}
		evidence, err := session.Evidence()
		if err != nil {
			t.Error(err)
			return nil
		}
		return evidence.JSON
	}
	expected := record()
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			if got := record(); !bytes.Equal(got, expected) {
				t.Errorf("%s, alone %s", got, expected)
			}
		}()
	}
	group.Wait()
}

// One session is used by one goroutine at a time; several wait for each other and break nothing.
func TestSessionTakesTurns(t *testing.T) {
	session := open(t)
	frame := photo("obama2.jpg")
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			if _, err := session.Push(t.Context(), frame, 0); err != nil {
				t.Error(err)
			}
			if _, err := session.Evidence(); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	if evidence, err := session.Evidence(); err != nil || evidence.Frames != 4 {
		t.Errorf("%+v, %v", evidence, err)
	}
}

func TestSessionOutlivesTheEngine(t *testing.T) {
	mine, err := Open(place("VULTUS_PACK", "../../build/pack"))
	if err != nil {
		t.Fatal(err)
	}
	session, err := mine.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	mine.Close()
	if g := push(t, session, photo("obama2.jpg"), 1); g.Face == nil {
		t.Errorf("%+v", g)
	}
	if _, err := mine.NewSession(); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}
