package vultus

// #include <vultus.h>
import "C"

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
	"unsafe"
)

// ChallengeKind is what can be asked of the person or shown on the screen.
type ChallengeKind uint32

// The kinds of a Challenge.
const (
	// ChallengeFlash shows colours on the screen, and looks for them on the face.
	ChallengeFlash ChallengeKind = C.VULTUS_CHALLENGE_FLASH
	// ChallengeHeadTurn has the head turned to a side.
	ChallengeHeadTurn ChallengeKind = C.VULTUS_CHALLENGE_HEAD_TURN
	// ChallengeBlink has the eyes closed and opened. It needs the pack's network of the eyes and 8
	// frames a second, else it is not assessable.
	ChallengeBlink ChallengeKind = C.VULTUS_CHALLENGE_BLINK
	// ChallengeHeadMoves has the head turned and nodded in a drawn order, which is as hard to
	// foresee as the flashes.
	ChallengeHeadMoves ChallengeKind = C.VULTUS_CHALLENGE_HEAD_MOVES
)

var challengeKinds = map[ChallengeKind]string{
	ChallengeFlash:     "flash",
	ChallengeHeadTurn:  "head-turn",
	ChallengeBlink:     "blink",
	ChallengeHeadMoves: "head-moves",
}

// String returns the kind's name, as in JSON; empty for what is no kind.
func (k ChallengeKind) String() string { return challengeKinds[k] }

// Challenge is what is asked of the person during a session.
type Challenge struct {
	// JSON holds all steps, for the page or app that records; the nonce is not in it. Who has it can
	// prepare the answer to the later steps: Session.NextStep gives each out when it is due.
	JSON   json.RawMessage
	handle handle
}

// NewChallenge derives a challenge from a nonce of 16 to 64 unpredictable bytes, which is used
// once. The kinds are asked in the order of their constants. Equal nonces and kinds give equal
// challenges, so that a server need only keep the nonce.
func NewChallenge(nonce []byte, kinds ...ChallengeKind) (*Challenge, error) {
	var sum ChallengeKind
	for _, kind := range kinds {
		sum |= kind
	}
	var challenge *C.vultus_challenge
	var cause *C.vultus_error
	status := C.vultus_challenge_new(
		start(nonce), C.size_t(len(nonce)), C.uint32_t(sum), &challenge, &cause,
	)
	if err := taken(status, cause); err != nil {
		return nil, err
	}
	c := &Challenge{JSON: json.RawMessage(C.GoString(C.vultus_challenge_json(challenge)))}
	c.handle.own(
		unsafe.Pointer(challenge),
		func(p unsafe.Pointer) { C.vultus_challenge_free((*C.vultus_challenge)(p)) },
	)
	return c, nil
}

// SessionOption changes how a session is opened.
type SessionOption func(*sessionOptions)

type sessionOptions struct {
	challenge *Challenge
}

// WithChallenge asks something of the person.
func WithChallenge(challenge *Challenge) SessionOption {
	return func(o *sessionOptions) { o.challenge = challenge }
}

// Session takes the frames of one capture, in the order in which they came. It keeps no pixels but
// the face's luminance of the last 0.15 s, which is wiped, and its memory does not grow with their
// number. Calls from several goroutines wait for each other.
type Session struct {
	handle handle
}

// NewSession opens a session, which keeps the models alive after the engine is closed.
func (e *Engine) NewSession(options ...SessionOption) (*Session, error) {
	var given sessionOptions
	for _, option := range options {
		option(&given)
	}
	c := begin(context.Background())
	defer c.end()
	engine := c.engine(e)
	var challenge *C.vultus_challenge
	if given.challenge != nil {
		challenge = (*C.vultus_challenge)(c.object(&given.challenge.handle))
	}
	var session *C.vultus_session
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_new(engine, challenge, &session, cause)
	}); err != nil {
		return nil, err
	}
	s := new(Session)
	s.handle.own(
		unsafe.Pointer(session),
		func(p unsafe.Pointer) { C.vultus_session_free((*C.vultus_session)(p)) },
	)
	return s, nil
}

// Close frees the session. Closing twice is allowed.
func (s *Session) Close() error {
	return s.handle.close()
}

