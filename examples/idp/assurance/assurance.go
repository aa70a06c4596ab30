// Package assurance keeps a risk and an assurance level for every user after the login, and tells
// relying parties when one changes (OpenID Shared Signals, CAEP).
package assurance

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/vultus/vultus/examples/idp/audit"
	"github.com/vultus/vultus/examples/idp/keys"
	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/user"
	"github.com/vultus/vultus/examples/idp/vault"
)

// Service assesses and tells.
type Service struct {
	DB     *store.DB
	Keys   *keys.Ring
	Vault  *vault.Vault
	Policy *policy.Policy
	Issuer string
	Client *http.Client
	Now    func() time.Time
}

// Findings of one check; they stand until the next one.
const (
	ThinMargin     = "thin-margin"     // the score was just above the threshold
	NewDevice      = "new-device"      // the browser was not known
	SequenceMedium = "sequence-medium" // the frames were unusual
)

// Findings that stand until an administrator clears them.
const (
	Duplicate = "duplicate" // the same face is enrolled under another name
	Reported  = "reported"  // a relying party or an administrator reported the user
)

// Findings that follow from the data at any time.
const (
	FailedAttempts = "failed-attempts" // three or more within a day
	AttackAttempts = "attack-attempts" // an attack was seen within a day
	Stale          = "stale"           // the last check is long ago
)

var lasting = []string{Duplicate, Reported}

// Checked sets the findings of an accepted check in place of the former ones, and assesses the
// user.
func (s *Service) Checked(
	ctx context.Context,
	q store.Queryer,
	u *user.User,
	findings ...string,
) error {
	u.Flags = slices.DeleteFunc(
		u.Flags,
		func(f string) bool { return !slices.Contains(lasting, f) },
	)
	return s.Flag(ctx, q, u, findings...)
}

// Flag adds findings and assesses the user.
func (s *Service) Flag(
	ctx context.Context,
	q store.Queryer,
	u *user.User,
	findings ...string,
) error {
	for _, f := range findings {
		if !slices.Contains(u.Flags, f) {
			u.Flags = append(u.Flags, f)
		}
	}
	return s.Assess(ctx, q, u)
}

// Clear removes the findings and assesses the user.
func (s *Service) Clear(ctx context.Context, q store.Queryer, u *user.User) error {
	u.Flags = nil
	return s.Assess(ctx, q, u)
}

// Findings returns all that speaks against a user now.
func (s *Service) Findings(ctx context.Context, q store.Queryer, u *user.User) ([]string, error) {
	now := s.Now()
	findings := slices.Clone(u.Flags)
	var failed, attacks int
	err := q.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(CASE WHEN attack THEN 1 ELSE 0
		END), 0) FROM decisions
		WHERE user_id = $1 AND outcome = 'reject' AND created_at >
			$2`, u.ID, store.Time{Time: now.Add(-24 * time.Hour)}).
		Scan(&failed, &attacks)
	if err != nil {
		return nil, err
	}
	if failed >= 3 {
		findings = append(findings, FailedAttempts)
	}
	if attacks > 0 {
		findings = append(findings, AttackAttempts)
	}
	if now.Sub(u.VerifiedAt) > s.Policy.Risk.Stale.Std() {
		findings = append(findings, Stale)
	}
	return findings, nil
}

// Assess computes risk and assurance anew, saves the user, and tells the relying parties what
// changed. At HIGH the sessions end.
func (s *Service) Assess(ctx context.Context, q store.Queryer, u *user.User) error {
	findings, err := s.Findings(ctx, q, u)
	if err != nil {
		return err
	}
	score := 0
	for _, f := range findings {
		score += s.Policy.Risk.Weights[f]
	}
	now, before := s.Now(), *u
	u.RiskScore = min(score, 100)
	u.RiskLevel = s.Policy.Risk.Level(u.RiskScore)
	u.Assurance = s.Policy.Strongest(u.VerifiedAt, u.DocumentAt, now)
	if err := u.Save(ctx, q); err != nil {
		return err
	}
	if before.RiskLevel == "" { // just enrolled: nobody knows another level
		return nil
	}
	if u.RiskLevel != before.RiskLevel {
		if err := audit.Write(ctx, q, audit.Entry{
			At: now, Actor: "service", Action: "risk." + u.RiskLevel, Subject: u.ID,
			Detail: map[string]any{"findings": findings, "score": u.RiskScore},
		}); err != nil {
			return err
		}
		if err := s.riskChanged(ctx, q, u, before.RiskLevel, findings); err != nil {
			return err
		}
	}
	if u.Assurance != before.Assurance {
		if err := s.assuranceChanged(ctx, q, u, before.Assurance); err != nil {
			return err
		}
	}
	if u.RiskLevel == "HIGH" && s.Policy.Risk.RevokeAtHigh {
		return s.Revoke(ctx, q, u, "the risk is high")
	}
	return nil
}

// Revoke ends all sessions of a user and tells the relying parties.
func (s *Service) Revoke(ctx context.Context, q store.Queryer, u *user.User, reason string) error {
	ended, err := session.Revoke(ctx, q, u.ID, "", s.Now())
	if err != nil || ended == 0 {
		return err
	}
	if err := audit.Write(ctx, q, audit.Entry{
		At: s.Now(), Actor: "service", Action: "session.revoke", Subject: u.ID,
		Detail: map[string]any{"sessions": ended, "reason": reason},
	}); err != nil {
		return err
	}
	return s.sessionRevoked(ctx, q, u, reason)
}
