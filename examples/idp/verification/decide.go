package verification

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/vultus/vultus/examples/idp/assurance"
	"github.com/vultus/vultus/examples/idp/audit"
	"github.com/vultus/vultus/examples/idp/face"
	"github.com/vultus/vultus/examples/idp/keys"
	"github.com/vultus/vultus/examples/idp/receipt"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/vultus/vultus/examples/idp/user"
	vultus "github.com/vultus/vultus/ffi/go"
)

// attempt is a burst that was counted and is judged now.
type attempt struct {
	upload    *upload
	inputs    []receipt.Input
	user      *user.User // nil: nobody is enrolled with the address
	reference face.Reference
	number    int
}

// claim spends the nonce and counts the attempt, as failed until it is judged. A picture that was
// judged before is refused.
func (s *Service) claim(ctx context.Context, v visit, u *upload) (*attempt, error) {
	var a *attempt
	var refused error
	_, err := s.change(
		ctx,
		v,
		[]transaction.State{transaction.Capture},
		func(tx *sql.Tx, t *transaction.Transaction) error {
			a, refused = &attempt{upload: u, inputs: inputsOf(u)}, nil
			now := s.Now()
			throttle, err := loadThrottle(ctx, tx, t.Email)
			if err != nil {
				return err
			}
			if err := throttle.check(s.Policy, now); err != nil {
				return err
			}
			switch {
			case t.Nonce == nil || !bytes.Equal(t.Nonce, u.nonce):
				return errNonceUsed
			case now.After(t.NonceExpiresAt):
				return errNonceExpired
			case span(u.burst) > now.Sub(t.NonceIssuedAt):
				return fault(
					422,
					"frames",
					"restart-capture",
					"The frames span more time than has passed since the challenge.",
				)
			}
			u.burst.Nonce, u.burst.Kinds = t.Nonce, t.NonceKinds
			t.Nonce, t.NonceIssuedAt, t.NonceExpiresAt = nil, time.Time{}, time.Time{}
			t.Attempts++
			a.number = t.Attempts
			if err := countFailure(ctx, tx, t.Email, s.Policy, now); err != nil {
				return err
			}
			if replayed, err := s.remember(ctx, tx, a.inputs); err != nil {
				return err
			} else if replayed {
				refused = errReplay
				if t.Attempts >= s.Policy.Attempts.PerTransaction {
					t.State = transaction.Refused
				}
				return audit.Write(ctx, tx, audit.Entry{
					At: now, Actor: "person", Action: "input.replayed",
					Subject: t.Email, Transaction: t.ID,
				})
			}
			a.reference.Document = u.document
			if a.user, err = known(ctx, tx, t); err != nil || a.user == nil ||
				t.Purpose != transaction.Verify {
				return err
			}
			var sealed []byte
			if err := tx.QueryRowContext(ctx, "SELECT sealed FROM templates WHERE user_id = "+
				"$1", a.user.ID).Scan(&sealed); err != nil {
				return err
			}
			a.reference.Template, err = s.Vault.Open(face.Place(a.user.ID), sealed)
			return err
		},
	)
	if err == nil {
		err = refused
	}
	return a, err
}

func span(b face.Burst) time.Duration {
	first, last := b.Began, b.Began
	for _, f := range b.Frames {
		first, last = min(first, f.At), max(last, f.At)
	}
	return last - first
}

func inputsOf(u *upload) []receipt.Input {
	var inputs []receipt.Input
	for _, f := range u.burst.Frames {
		inputs = append(
			inputs,
			receipt.Input{Role: "frame", Hash: receipt.Hash(f.File), AtUS: f.At.Microseconds()},
		)
	}
	if u.document != nil {
		inputs = append(inputs, receipt.Input{Role: "document", Hash: receipt.Hash(u.document)})
	}
	return inputs
}

