// Package access says who may come in: members by email address or by domain, each with groups that
// relying parties can match on.
package access

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/vultus/vultus/examples/idp/store"
)

// Rules come from the configuration, beside the members that the admin API keeps.
type Rules struct {
	Open    bool     `json:"open"`    // everybody may
	Emails  []string `json:"emails"`  // these may
	Domains []string `json:"domains"` // everybody with an address there may
	Claim   string   `json:"claim"`   // the claim that carries the groups; "groups" when empty
}

// Member is somebody who may, or a domain of people who may.
type Member struct {
	Kind   string   `json:"kind"` // "email" or "domain"
	Value  string   `json:"value"`
	Groups []string `json:"groups"`
}

// ErrAddress says that it is no email address.
var ErrAddress = errors.New("this is not an email address")

// Address returns an address in the form in which it is compared: bare and in lower case.
func Address(text string) (string, error) {
	parsed, err := mail.ParseAddress(strings.TrimSpace(text))
	if err != nil || parsed.Name != "" || len(parsed.Address) > 254 ||
		!strings.Contains(parsed.Address, ".") {
		return "", ErrAddress
	}
	return strings.ToLower(parsed.Address), nil
}

// Validate tells what is wrong with a member, and brings it in the form in which it is compared.
func (m *Member) Validate() error {
	switch m.Kind {
	case "email":
		address, err := Address(m.Value)
		if err != nil {
			return err
		}
		m.Value = address
	case "domain":
		m.Value = strings.ToLower(m.Value)
		if m.Value == "" || strings.ContainsAny(m.Value, "@ ") {
			return fmt.Errorf("value: %q is not a domain", m.Value)
		}
	default:
		return fmt.Errorf("kind: is %q, allowed are email and domain", m.Kind)
	}
	if m.Groups == nil {
		m.Groups = []string{}
	}
	return nil
}

// Check tells whether an address may come in, and its groups: those of the member and of the
// domain.
func (r *Rules) Check(
	ctx context.Context,
	q store.Queryer,
	email string,
) (may bool, groups []string, err error) {
	_, domain, _ := strings.Cut(email, "@")
	may = r.Open || slices.Contains(r.Emails, email) || slices.Contains(r.Domains, domain)
	rows, err := q.QueryContext(
		ctx,
		"SELECT groups FROM members WHERE (kind = 'email' AND value = $1) OR (kind = 'domain' "+
			"AND value = $2)",
		email,
		domain,
	)
	if err != nil {
		return false, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var more store.JSON[[]string]
		if err := rows.Scan(&more); err != nil {
			return false, nil, err
		}
		may, groups = true, append(groups, more.V...)
	}
	slices.Sort(groups)
	return may, slices.Compact(groups), rows.Err()
}

// Put adds or replaces a member.
func Put(ctx context.Context, q store.Queryer, m Member, now time.Time) error {
	_, err := q.ExecContext(
		ctx,
		`INSERT INTO members (kind, value, groups, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, value) DO UPDATE SET groups = excluded.groups`,
		m.Kind,
		m.Value,
		store.JSON[[]string]{V: m.Groups},
		store.Time{Time: now},
	)
	return err
}

// Delete removes a member; sql.ErrNoRows when there was none.
func Delete(ctx context.Context, q store.Queryer, kind, value string) error {
	return store.One(ctx, q, "DELETE FROM members WHERE kind = $1 AND value = $2", kind, value)
}

// List returns all members.
func List(ctx context.Context, q store.Queryer) ([]Member, error) {
	rows, err := q.QueryContext(ctx, "SELECT kind, value, groups FROM members ORDER BY kind, value")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	members := []Member{}
	for rows.Next() {
		var m Member
		var groups store.JSON[[]string]
		if err := rows.Scan(&m.Kind, &m.Value, &groups); err != nil {
			return nil, err
		}
		m.Groups = groups.V
		members = append(members, m)
	}
	return members, rows.Err()
}
