package vultus

// #include <vultus.h>
import "C"

import (
	"context"
	"encoding/json"
	"time"
	"unsafe"
)

// ChallengeKind is what can be asked of the person or shown on the screen.
type ChallengeKind uint32

// The kinds of a Challenge.
const (
	ChallengeFlash    ChallengeKind = C.VULTUS_CHALLENGE_FLASH     // colours on the screen, looked for on the face
	ChallengeHeadTurn ChallengeKind = C.VULTUS_CHALLENGE_HEAD_TURN // the head is turned to a side
	ChallengeBlink    ChallengeKind = C.VULTUS_CHALLENGE_BLINK     // the eyes are closed and opened; needs the pack's network of the eyes and 8 frames a second, else it is not assessable
)

// Challenge is what is asked of the person during a session.
type Challenge struct {
	JSON   json.RawMessage // the steps, for the page or app that records; the nonce is not in it
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
	if err := taken(C.vultus_challenge_new(start(nonce), C.size_t(len(nonce)), C.uint32_t(sum), &challenge, &cause), cause); err != nil {
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
	guidance := Guidance{
		Code:   guidanceCodes[g.code],
		Text:   C.GoString(C.vultus_guidance_text(g.code)),
		Frames: int(g.frames),
	}
	if g.has_face != 0 {
		guidance.Face = &Rect{float32(g.x), float32(g.y), float32(g.width), float32(g.height)}
	}
	return guidance, nil
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
	Score    *float32 `json:"score"`    // 0 to 1, larger is more suspicious; nil unless it was assessed
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
	Status string `json:"status"` // "passed" or "failed"; empty unless it was assessed
}

// Evidence is what the frames of a session tell.
type Evidence struct {
	Risk           Risk              `json:"risk"` // the higher of the two channels; empty when nothing can be said
	Text           string            `json:"text"` // for people
	Frames         int               `json:"frames"`
	DistinctFrames int               `json:"distinct_frames"` // how many different ones they were
	DurationMS     int               `json:"duration_ms"`
	Deepfake       ChannelEvidence   `json:"deepfake"`  // whether the face was made or changed
	Injection      ChannelEvidence   `json:"injection"` // whether the frames came from a camera
	Challenge      ChallengeEvidence `json:"challenge"` // how the challenge went
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
