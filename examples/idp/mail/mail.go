// Package mail sends the code that proves that somebody reads an address.
package mail

import (
	"fmt"
	"net/smtp"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// Settings say how: exactly one of SMTP and Outbox is set.
type Settings struct {
	From   string `json:"from"`
	SMTP   string `json:"smtp,omitempty"`   // host:port of a relay
	Outbox string `json:"outbox,omitempty"` // a folder that gets one .eml file a mail, for trials
}

// Send sends a plain text. The addresses hold no line breaks: net/mail has parsed them.
func (s *Settings) Send(to, subject, text string) error {
	message := fmt.Appendf(
		nil,
		"From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: "+
			"<%s@vultus>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
		s.From,
		to,
		subject,
		time.Now().Format(time.RFC1123Z),
		uuid.NewString(),
		text,
	)
	if s.Outbox != "" {
		return os.WriteFile(
			filepath.Join(s.Outbox, uuid.Must(uuid.NewV7()).String()+".eml"),
			message,
			0o600,
		)
	}
	return smtp.SendMail(s.SMTP, nil, s.From, []string{to}, message)
}
