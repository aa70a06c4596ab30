// Package face is the engine as this service uses it: bursts of frames in, judgements out, and a
// search over all who are enrolled. Pictures live only as long as a call.
package face

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg" // the size of a frame
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"time"

	vultus "github.com/vultus/vultus/ffi/go"
)

// Engine is a loaded model pack.
type Engine struct {
	vultus *vultus.Engine
	policy []vultus.Option
	models []Model
}

// Model is a file of the pack, as receipts name it.
type Model struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// Open loads a pack. The policy is laid over the engine's own default; what it does not know is an
// error here, not later.
func Open(pack string, policy map[string]any) (*Engine, error) {
	engine, err := vultus.Open(pack)
	if err != nil {
		return nil, err
	}
	e := &Engine{vultus: engine}
	for name, value := range policy {
		e.policy = append(e.policy, vultus.With(name, value))
	}
	if e.models, err = hashes(pack); err != nil {
		engine.Close()
		return nil, err
	}
	if err := e.check(); err != nil {
		engine.Close()
		return nil, fmt.Errorf("policy: engine: %w", err)
	}
	return e, nil
}

// Close frees the engine when its calls have ended.
func (e *Engine) Close() error { return e.vultus.Close() }

// Models returns the files of the pack with their hashes.
func (e *Engine) Models() []Model { return e.models }

func hashes(pack string) ([]Model, error) {
	files, err := os.ReadDir(pack)
	if err != nil {
		return nil, err
	}
	var models []Model
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(pack, file.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		models = append(models, Model{file.Name(), hex.EncodeToString(sum[:])})
	}
	return models, nil
}

// Frame is one picture of a burst.
type Frame struct {
	File []byte
	At   time.Duration // on the clock of the capture
}

// Burst is what the camera gave after a challenge.
type Burst struct {
	Nonce  []byte
	Kinds  []string
	Began  time.Duration // when the first step of the challenge was shown
	Frames []Frame
}

// Judgement is what the engine says of a burst.
type Judgement struct {
	Outcome  vultus.Outcome
	Reasons  []vultus.Reason
	Match    *vultus.Comparison
	Evidence []json.RawMessage // the decisions, whole; no template, no picture
	Template []byte            // of the burst; nil without a face
	Live     bool              // a challenge was asked and passed
	Unusual  bool              // the frames are accepted, but of medium risk
	Time     time.Duration     // in the engine
}

// Guidance tells a person what to do now.
type Guidance struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Face *Box   `json:"face"`
}

// Box is a share of the picture, from its upper left corner.
type Box struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Reference is what a burst is judged against: a document, an enrolled template, or both.
type Reference struct {
	Document []byte
	Template []byte
}

// kinds are the challenges by the names of the policy.
var kinds = map[string]vultus.ChallengeKind{
	"flash":     vultus.ChallengeFlash,
	"head-turn": vultus.ChallengeHeadTurn,
	"blink":     vultus.ChallengeBlink,
}

// challenge derives what is asked from a nonce; nil when nothing is.
func challenge(nonce []byte, names []string) (*vultus.Challenge, error) {
	if len(names) == 0 {
		return nil, nil
	}
	asked := make([]vultus.ChallengeKind, len(names))
	for i, name := range names {
		asked[i] = kinds[name]
	}
	return vultus.NewChallenge(nonce, asked...)
}

// Challenge returns the script for a nonce, null when nothing is asked.
func (e *Engine) Challenge(nonce []byte, names []string) (json.RawMessage, error) {
	c, err := challenge(nonce, names)
	if err != nil || c == nil {
		return nil, err
	}
	return c.JSON, nil
}

