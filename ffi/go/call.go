package vultus

// #include <stdlib.h>
// #include <vultus.h>
import "C"

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// call is one call of the C library from its arguments to its end. What it borrows lives until end,
// and after the first error no step does anything, so that only run need be asked for it.
type call struct {
	ctx  context.Context
	err  error
	ends []func()
}

func begin(ctx context.Context) *call {
	return &call{ctx: ctx}
}

func (c *call) end() {
	for _, end := range slices.Backward(c.ends) {
		end()
	}
}

func (c *call) object(h *handle) unsafe.Pointer {
	if c.err != nil {
		return nil
	}
	pointer, release, err := h.borrow()
	if err != nil {
		c.err = err
		return nil
	}
	c.ends = append(c.ends, release)
	return pointer
}

func (c *call) engine(e *Engine) *C.vultus_engine {
	return (*C.vultus_engine)(c.object(&e.handle))
}

func (c *call) session(s *Session) *C.vultus_session {
	return (*C.vultus_session)(c.object(&s.handle))
}

func (c *call) gallery(g *Gallery) *C.vultus_gallery {
	return (*C.vultus_gallery)(c.object(&g.handle))
}

func (c *call) template(argument string, t *Template) *C.vultus_template {
	if t == nil {
		c.refuse("%s: is nil, which is not allowed", argument)
		return nil
	}
	return (*C.vultus_template)(c.object(&t.handle))
}

func (c *call) refuse(format string, values ...any) {
	if c.err == nil {
		c.err = usage(format, values...)
	}
}

// picture decodes a file.
func (c *call) picture(argument string, file []byte) *C.vultus_image {
	if c.err != nil {
		return nil
	}
	var image *C.vultus_image
	err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_image_decode(start(file), C.size_t(len(file)), nil, &image, cause)
	})
	if fault, ok := err.(*Error); ok {
		fault.Message = argument + ": " + strings.TrimPrefix(fault.Message, "file: ")
	}
	c.ends = append(c.ends, func() { C.vultus_image_free(image) })
	return image
}

// policy returns the policy as JSON; NULL for the default.
func (c *call) policy(options []Option) *C.char {
	if c.err != nil || len(options) == 0 {
		return nil
	}
	policy := make(map[string]any)
	for _, option := range options {
		option(policy)
	}
	text, err := json.Marshal(policy)
	if err != nil {
		c.refuse("policy: %v", err)
		return nil
	}
	return c.text(string(text))
}

// text copies text to C.
func (c *call) text(text string) *C.char {
	if strings.ContainsRune(text, 0) {
		c.refuse("%q holds a NUL, which is not allowed", text)
		return nil
	}
	copied := C.CString(text)
	c.ends = append(c.ends, func() { C.free(unsafe.Pointer(copied)) })
	return copied
}

// run makes a call of C, unless something failed or the context has ended before, and returns what
// failed.
func (c *call) run(f func(cause **C.vultus_error) C.vultus_status) error {
	if c.err == nil {
		c.err = c.ctx.Err()
	}
	if c.err == nil {
		var cause *C.vultus_error
		status := f(&cause)
		c.err = taken(status, cause)
	}
	return c.err
}

// decide makes a call of C that decides, and reads the decision.
func (c *call) decide(
	f func(decision **C.vultus_decision, cause **C.vultus_error) C.vultus_status,
) (*Decision, error) {
	var decision *C.vultus_decision
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return f(&decision, cause)
	}); err != nil {
		return nil, err
	}
	defer C.vultus_decision_free(decision)
	stages := make([]Stage, C.vultus_decision_stage_count(decision))
	for i := range stages {
		took := time.Duration(
			float64(C.vultus_decision_stage_ms(decision, C.size_t(i))) * float64(time.Millisecond),
		)
		stages[i] = Stage{C.GoString(C.vultus_decision_stage_name(decision, C.size_t(i))), took}
	}
	return readDecision(C.GoString(C.vultus_decision_json(decision)), stages)
}

var nothing [1]byte

// start returns where the bytes begin, which is never NULL.
func start(bytes []byte) *C.uint8_t {
	if len(bytes) == 0 {
		bytes = nothing[:]
	}
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(bytes)))
}
