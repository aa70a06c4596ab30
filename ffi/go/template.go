package vultus

// #include <vultus.h>
import "C"

import (
	"context"
	"unsafe"
)

// Template is a stored reference. It is biometric data. Close it to wipe it at once.
type Template struct {
	handle handle
}

func ownTemplate(template *C.vultus_template) *Template {
	t := new(Template)
	t.handle.own(
		unsafe.Pointer(template),
		func(p unsafe.Pointer) { C.vultus_template_free((*C.vultus_template)(p)) },
	)
	return t
}

// Bytes returns a copy of the bytes to store. Encrypt them.
func (t *Template) Bytes() ([]byte, error) {
	c := begin(context.Background())
	defer c.end()
	var length C.size_t
	bytes := C.vultus_template_bytes(c.template("template", t), &length)
	return C.GoBytes(unsafe.Pointer(bytes), C.int(length)), c.err
}

// Quality returns the unified quality score of the sample that it came from, 0 to 100, higher is
// better.
func (t *Template) Quality() (int, error) {
	c := begin(context.Background())
	defer c.end()
	return int(C.vultus_template_quality(c.template("template", t))), c.err
}

// Close wipes and frees the template. Closing twice is allowed.
func (t *Template) Close() error {
	return t.handle.close()
}