// remember keeps the hashes of a burst; true when one of its frames was judged before. A document
// may come again: it is the same card.
func (s *Service) remember(
	ctx context.Context,
	tx *sql.Tx,
	inputs []receipt.Input,
) (replayed bool, err error) {
	seen := map[string]bool{}
	for _, input := range inputs {
		if input.Role != "frame" ||
			seen[input.Hash] { // two equal frames of one burst are the engine's to judge
			continue
		}
		seen[input.Hash] = true
		result, err := tx.ExecContext(
			ctx,
			"INSERT INTO inputs (hash, created_at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING",
			input.Hash,
			store.Time{Time: s.Now()},
		)
		if err != nil {
			return false, err
		}
		if n, err := result.RowsAffected(); err != nil {
			return false, err
		} else if n == 0 {
			replayed = true
		}
	}
	return replayed, nil
}

// judge asks the engine, looks for the face under another name, and concludes.
func (s *Service) judge(
	ctx context.Context,
	v visit,
	a *attempt,
) (*transaction.Transaction, error) {
	judgement, err := s.Engine.Judge(ctx, a.upload.burst, a.reference)
	if err != nil {
		return nil, err
	}
	s.Metrics.judged(judgement)
	for {
		search, err := s.search(ctx, a, judgement)
		if err != nil {
			return nil, err
		}
		t, err := s.conclude(ctx, v, a, judgement, search)
		if !errors.Is(err, errGrown) {
			return t, err
		}
	}
}

// errGrown says that somebody was enrolled between the search and the conclusion.
var errGrown = errors.New("the gallery has grown since the search")

func (s *Service) search(ctx context.Context, a *attempt, j *face.Judgement) (*face.Search, error) {
	if a.user != nil || j.Outcome != vultus.Accept || s.Policy.Duplicate.Action == "ignore" {
		return nil, nil
	}
	if err := s.SyncGallery(ctx); err != nil {
		return nil, err
	}
	return s.Gallery.Search(j.Template, s.Policy.Duplicate.FPIR)
}

// SyncGallery makes the gallery what the database holds, as far as the policy wants one.
func (s *Service) SyncGallery(ctx context.Context) error {
	if s.Policy.Duplicate.Action == "ignore" {
		return nil
	}
	return s.Gallery.Sync(ctx, s.DB)
}

// conclude writes the decision and all that follows from it, at once or not at all.
func (s *Service) conclude(
	ctx context.Context,
	v visit,
	a *attempt,
	j *face.Judgement,
	search *face.Search,
) (*transaction.Transaction, error) {
	return s.change(
		ctx,
		v,
		[]transaction.State{transaction.Capture},
		func(tx *sql.Tx, t *transaction.Transaction) error {
			c := &conclusion{
				Service:   s,
				tx:        tx,
				t:         t,
				attempt:   a,
				judgement: j,
				id:        uuid.NewString(),
				now:       s.Now(),
				subject:   a.user,
				outcome:   string(j.Outcome),
			}
			if err := c.duplicates(ctx, search); err != nil {
				return err
			}
			if err := c.enrolee(ctx); err != nil {
				return err
			}
			if err := c.decision(ctx, search); err != nil {
				return err
			}
			if c.outcome == string(vultus.Accept) {
				return c.accept(ctx)
			}
			if t.Attempts >= s.Policy.Attempts.PerTransaction {
				t.State = transaction.Refused
			}
			if c.subject == nil {
				return nil
			}
			return s.Assurance.Assess(ctx, tx, c.subject)
		},
	)
}

// conclusion is a decision while it is written.
type conclusion struct {
	*Service
	tx        *sql.Tx
	t         *transaction.Transaction
	attempt   *attempt
	judgement *face.Judgement
	id        string
	now       time.Time
	subject   *user.User // who was verified, or is enrolled now; nil: nobody
	outcome   string
	found     []string // users with the same face
	findings  []string
}

// duplicates looks who of those that the search found is still enrolled.
func (c *conclusion) duplicates(ctx context.Context, search *face.Search) error {
	if search == nil {
		return nil
	}
	var newest int64
	if err := c.tx.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = "+
		"'template'").Scan(&newest); err != nil {
		return err
	}
	if newest > search.Upto {
		return errGrown
	}
	for _, owner := range search.Owners {
		other, err := user.ByID(ctx, c.tx, owner)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		c.found = append(c.found, owner)
		if c.Policy.Duplicate.Action != "flag" {
			continue
		}
		if err := c.Assurance.Flag(ctx, c.tx, other, assurance.Duplicate); err != nil {
			return err
		}
	}
	if len(c.found) == 0 {
		return nil
	}
	c.findings = append(c.findings, assurance.Duplicate)
	if c.Policy.Duplicate.Action == "refuse" {
		c.outcome = string(vultus.Reject)
	}
	return audit.Write(
		ctx,
		c.tx,
		audit.Entry{
			At:          c.now,
			Actor:       "service",
			Action:      "duplicate.found",
			Subject:     c.t.Email,
			Transaction: c.t.ID,
			Detail:      map[string]any{"users": c.found, "action": c.Policy.Duplicate.Action},
		},
	)
}

