package vultus

import (
	"encoding/json"
	"time"
)

// Outcome is what was decided. There is no boolean: a doubt is its own answer.
type Outcome string

// The outcomes of a Decision.
const (
	Accept       Outcome = "accept"       // a real and the right person, as far as was looked
	Reject       Outcome = "reject"       // another person, or no bona fide one
	Inconclusive Outcome = "inconclusive" // it cannot be said; the reasons tell what to do better
)

// How a part of the evidence was assessed.
const (
	Assessed    = "yes"          // it was looked at, and this is what was found
	NotAsked    = "not-asked"    // nobody asked for it
	NotPossible = "not-possible" // it was to be looked at and could not be
)

// Assessment says whether a part of the evidence was looked at, and why not.
type Assessment struct {
	Assessed string   `json:"assessed"` // Assessed, NotAsked or NotPossible
	Reason   Obstacle `json:"reason"`   // why it was not possible, for machines; empty otherwise
	Text     string   `json:"text"`     // for people
}

// Role is what a picture is in a transaction.
type Role string

// The roles of a picture.
const (
	Selfie   Role = "selfie"   // the live face: the probe
	Document Role = "document" // the reference picture, as of an identity document
)

// Reason is one reason for an outcome.
type Reason struct {
	Code   ReasonCode `json:"code"`   // for machines, and stable: "non-match"
	Effect Effect     `json:"effect"` // what it does to the outcome
	Role   Role       `json:"role"`   // the picture that it is about; empty for the transaction
	Text   string     `json:"text"`   // for people
}

// OperatingPoint is a threshold with the false match rate that was observed at it.
type OperatingPoint struct {
	FMR         float64    `json:"fmr"`          // false match rate asked for
	FMRInterval [2]float64 `json:"fmr_interval"` // its 95 % confidence interval at the threshold
	Threshold   float32    `json:"threshold"`    // scores from here on are matches
	NonMated    uint64     `json:"non_mated"`    // non-mated comparisons behind it
}

// Comparison says how alike a probe and a reference are, and what that is worth.
type Comparison struct {
	Match          bool           `json:"match"`           // whether the score reaches the threshold
	Score          float32        `json:"score"`           // -1 to 1; larger means more alike
	OperatingPoint OperatingPoint `json:"operating_point"` // the one that the policy asked for
}

// Decision is the answer to one transaction.
type Decision struct {
	Outcome    Outcome     `json:"outcome"`
	Reasons    []Reason    `json:"reasons"` // the decisive ones first
	Comparison *Comparison `json:"-"`       // nil when a face was missing
	// JSON is all evidence, the same bytes as in every other language.
	JSON json.RawMessage `json:"-"`
	// Stages say where the time went, in no promised order; decoding is not among them.
	Stages []Stage `json:"-"`
}

// Stage is a step of the pipeline, such as "embed", and the time that it took over both pictures
// and all threads.
type Stage struct {
	Name string
	Took time.Duration
}

func readDecision(text string, stages []Stage) (*Decision, error) {
	decision := &Decision{JSON: json.RawMessage(text), Stages: stages}
	var compared struct {
		Comparison struct {
			Assessment
			Comparison
		} `json:"comparison"`
	}
	for _, into := range []any{decision, &compared} {
		if err := json.Unmarshal(decision.JSON, into); err != nil {
			return nil, &Error{ErrInternal, "interface", "the decision cannot be read: " + err.Error()}
		}
	}
	if compared.Comparison.Assessed == Assessed {
		decision.Comparison = &compared.Comparison.Comparison
	}
	return decision, nil
}