// GuidanceCode is what to tell the person, for machines; stable.
type GuidanceCode string

// The codes of Guidance.
const (
	Ready          GuidanceCode = "ready"
	NoFace         GuidanceCode = "no-face"
	SeveralFaces   GuidanceCode = "several-faces"
	ComeCloser     GuidanceCode = "come-closer"
	MoveBack       GuidanceCode = "move-back"
	CentreFace     GuidanceCode = "centre-face"
	LookAhead      GuidanceCode = "look-ahead"
	TurnToTheLight GuidanceCode = "turn-to-the-light"
	TooBright      GuidanceCode = "too-bright"
	HoldStill      GuidanceCode = "hold-still"
)

var guidanceCodes = map[C.int32_t]GuidanceCode{
	C.VULTUS_GUIDANCE_READY:             Ready,
	C.VULTUS_GUIDANCE_NO_FACE:           NoFace,
	C.VULTUS_GUIDANCE_SEVERAL_FACES:     SeveralFaces,
	C.VULTUS_GUIDANCE_COME_CLOSER:       ComeCloser,
	C.VULTUS_GUIDANCE_MOVE_BACK:         MoveBack,
	C.VULTUS_GUIDANCE_CENTRE_FACE:       CentreFace,
	C.VULTUS_GUIDANCE_LOOK_AHEAD:        LookAhead,
	C.VULTUS_GUIDANCE_TURN_TO_THE_LIGHT: TurnToTheLight,
	C.VULTUS_GUIDANCE_TOO_BRIGHT:        TooBright,
	C.VULTUS_GUIDANCE_HOLD_STILL:        HoldStill,
}

// Rect is a box in pixels, from its upper left corner; it may reach beyond the picture.
type Rect struct {
	X      float32 `json:"x"`
	Y      float32 `json:"y"`
	Width  float32 `json:"width"`
	Height float32 `json:"height"`
}

// Guidance is what to tell the person now.
type Guidance struct {
	Code   GuidanceCode // for machines
	Text   string       // for the person
	Face   *Rect        // the box around the landmarks; nil when no face was found
	Frames int          // frames so far that nothing was wrong with
}

// Push takes a frame, which is a JPEG, PNG or WebP file and not mirrored. Push each picture of the
// camera once, with its own time of capture: one that is pushed again is evidence of an injected
// stream. The time is that of the capture's clock, as it comes: one that repeats or goes backward
// is evidence, not an error.
func (s *Session) Push(ctx context.Context, frame []byte, at time.Duration) (Guidance, error) {
	c := begin(ctx)
	defer c.end()
	session, us, image := c.session(s), c.microseconds(at), c.picture("frame", frame)
	g := C.vultus_guidance{struct_size: C.sizeof_vultus_guidance}
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_push(session, image, us, &g, cause)
	}); err != nil {
		return Guidance{}, err
	}
	return guidance(&g), nil
}

func guidance(g *C.vultus_guidance) Guidance {
	told := Guidance{
		Code:   guidanceCodes[g.code],
		Text:   C.GoString(C.vultus_guidance_text(g.code)),
		Frames: int(g.frames),
	}
	if g.has_face != 0 {
		told.Face = &Rect{float32(g.x), float32(g.y), float32(g.width), float32(g.height)}
	}
	return told
}

// BeginChallenge tells when, on the clock of the frames, the first step of the challenge was shown.
// ErrUsage without a challenge, or when it has begun already.
func (s *Session) BeginChallenge(at time.Duration) error {
	c := begin(context.Background())
	defer c.end()
	session, us := c.session(s), c.microseconds(at)
	return c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_begin_challenge(session, us, cause)
	})
}