// enrolee makes the user that an accepted enrolment gives.
func (c *conclusion) enrolee(ctx context.Context) error {
	if c.outcome != string(vultus.Accept) || c.subject != nil {
		return nil
	}
	if other, err := known(ctx, c.tx, c.t); err != nil {
		return err
	} else if other != nil { // enrolled in another window just now
		return errState
	}
	c.subject = &user.User{ID: uuid.NewString(), Email: c.t.Email, CreatedAt: c.now}
	return nil
}

// decision writes the signed receipt.
func (c *conclusion) decision(ctx context.Context, search *face.Search) error {
	j := c.judgement
	r := &receipt.Receipt{
		Issuer: c.Issuer, ID: c.id, IssuedAt: c.now.Unix(),
		Transaction: c.t.ID, Client: c.t.ClientID, Purpose: string(c.t.Purpose),
		Outcome: c.outcome, Reasons: j.Reasons, Inputs: c.attempt.inputs,
		Policy: c.Policy.Digest(), Models: c.Engine.Models(),
		Evidence: j.Evidence, EngineMS: j.Time.Milliseconds(),
	}
	if search != nil {
		r.Duplicates = &receipt.Duplicates{
			Searched:  search.Searched,
			Threshold: search.Threshold,
			FPIR:      search.FPIR,
			Best:      search.Best,
			Found:     len(c.found),
		}
	}
	if c.subject != nil {
		r.Subject = c.subject.ID
	}
	key, err := c.Keys.Signing(ctx, c.tx, keys.Receipt)
	if err != nil {
		return err
	}
	signed, err := receipt.Sign(r, key)
	if err != nil {
		return err
	}
	digest := receipt.Hash([]byte(signed))
	if _, err := c.tx.ExecContext(ctx, `INSERT INTO decisions (id, transaction_id, user_id,
		outcome, purpose, attack, digest, receipt, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		c.id, c.t.ID, store.Text(r.Subject), c.outcome, c.t.Purpose, isAttack(j.Reasons),
		digest, signed, store.Time{Time: c.now}); err != nil {
		return err
	}
	c.t.Last = &transaction.Outcome{
		Outcome: c.outcome,
		Reasons: advice(j.Reasons, len(c.found) > 0 && c.outcome != string(j.Outcome)),
		Receipt: digest,
	}
	subject := r.Subject
	if subject == "" {
		subject = c.t.Email
	}
	return audit.Write(
		ctx,
		c.tx,
		audit.Entry{
			At:          c.now,
			Actor:       "person",
			Action:      "decision." + c.outcome,
			Subject:     subject,
			Transaction: c.t.ID,
			Detail: map[string]any{
				"decision": c.id,
				"receipt":  digest,
				"purpose":  c.t.Purpose,
				"attempt":  c.attempt.number,
				"client":   c.t.ClientID,
			},
		},
	)
}

// accept enrols or renews the user, opens the session, and so lets the provider issue tokens.
func (c *conclusion) accept(ctx context.Context) error {
	u, t := c.subject, c.t
	device, err := u.KnowsDevice(ctx, c.tx, t.BrowserHash)
	if err != nil {
		return err
	}
	u.EmailVerified = u.EmailVerified || t.EmailVerified
	u.VerifiedAt, u.Consent, u.DecisionID = c.now, t.Consent, c.id
	if c.attempt.upload.document != nil {
		u.DocumentAt = c.now
	}
	if t.Purpose == transaction.Verify {
		if !device {
			c.findings = append(c.findings, assurance.NewDevice)
		}
	}
	if m := c.judgement.Match; m != nil && m.Score < m.OperatingPoint.Threshold+thinMargin {
		c.findings = append(c.findings, assurance.ThinMargin)
	}
	if c.judgement.Unusual {
		c.findings = append(c.findings, assurance.SequenceMedium)
	}
	if t.Purpose == transaction.Enrol {
		if err := u.Save(ctx, c.tx); err != nil {
			return err
		}
		if err := c.template(ctx); err != nil {
			return err
		}
	}
	if err := u.SawDevice(ctx, c.tx, t.BrowserHash, c.now); err != nil {
		return err
	}
	if err := Forgive(ctx, c.tx, t.Email); err != nil {
		return err
	}
	t.SessionID, err = session.Begin(ctx, c.tx, session.Session{
		BrowserHash: t.BrowserHash, UserID: u.ID, DecisionID: c.id, AMR: c.amr(),
		AuthTime: c.now, ExpiresAt: c.now.Add(c.Policy.Session.Std()),
	})
	if err != nil {
		return err
	}
	t.State, t.GrantedACR = transaction.Accepted, c.Policy.Strongest(c.now, u.DocumentAt, c.now)
	return c.Assurance.Checked(ctx, c.tx, u, c.findings...)
}

// Scores less than this above the threshold are a finding.
const thinMargin = 0.03

// template keeps the template of the burst, sealed.
func (c *conclusion) template(ctx context.Context) error {
	var number int64
	if err := c.tx.QueryRowContext(ctx, "UPDATE counters SET value = value + 1 WHERE name = "+
		"'template' RETURNING value").Scan(&number); err != nil {
		return err
	}
	_, err := c.tx.ExecContext(
		ctx,
		"INSERT INTO templates (user_id, decision_id, number, sealed, created_at) VALUES ($1, "+
			"$2, $3, $4, $5)",
		c.subject.ID,
		c.id,
		number,
		c.Vault.Seal(face.Place(c.subject.ID), c.judgement.Template),
		store.Time{Time: c.now},
	)
	return err
}

// amr names the methods of RFC 8176: the face, the presence that a challenge showed, the code by
// mail, and what the other provider says.
func (c *conclusion) amr() []string {
	amr := []string{"face"}
	if c.judgement.Live {
		amr = append(amr, "user")
	}
	if c.t.Mailed {
		amr = append(amr, "otp", "mfa")
	}
	if c.t.Upstream != nil {
		amr = append(append(amr, c.t.Upstream.AMR...), "mfa")
	}
	slices.Sort(amr)
	return slices.Compact(amr)
}

func isAttack(reasons []vultus.Reason) bool {
	return slices.ContainsFunc(reasons, func(r vultus.Reason) bool {
		return r.Effect == vultus.EffectReject && slices.Contains(attacks, r.Code)
	})
}

// attacks are the reasons that speak of an attack, and not of a bad picture.
var attacks = []vultus.ReasonCode{
	vultus.ReasonCodePresentationAttack,
	vultus.ReasonCodeSequenceManipulated,
	vultus.ReasonCodeSequenceSuspicious,
	vultus.ReasonCodeChallengeFailed,
}

// unscored are the texts in the place of those with scores, which would tell whoever tries pictures
// how near each comes.
var unscored = map[vultus.ReasonCode]string{
	vultus.ReasonCodeNonMatch: "The face is not found to be the one it is compared with. Look " +
		"straight into the camera, in even light.",
	vultus.ReasonCodePresentationAttack: "This looks like a picture or a screen before the " +
		"camera. Show your own face.",
}

// advice tells a person why an attempt failed and what to do; nothing when it did not.
func advice(reasons []vultus.Reason, duplicate bool) []transaction.Reason {
	list := []transaction.Reason{}
	for _, r := range reasons {
		if r.Effect != "reject" && r.Effect != "inconclusive" {
			continue
		}
		do := "retry-selfie"
		if r.Role == vultus.Document {
			do = "retry-document"
		}
		text := r.Text
		if unscored, ok := unscored[r.Code]; ok {
			text = unscored
		}
		list = append(list, transaction.Reason{Code: string(r.Code), Text: text, Do: do})
	}
	if duplicate {
		list = append(
			list,
			transaction.Reason{
				Code: "duplicate",
				Text: "This face is enrolled under another address. Use that one, or ask " +
					"whoever invited you.",
				Do: "stop",
			},
		)
	}
	return list
}
