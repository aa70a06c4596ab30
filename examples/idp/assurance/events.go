package assurance

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"
	"github.com/vultus/vultus/examples/idp/keys"
	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/user"
)

const caep = "https://schemas.openid.net/secevent/caep/event-type/"

// Event types of CAEP 1.0 that are sent.
const (
	RiskLevelChange      = caep + "risk-level-change"
	AssuranceLevelChange = caep + "assurance-level-change"
	SessionRevoked       = caep + "session-revoked"
)

func (s *Service) riskChanged(
	ctx context.Context,
	q store.Queryer,
	u *user.User,
	before string,
	findings []string,
) error {
	reason := strings.Join(findings, ", ")
	if reason == "" {
		reason = "the findings are over"
	}
	return s.emit(ctx, q, u, RiskLevelChange, map[string]any{
		"principal": "USER", "current_level": u.RiskLevel, "previous_level": before,
		"risk_reason": reason, "initiating_entity": "system",
	})
}

func (s *Service) assuranceChanged(
	ctx context.Context,
	q store.Queryer,
	u *user.User,
	before string,
) error {
	rank := func(name string) int {
		for i, level := range s.Policy.Levels {
			if level.Name == name {
				return i
			}
		}
		return -1
	}
	direction := "increase"
	if rank(u.Assurance) < rank(before) {
		direction = "decrease"
	}
	event := map[string]any{
		"namespace":         s.Issuer,
		"current_level":     level(u.Assurance),
		"change_direction":  direction,
		"initiating_entity": "system",
	}
	if before != "" {
		event["previous_level"] = before
	}
	return s.emit(ctx, q, u, AssuranceLevelChange, event)
}

// level names an assurance; checks that are too old for any level are still told.
func level(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

func (s *Service) sessionRevoked(
	ctx context.Context,
	q store.Queryer,
	u *user.User,
	reason string,
) error {
	return s.emit(
		ctx,
		q,
		u,
		SessionRevoked,
		map[string]any{
			"initiating_entity": "policy",
			"reason_admin":      map[string]string{"en": reason},
		},
	)
}

// emit signs a security event token (RFC 8417) for every stream of a client that knows the user,
// and queues it. It is sent when the database transaction has ended well.
func (s *Service) emit(
	ctx context.Context,
	q store.Queryer,
	u *user.User,
	kind string,
	event map[string]any,
) error {
	rows, err := q.QueryContext(
		ctx,
		"SELECT id, client_id FROM streams WHERE client_id IN (SELECT client_id FROM logins "+
			"WHERE user_id = $1)",
		u.ID,
	)
	if err != nil {
		return err
	}
	streams := map[string]string{}
	for rows.Next() {
		var id, client string
		if err := rows.Scan(&id, &client); err != nil {
			rows.Close()
			return err
		}
		streams[id] = client
	}
	if err := rows.Err(); err != nil || len(streams) == 0 {
		return err
	}
	key, err := s.Keys.Signing(ctx, q, keys.Token)
	if err != nil {
		return err
	}
	signer, err := key.Signer("secevent+jwt")
	if err != nil {
		return err
	}
	now := s.Now()
	event["event_timestamp"] = now.Unix()
	for stream, client := range streams {
		jti := uuid.Must(uuid.NewV7()).String()
		payload, err := json.Marshal(map[string]any{
			"iss": s.Issuer, "aud": client, "iat": now.Unix(), "jti": jti,
			"sub_id": map[string]string{"format": "iss_sub", "iss": s.Issuer, "sub": u.ID},
			"events": map[string]any{kind: event},
		})
		if err != nil {
			return err
		}
		signed, err := signer.Sign(payload)
		if err != nil {
			return err
		}
		body, err := signed.CompactSerialize()
		if err != nil {
			return err
		}
		if _, err := q.ExecContext(ctx, "INSERT INTO events (jti, stream_id, body, created_at, "+
			"next_at, tries) VALUES ($1, $2, $3, $4, $5, 0)",
			jti, stream, body, store.Time{Time: now}, store.Time{Time: now}); err != nil {
			return err
		}
	}
	return nil
}
