package verification

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/vultus/vultus/examples/idp/face"
	vultus "github.com/vultus/vultus/ffi/go"
)

// Fault is an answer that is not what was asked for: a code for machines, a text for people, and
// what to do.
type Fault struct {
	Status     int           `json:"-"`
	Code       string        `json:"code"`
	Text       string        `json:"text"`
	Do         string        `json:"do"` // retry, restart-capture, wait, fix, reload or stop
	RetryAfter time.Duration `json:"-"`
}

// Error returns the text.
func (f *Fault) Error() string { return f.Text }

func fault(status int, code, do, text string) *Fault {
	return &Fault{Status: status, Code: code, Text: text, Do: do}
}

func wait(status int, code string, after time.Duration, text string) *Fault {
	return &Fault{Status: status, Code: code, Text: text, Do: "wait", RetryAfter: after}
}

var (
	errCSRF      = fault(403, "csrf", "reload", "The page is out of date. Load it again.")
	errNoSession = fault(
		403,
		"no-session",
		"stop",
		"This verification was started in another browser. Start again where you came from.",
	)
	errUnknown = fault(
		404,
		"unknown-transaction",
		"stop",
		"This verification is not known. Start again where you came from.",
	)
	errState  = fault(409, "wrong-state", "reload", "This step is over. Load the page again.")
	errReplay = fault(
		409,
		"replay",
		"restart-capture",
		"These pictures were sent before. Take new ones.",
	)
	errExpired = fault(
		410,
		"expired",
		"stop",
		"The time for this verification is over. Start again where you came from.",
	)
	errNonceExpired = fault(
		410,
		"nonce-expired",
		"restart-capture",
		"The time for these pictures is over. Take new ones.",
	)
	errNonceUsed = fault(
		410,
		"nonce-used",
		"restart-capture",
		"These pictures do not belong to the present challenge. Take new ones.",
	)
	errTooLarge = fault(413, "too-large", "fix", "The picture is too large.")
	errPicture  = fault(
		415,
		"not-a-picture",
		"fix",
		"This is not a plain JPEG, PNG or WebP picture.",
	)
	errMember = fault(
		403,
		"not-a-member",
		"stop",
		"This address has no access here. Ask whoever invited you.",
	)
	errCode = fault(
		403,
		"wrong-code",
		"fix",
		"This code is wrong. Look at the newest mail.",
	)
	errBusy = wait(
		503,
		"busy",
		2*time.Second,
		"Many people are being verified just now. Please wait a moment.",
	)
)

func badRequest(text string) *Fault { return fault(400, "bad-request", "fix", text) }

// refuse answers with a fault. Whatever is not one is logged, and told as a service that is busy:
// nothing was decided.
func refuse(w http.ResponseWriter, r *http.Request, err error) string {
	var f *Fault
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &f):
	case errors.As(err, &tooLarge):
		f = errTooLarge
	case errors.Is(err, face.ErrPicture),
		errors.Is(err, vultus.ErrInput),
		errors.Is(err, vultus.ErrUnsupported):
		f = errPicture
	case errors.Is(err, vultus.ErrLimit):
		f = errTooLarge
	case errors.Is(err, face.ErrBusy),
		errors.Is(err, context.Canceled),
		errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, vultus.ErrClosed):
		f = errBusy
	default:
		slog.ErrorContext(r.Context(), "verification failed", "path", r.URL.Path, "error", err)
		f = errBusy
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	answer(w, f.Status, map[string]any{"error": f})
	return f.Code
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