// PushArrival is Push for a frame that came from elsewhere: arrived is when the whole frame was
// here, on the clock of NextStep. The frame's SHA-256 goes into what AttestationDigest returns.
func (s *Session) PushArrival(
	ctx context.Context,
	frame []byte,
	captured, arrived time.Duration,
) (Guidance, error) {
	c := begin(ctx)
	defer c.end()
	session, image := c.session(s), c.picture("frame", frame)
	arrival := C.vultus_arrival{
		struct_size: C.sizeof_vultus_arrival,
		captured_us: c.microseconds(captured),
		arrived_us:  c.microseconds(arrived),
		has_arrived: 1,
		has_sha256:  1,
	}
	for i, b := range sha256.Sum256(frame) {
		arrival.sha256[i] = C.uint8_t(b)
	}
	g := C.vultus_guidance{struct_size: C.sizeof_vultus_guidance}
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_push_arrival(session, image, &arrival, &g, cause)
	}); err != nil {
		return Guidance{}, err
	}
	return guidance(&g), nil
}

// Step is one thing to show or to ask.
type Step struct {
	Kind       string `json:"kind"`
	DurationMS int    `json:"duration_ms"`
	Colour     string `json:"colour,omitempty"`  // of flashes: the screen's, #rrggbb
	Towards    string `json:"towards,omitempty"` // of moves of the head: left, right, up, down
	Times      int    `json:"times,omitempty"`   // of blinks: how often both eyes are shut
}

var directions = map[C.int32_t]string{
	C.VULTUS_DIRECTION_LEFT:  "left",
	C.VULTUS_DIRECTION_RIGHT: "right",
	C.VULTUS_DIRECTION_UP:    "up",
	C.VULTUS_DIRECTION_DOWN:  "down",
}

// NextStep is the step of a challenge that is due.
type NextStep struct {
	Step   *Step         // what to show now; nil when nothing new is due
	Wait   time.Duration // in how long to ask again
	IsOver bool          // whether all was shown and the time to answer has passed
}

// NextStep gives out the step of the challenge that is due at a time of the host's own clock, which
// must not go back; the first call begins the challenge. Show it at once, and push each frame by
// PushArrival on the same clock: the later steps stay here, so that whoever sends the frames cannot
// prepare the answer. ErrUsage without a challenge, after BeginChallenge, or when the time goes
// back.
func (s *Session) NextStep(host time.Duration) (NextStep, error) {
	c := begin(context.Background())
	defer c.end()
	session, us := c.session(s), c.microseconds(host)
	n := C.vultus_next_step{struct_size: C.sizeof_vultus_next_step}
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_next_step(session, us, &n, cause)
	}); err != nil {
		return NextStep{}, err
	}
	next := NextStep{
		Wait:   time.Duration(n.wait_ms) * time.Millisecond,
		IsOver: n.is_over != 0,
	}
	if n.kind != 0 {
		next.Step = &Step{
			Kind:       ChallengeKind(n.kind).String(),
			DurationMS: int(n.duration_ms),
			Towards:    directions[n.direction],
			Times:      int(n.times),
		}
		if ChallengeKind(n.kind) == ChallengeFlash {
			next.Step.Colour = fmt.Sprintf("#%06x", uint32(n.colour))
		}
	}
	return next, nil
}

// AttestationDigest returns what the capturing device has to sign: SHA-256 over "vultus capture 1",
// the SHA-256 of the nonce, and that of every frame in the order of PushArrival. ErrUsage without a
// challenge, or after a frame of Push.
func (s *Session) AttestationDigest() (digest [32]byte, err error) {
	c := begin(context.Background())
	defer c.end()
	session := c.session(s)
	err = c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_attestation_digest(session, start(digest[:]), cause)
	})
	return digest, err
}

// Attest tells that the caller checked a signature of the capturing device, whose key it trusts,
// over the digest. It holds for the frames so far; one more takes it back. ErrUsage where it is not
// that of AttestationDigest.
func (s *Session) Attest(digest [32]byte) error {
	c := begin(context.Background())
	defer c.end()
	session := c.session(s)
	return c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_attest(session, start(digest[:]), cause)
	})
}

// Risk is how much frames speak for a deepfake or an injected stream; empty when nothing was
// assessed.
type Risk string

// The levels of Risk.
const (
	Low    Risk = "LOW"    // like bona fide material
	Medium Risk = "MEDIUM" // unusual for bona fide material
	High   Risk = "HIGH"   // hardly ever seen on bona fide material
)

// ChannelEvidence is what the signals of one channel amount to.
type ChannelEvidence struct {
	Assessment
	Risk     Risk     `json:"risk"`     // empty unless it was assessed
	Score    *float32 `json:"score"`    // 0 to 1, larger is more suspicious; nil unless assessed
	Coverage Coverage `json:"coverage"` // how much of the channel was looked at
}