// Judge decides whether the burst shows a real person before a real camera, and the one of the
// reference.
func (e *Engine) Judge(ctx context.Context, burst Burst, reference Reference) (*Judgement, error) {
	start := time.Now()
	session, err := e.watch(ctx, burst)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	j := &Judgement{Outcome: vultus.Accept}
	if reference.Document != nil {
		if err := j.add(session.Verify(ctx, reference.Document, e.policy...)); err != nil {
			return nil, err
		}
	}
	if reference.Template != nil {
		template, err := e.vultus.ReadTemplate(reference.Template)
		if err != nil {
			return nil, err
		}
		defer template.Close()
		if err := j.add(session.VerifyTemplate(ctx, template, e.policy...)); err != nil {
			return nil, err
		}
	}
	evidence, err := session.Evidence()
	if err != nil {
		return nil, err
	}
	j.Live, j.Unusual = evidence.Challenge.Status == "passed", evidence.Risk == vultus.Medium
	template, err := session.Template()
	if err != nil {
		return nil, err
	}
	if template != nil {
		defer template.Close()
		if j.Template, err = template.Bytes(); err != nil {
			return nil, err
		}
	}
	j.Time = time.Since(start)
	return j, nil
}

// watch opens a session and shows it the burst.
func (e *Engine) watch(ctx context.Context, burst Burst) (*vultus.Session, error) {
	asked, err := challenge(burst.Nonce, burst.Kinds)
	if err != nil {
		return nil, err
	}
	var options []vultus.SessionOption
	if asked != nil {
		options = append(options, vultus.WithChallenge(asked))
	}
	session, err := e.vultus.NewSession(options...)
	if err != nil {
		return nil, err
	}
	if asked != nil {
		err = session.BeginChallenge(burst.Began)
	}
	for _, frame := range burst.Frames {
		if err == nil {
			_, err = session.Push(ctx, frame.File, frame.At)
		}
	}
	if err != nil {
		session.Close()
		return nil, err
	}
	return session, nil
}

// add takes a decision in: the outcome is the worst of all, and only what is decisive or new is
// told.
func (j *Judgement) add(decision *vultus.Decision, err error) error {
	if err != nil {
		return err
	}
	if severity[decision.Outcome] > severity[j.Outcome] {
		j.Outcome = decision.Outcome
	}
	for _, reason := range decision.Reasons {
		if !slices.Contains(j.Reasons, reason) {
			j.Reasons = append(j.Reasons, reason)
		}
	}
	j.Evidence = append(j.Evidence, decision.JSON)
	if decision.Comparison != nil {
		j.Match = decision.Comparison
	}
	return nil
}

var severity = map[vultus.Outcome]int{vultus.Accept: 0, vultus.Inconclusive: 1, vultus.Reject: 2}

// Guide looks at one picture of a person, or at a document.
func (e *Engine) Guide(ctx context.Context, file []byte, role vultus.Role) (*Guidance, error) {
	if role == vultus.Document {
		return e.guideDocument(ctx, file)
	}
	session, err := e.vultus.NewSession()
	if err != nil {
		return nil, err
	}
	defer session.Close()
	seen, err := session.Push(ctx, file, 0)
	if err != nil {
		return nil, err
	}
	guidance := &Guidance{Code: string(seen.Code), Text: seen.Text}
	if size, _, err := image.DecodeConfig(bytes.NewReader(file)); err == nil && seen.Face != nil {
		width, height := float64(size.Width), float64(size.Height)
		guidance.Face = &Box{
			float64(seen.Face.X) / width,
			float64(seen.Face.Y) / height,
			float64(seen.Face.Width) / width,
			float64(seen.Face.Height) / height,
		}
	}
	return guidance, nil
}

func (e *Engine) guideDocument(ctx context.Context, file []byte) (*Guidance, error) {
	enrolment, err := e.vultus.Enrol(ctx, file, vultus.Document)
	if err != nil {
		return nil, err
	}
	if enrolment.Template == nil {
		return &Guidance{
			Code: "no-face",
			Text: "No portrait is seen. Fill the picture with the side of the document that has " +
				"it.",
		}, nil
	}
	defer enrolment.Template.Close()
	return &Guidance{Code: "ready", Text: "The portrait is seen."}, nil
}

//go:embed blank.png
var blank []byte

// check runs an empty picture through the policy, so that a wrong policy is found at the start.
func (e *Engine) check() error {
	_, err := e.vultus.Verify(context.Background(), blank, blank, e.policy...)
	return err
}
