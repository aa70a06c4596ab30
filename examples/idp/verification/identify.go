package verification

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/vultus/vultus/examples/idp/access"
	"github.com/vultus/vultus/examples/idp/provider"
	"github.com/vultus/vultus/examples/idp/session"
	"github.com/vultus/vultus/examples/idp/transaction"
	"github.com/vultus/vultus/examples/idp/upstream"
)

const (
	mailCodeLifetime = 10 * time.Minute
	mailCodeTries    = 5
	mailsMost        = 5
)

// email takes the address, and mails a code to it unless the browser is known for it.
func (s *Service) email(_ http.ResponseWriter, r *http.Request, v visit) (any, error) {
	var given struct {
		Email string `json:"email"`
	}
	if err := read(r, &given); err != nil {
		return nil, err
	}
	address, err := access.Address(given.Email)
	if err != nil {
		return nil, badRequest("This is not an email address.")
	}
	code, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, err
	}
	digits := fmt.Sprintf("%06d", code)
	t, err := s.change(
		r.Context(),
		v,
		[]transaction.State{transaction.Email, transaction.Code},
		func(tx *sql.Tx, t *transaction.Transaction) error {
			if t.EmailLocked && address != t.Email {
				return badRequest("The address is given and cannot be changed.")
			}
			if address != t.Email {
				t.Email, t.EmailVerified = address, false
			}
			if err := s.Identify(r.Context(), tx, t); err != nil || t.State != transaction.Code {
				return err
			}
			throttle, err := loadThrottle(r.Context(), tx, "mail:"+t.Email)
			if err != nil {
				return err
			}
			if err := throttle.check(s.Policy, s.Now()); err != nil {
				return err
			}
			if t.Mails++; t.Mails > mailsMost {
				return fault(
					429,
					"slow-down",
					"stop",
					"Too many codes were mailed. Start again where you came from.",
				)
			}
			t.MailCodeHash, t.MailCodeUntil, t.MailCodeTries = session.Hash(
				t.ID+digits,
			), s.Now().
				Add(mailCodeLifetime),
				0
			return countFailure(r.Context(), tx, "mail:"+t.Email, s.Policy, s.Now())
		},
	)
	if err != nil {
		return nil, err
	}
	if t.State == transaction.Code {
		err := s.Mail.Send(t.Email, "Your code", fmt.Sprintf(
			"Somebody, probably you, wants to be verified with this address.\r\n\r\nYour code: "+
				"%s\r\n\r\nIt is good for %d minutes. If it was not you, there is nothing to do.",
			digits,
			mailCodeLifetime/time.Minute,
		))
		if err != nil {
			return nil, err
		}
	}
	return s.view(r.Context(), t, v)
}

// Identify sets what is asked of the person with the address of the transaction. ErrMember when
// nothing is.
func (s *Service) Identify(ctx context.Context, tx *sql.Tx, t *transaction.Transaction) error {
	may, groups, err := s.Access.Check(ctx, tx, t.Email)
	if err != nil {
		return err
	}
	client, err := provider.LoadClient(ctx, tx, t.ClientID)
	if err != nil {
		return err
	}
	u, err := known(ctx, tx, t)
	if err != nil {
		return err
	}
	if !may || !client.Admits(groups) ||
		(t.Request.Subject != "" && (u == nil || u.ID != t.Request.Subject)) {
		return errMember
	}
	t.Purpose, t.Document, t.State = transaction.Enrol, true, transaction.Consent
	if u != nil {
		t.Purpose = transaction.Verify
		t.Document = s.Policy.Asked(t.Request.ACRValues).NeedsDocument(u.DocumentAt, s.Now())
		if u.Consent == s.Consent.Version {
			t.Consent, t.State = u.Consent, transaction.Capture
		}
	}
	if t.EmailVerified || s.Mail == nil {
		return nil
	}
	if u != nil {
		if device, err := u.KnowsDevice(ctx, tx, t.BrowserHash); err != nil || device {
			t.EmailVerified = u.EmailVerified
			return err
		}
	}
	t.State = transaction.Code
	return nil
}

// code takes the digits that were mailed.
func (s *Service) code(_ http.ResponseWriter, r *http.Request, v visit) (any, error) {
	var given struct {
		Code string `json:"code"`
	}
	if err := read(r, &given); err != nil {
		return nil, err
	}
	right := false
	t, err := s.change(
		r.Context(),
		v,
		[]transaction.State{transaction.Code},
		func(tx *sql.Tx, t *transaction.Transaction) error {
			if t.MailCodeTries++; t.MailCodeTries > mailCodeTries ||
				s.Now().After(t.MailCodeUntil) {
				return nil
			}
			right = subtle.ConstantTimeCompare(
				[]byte(session.Hash(t.ID+given.Code)),
				[]byte(t.MailCodeHash),
			) == 1
			if !right {
				return nil
			}
			t.EmailVerified, t.Mailed, t.MailCodeHash = true, true, ""
			if err := Forgive(r.Context(), tx, "mail:"+t.Email); err != nil {
				return err
			}
			return s.Identify(r.Context(), tx, t)
		},
	)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, errCode
	}
	return s.view(r.Context(), t, v)
}

// Known goes on with a person whom a session has identified.
func (s *Service) Known(ctx context.Context, id string) error {
	_, err := s.change(
		ctx,
		visit{id: id},
		[]transaction.State{transaction.Email},
		func(tx *sql.Tx, t *transaction.Transaction) error {
			return s.Identify(ctx, tx, t)
		},
	)
	return err
}

// LoggedIn goes on with a person who logged in at the other provider. Whoever is not admitted is
// refused.
func (s *Service) LoggedIn(ctx context.Context, id string, person *upstream.Person) error {
	var refused error
	_, err := s.change(
		ctx,
		visit{id: id},
		[]transaction.State{transaction.Upstream},
		func(tx *sql.Tx, t *transaction.Transaction) error {
			t.Email, t.EmailVerified, t.EmailLocked = person.Email, person.EmailVerified, true
			t.Upstream.Subject, t.Upstream.AMR = person.Subject, person.AMR
			err := s.Identify(ctx, tx, t)
			var f *Fault
			if errors.As(err, &f) {
				refused, t.State = err, transaction.Refused
				t.Last = &transaction.Outcome{
					Outcome: "reject",
					Reasons: []transaction.Reason{{Code: f.Code, Text: f.Text, Do: "stop"}},
				}
				return nil
			}
			return err
		},
	)
	if err == nil {
		err = refused
	}
	return err
}
