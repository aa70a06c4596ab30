package vultus

// #include <vultus.h>
import "C"

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by every call on what was closed.
var ErrClosed = errors.New("vultus: it is closed")

// Kind tells who is at fault. errors.Is(err, vultus.ErrInput) finds it in an error.
type Kind int32

// The kinds of an Error.
const (
	// The input is broken: not a picture, cut short, a damaged template.
	ErrInput Kind = C.VULTUS_ERROR_INPUT
	// The input is larger than a limit allows.
	ErrLimit Kind = C.VULTUS_ERROR_LIMIT
	// The model pack is missing, damaged, or its licence was not accepted.
	ErrModel Kind = C.VULTUS_ERROR_MODEL
	// The call contradicts the documentation.
	ErrUsage Kind = C.VULTUS_ERROR_USAGE
	// The input is valid, but of a sort that is not handled.
	ErrUnsupported Kind = C.VULTUS_ERROR_UNSUPPORTED
	// A defect of the engine.
	ErrInternal Kind = C.VULTUS_ERROR_INTERNAL
)

// Error returns the stable name of the kind.
func (k Kind) Error() string {
	switch k {
	case ErrInput:
		return "input"
	case ErrLimit:
		return "limit"
	case ErrModel:
		return "model"
	case ErrUsage:
		return "usage"
	case ErrUnsupported:
		return "unsupported"
	default:
		return "internal"
	}
}

// Error is a failed call.
type Error struct {
	Kind    Kind   // who is at fault
	Stage   string // where: "image", "model", ...; "interface" for the call itself
	Message string // the argument at fault, what was wrong, what is allowed
}

// Error returns the message.
func (e *Error) Error() string {
	return "vultus: " + e.Message
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error {
	return e.Kind
}

// taken turns what a C call returned into an error, and frees it.
func taken(status C.vultus_status, cause *C.vultus_error) error {
	if status == C.VULTUS_OK {
		return nil
	}
	defer C.vultus_error_free(cause)
	kind := Kind(status)
	switch kind {
	case ErrInput, ErrLimit, ErrModel, ErrUsage, ErrUnsupported:
	default:
		kind = ErrInternal
	}
	return &Error{
		kind,
		C.GoString(C.vultus_error_stage(cause)),
		C.GoString(C.vultus_error_message(cause)),
	}
}

func usage(format string, values ...any) error {
	return &Error{ErrUsage, "interface", fmt.Sprintf(format, values...)}
}