// Coverage is how much of a channel was looked at, by frames that differ from each other.
type Coverage struct {
	Assessed float32 `json:"assessed"` // weight of the signals that could be assessed
	Of       float32 `json:"of"`       // weight of all
}

// ChallengeEvidence is how the challenge went.
type ChallengeEvidence struct {
	Assessment
	Status      ChallengeStatus `json:"status"`       // empty unless it was assessed
	EntropyBits float32         `json:"entropy_bits"` // below 20 a pass supports nothing
}

// CaptureLevel is how frames were captured, as far as it was proven; each holds those before it.
type CaptureLevel string

// The levels of a capture.
const (
	CaptureNone      CaptureLevel = "none"      // nothing was asked or passed, or it is weak
	CaptureChallenge CaptureLevel = "challenge" // a challenge passed, on the clock of the capture
	CaptureHostTime  CaptureLevel = "host-time" // and each step was given out when it was due
	CaptureAttested  CaptureLevel = "attested"  // and the capturing device signed nonce and frames
)

// Evidence is what the frames of a session tell.
type Evidence struct {
	Risk           Risk              `json:"risk"` // the higher of both; empty when nothing is known
	Text           string            `json:"text"` // for people
	Frames         int               `json:"frames"`
	DistinctFrames int               `json:"distinct_frames"` // how many different ones they were
	DurationMS     int               `json:"duration_ms"`
	Deepfake       ChannelEvidence   `json:"deepfake"`  // whether the face was made or changed
	Injection      ChannelEvidence   `json:"injection"` // whether the frames came from a camera
	Challenge      ChallengeEvidence `json:"challenge"` // how the challenge went
	Capture        CaptureLevel      `json:"capture"`   // how the frames were captured
	JSON           json.RawMessage   `json:"-"`         // all of it, with every signal
}

// Evidence returns what the frames so far tell, at any time.
func (s *Session) Evidence() (*Evidence, error) {
	c := begin(context.Background())
	defer c.end()
	session := c.session(s)
	var evidence *C.vultus_evidence
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_evidence(session, &evidence, cause)
	}); err != nil {
		return nil, err
	}
	defer C.vultus_evidence_free(evidence)
	read := &Evidence{JSON: json.RawMessage(C.GoString(C.vultus_evidence_json(evidence)))}
	if err := json.Unmarshal(read.JSON, read); err != nil {
		return nil, &Error{ErrInternal, "interface", "the evidence cannot be read: " + err.Error()}
	}
	return read, nil
}

// Template makes a reference of the best frames; nil when no frame held a face.
func (s *Session) Template() (*Template, error) {
	c := begin(context.Background())
	defer c.end()
	session := c.session(s)
	var template *C.vultus_template
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_template(session, &template, cause)
	}); err != nil || template == nil {
		return nil, err
	}
	return ownTemplate(template), nil
}

// Verify decides whether the person of the frames is that of the reference picture.
func (s *Session) Verify(
	ctx context.Context,
	document []byte,
	options ...Option,
) (*Decision, error) {
	c := begin(ctx)
	defer c.end()
	session, reference, policy := c.session(s), c.picture("document", document), c.policy(options)
	return c.decide(func(decision **C.vultus_decision, cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_verify(session, reference, policy, decision, cause)
	})
}

// VerifyTemplate decides whether the person of the frames is the one enrolled as reference.
func (s *Session) VerifyTemplate(
	ctx context.Context,
	reference *Template,
	options ...Option,
) (*Decision, error) {
	c := begin(ctx)
	defer c.end()
	session, stored, policy := c.session(s), c.template("reference", reference), c.policy(options)
	return c.decide(func(decision **C.vultus_decision, cause **C.vultus_error) C.vultus_status {
		return C.vultus_session_verify_template(session, stored, policy, decision, cause)
	})
}

func (c *call) microseconds(at time.Duration) C.uint64_t {
	if at < 0 {
		c.refuse("at: is %v, times are not negative", at)
	}
	return C.uint64_t(at.Microseconds())
}
