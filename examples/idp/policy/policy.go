// Package policy is what an operator decides, as data. Its digest stands in every receipt.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Duration reads and writes "90s" or "24h".
type Duration time.Duration

// Std returns the duration of package time.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// MarshalText writes it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err == nil && parsed < 0 {
		err = fmt.Errorf("%s is negative", text)
	}
	*d = Duration(parsed)
	return err
}

// Level is one value of the claim acr: what was checked, and how long ago at most.
type Level struct {
	Name string `json:"name"`
	// FaceWithin: a live face, against the document or the enrolled template.
	FaceWithin Duration `json:"face_within"`
	// DocumentWithin: a document with it; 0: the one of the enrolment is enough.
	DocumentWithin Duration `json:"document_within"`
}

// Reached tells whether checks at these moments are good enough for the level.
func (l *Level) Reached(face, document, now time.Time) bool {
	return now.Sub(face) <= l.FaceWithin.Std() && l.documentHolds(document, now)
}

// NeedsDocument tells whether a document must be looked at to reach the level.
func (l *Level) NeedsDocument(document, now time.Time) bool {
	return !l.documentHolds(document, now)
}

func (l *Level) documentHolds(document, now time.Time) bool {
	return l.DocumentWithin == 0 || now.Sub(document) <= l.DocumentWithin.Std()
}

// Policy is the whole of it.
type Policy struct {
	// What the engine's decision must hold to, laid over the engine's own default: "fmr", "pad",
	// "sequence", ...
	Engine map[string]any `json:"engine"`

	// Levels from the weakest to the strongest. A request without acr_values gets the first.
	Levels []Level `json:"levels"`

	Challenge struct {
		// Kinds are of flash, head-turn and blink, which is asked alone; empty: none is asked.
		Kinds []string `json:"kinds"`
		// Optional are those that a person may leave out, for photosensitivity or reduced motion.
		Optional []string `json:"optional"`
		Window   Duration `json:"window"` // the frames must come within it
	} `json:"challenge"`

	Transaction Duration `json:"transaction"` // the whole of it must be done within
	Attempts    struct {
		PerTransaction int      `json:"per_transaction"`
		Free           int      `json:"free"`        // so many failures of an address have no delay
		FirstDelay     Duration `json:"first_delay"` // doubled with each failure after
		MostDelay      Duration `json:"most_delay"`
		// MostFailures in a row; then only an administrator can help (NIST SP 800-63B).
		MostFailures int `json:"most_failures"`
	} `json:"attempts"`

	Session Duration `json:"session"` // single sign-on lasts so long
	Access  Duration `json:"access"`  // an access token and an ID token are good for so long
	Refresh struct {
		Lifetime Duration `json:"lifetime"`
		// Without a check within this time, or with a higher risk, a refresh token is refused: the person
		// must come back.
		VerifiedWithin Duration `json:"verified_within"`
		MostRisk       string   `json:"most_risk"`
	} `json:"refresh"`

	Duplicate struct {
		// FPIR: false positive identification rate of the search over all who are enrolled.
		FPIR   float64 `json:"fpir"`
		Action string  `json:"action"` // refuse, flag or ignore
	} `json:"duplicate"`

	Risk Risk `json:"risk"`

	Retention struct {
		// Idle: users, with their templates, are deleted when they did not come for so long.
		Idle     Duration `json:"idle"`
		Receipts Duration `json:"receipts"` // receipts and the audit log are deleted after
		Inputs   Duration `json:"inputs"`   // hashes of judged pictures are kept for so long
	} `json:"retention"`
}

// Risk says how the findings add up to a score of 0 to 100, and which scores are which level.
type Risk struct {
	Medium  int            `json:"medium"` // scores from here on are MEDIUM
	High    int            `json:"high"`   // and from here on HIGH
	Weights map[string]int `json:"weights"`
	Stale   Duration       `json:"stale"` // a check older than this is a finding
	// At HIGH all sessions of the user end.
	RevokeAtHigh bool `json:"revoke_at_high"`
}

