package verification

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/vultus/vultus/examples/idp/policy"
	"github.com/vultus/vultus/examples/idp/store"
)

// throttle counts what failed for a subject, over all its transactions and browsers, and makes it
// wait longer each time.
type throttle struct {
	failures int
	retryAt  time.Time
}

func loadThrottle(ctx context.Context, q store.Queryer, subject string) (*throttle, error) {
	t := new(throttle)
	var retry store.Time
	err := q.QueryRowContext(ctx, "SELECT failures, retry_at FROM throttles WHERE subject = "+
		"$1", subject).
		Scan(&t.failures, &retry)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	t.retryAt = retry.Time
	return t, err
}

// check returns a fault while the subject must wait, or for good.
func (t *throttle) check(p *policy.Policy, now time.Time) error {
	if t.failures >= p.Attempts.MostFailures {
		return fault(
			429,
			"locked",
			"stop",
			"Too many attempts failed. Ask whoever runs this service to unlock the address.",
		)
	}
	if after := t.retryAt.Sub(now); after > 0 {
		return wait(
			429,
			"too-many-attempts",
			after,
			fmt.Sprintf("Please wait %s before the next attempt.", after.Round(time.Second)),
		)
	}
	return nil
}

// countFailure is called before an attempt is judged, so that none is free because the service or
// the connection broke off.
func countFailure(
	ctx context.Context,
	q store.Queryer,
	subject string,
	p *policy.Policy,
	now time.Time,
) error {
	t, err := loadThrottle(ctx, q, subject)
	if err != nil {
		return err
	}
	t.failures++
	_, err = q.ExecContext(
		ctx,
		`INSERT INTO throttles (subject, failures, retry_at, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, retry_at =
			excluded.retry_at, updated_at = excluded.updated_at`,
		subject,
		t.failures,
		store.Time{Time: now.Add(p.Delay(t.failures))},
		store.Time{Time: now},
	)
	return err
}

// Forgive forgets the failures of a subject.
func Forgive(ctx context.Context, q store.Queryer, subject string) error {
	_, err := q.ExecContext(ctx, "DELETE FROM throttles WHERE subject = $1", subject)
	return err
}