// Default returns what is asked when nothing is configured.
func Default() *Policy {
	p := new(Policy)
	p.Engine = map[string]any{"fmr": 1e-4, "pad": "require"}
	p.Levels = []Level{
		{Name: "urn:vultus:acr:face", FaceWithin: Duration(12 * time.Hour)},
		{
			Name:           "urn:vultus:acr:document",
			FaceWithin:     Duration(12 * time.Hour),
			DocumentWithin: Duration(30 * 24 * time.Hour),
		},
	}
	p.Challenge.Kinds = []string{"flash", "head-turn"}
	p.Challenge.Optional = []string{"flash"}
	p.Challenge.Window = Duration(time.Minute)
	p.Transaction = Duration(15 * time.Minute)
	p.Attempts.PerTransaction = 5
	p.Attempts.Free = 2
	p.Attempts.FirstDelay = Duration(5 * time.Second)
	p.Attempts.MostDelay = Duration(time.Hour)
	p.Attempts.MostFailures = 100
	p.Session = Duration(12 * time.Hour)
	p.Access = Duration(10 * time.Minute)
	p.Refresh.Lifetime = Duration(7 * 24 * time.Hour)
	p.Refresh.VerifiedWithin = Duration(24 * time.Hour)
	p.Refresh.MostRisk = "MEDIUM"
	p.Duplicate.FPIR = 0.01
	p.Duplicate.Action = "refuse"
	p.Risk = Risk{
		Medium: 30, High: 60, Stale: Duration(30 * 24 * time.Hour), RevokeAtHigh: true,
		Weights: map[string]int{
			"thin-margin": 15, "failed-attempts": 20, "attack-attempts": 40, "new-device": 15, "stale": 20,
			"duplicate": 60, "sequence-medium": 20, "reported": 70,
		},
	}
	p.Retention.Idle = Duration(365 * 24 * time.Hour)
	p.Retention.Receipts = Duration(2 * 365 * 24 * time.Hour)
	p.Retention.Inputs = Duration(90 * 24 * time.Hour)
	return p
}

// Level returns the level of a score.
func (r *Risk) Level(score int) string {
	switch {
	case score >= r.High:
		return "HIGH"
	case score >= r.Medium:
		return "MEDIUM"
	default:
		return "LOW"
	}
}

// Levels of risk, the lowest first.
var riskLevels = []string{"LOW", "MEDIUM", "HIGH"}

// RiskIsOver tells whether a level of risk is higher than the highest that is allowed.
func RiskIsOver(level, most string) bool {
	return slices.Index(riskLevels, level) > slices.Index(riskLevels, most)
}

// Validate tells what is wrong.
func (p *Policy) Validate() error {
	switch {
	case len(p.Levels) == 0:
		return errors.New("policy: levels is empty")
	case !slices.Contains([]string{"refuse", "flag", "ignore"}, p.Duplicate.Action):
		return fmt.Errorf(
			"policy: duplicate.action is %q, allowed are refuse, flag and ignore",
			p.Duplicate.Action,
		)
	case !slices.Contains(riskLevels, p.Refresh.MostRisk):
		return fmt.Errorf(
			"policy: refresh.most_risk is %q, allowed are LOW, MEDIUM and HIGH",
			p.Refresh.MostRisk,
		)
	case p.Attempts.PerTransaction < 1:
		return errors.New("policy: attempts.per_transaction must be 1 at least")
	case p.Risk.Medium > p.Risk.High:
		return errors.New("policy: risk.medium is above risk.high")
	}
	for _, kind := range append(slices.Clone(p.Challenge.Kinds), p.Challenge.Optional...) {
		if !slices.Contains([]string{"flash", "head-turn", "blink"}, kind) {
			return fmt.Errorf(
				"policy: challenge %q is unknown, allowed are flash, head-turn and blink",
				kind,
			)
		}
	}
	// A selfie has too few frames to show blinks beside colours: such a challenge would never be met.
	if slices.Contains(p.Challenge.Kinds, "blink") && slices.Contains(p.Challenge.Kinds, "flash") {
		return errors.New(
			"policy: challenge blink cannot be asked together with flash; ask it alone",
		)
	}
	return nil
}

// Digest names the policy in receipts.
func (p *Policy) Digest() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // it was read from JSON
	}
	sum := sha256.Sum256(text)
	return "sha-256:" + hex.EncodeToString(sum[:])
}

// Level returns the level with a name, or nil.
func (p *Policy) Level(name string) *Level {
	for i := range p.Levels {
		if p.Levels[i].Name == name {
			return &p.Levels[i]
		}
	}
	return nil
}

// Strongest returns the name of the strongest level that checks at these moments reach; empty when
// none.
func (p *Policy) Strongest(face, document, now time.Time) string {
	for _, level := range slices.Backward(p.Levels) {
		if level.Reached(face, document, now) {
			return level.Name
		}
	}
	return ""
}

// Asked returns the level for acr_values, of which the first known one counts.
func (p *Policy) Asked(values []string) *Level {
	for _, name := range values {
		if level := p.Level(name); level != nil {
			return level
		}
	}
	return &p.Levels[0]
}

// Delay returns how long an address must wait after so many failures in a row.
func (p *Policy) Delay(failures int) time.Duration {
	delay := p.Attempts.FirstDelay.Std()
	for range failures - p.Attempts.Free - 1 {
		if delay *= 2; delay >= p.Attempts.MostDelay.Std() {
			return p.Attempts.MostDelay.Std()
		}
	}
	if failures <= p.Attempts.Free {
		return 0
	}
	return delay
}
