package vultus

// #include <vultus.h>
import "C"

import "unsafe"

// Template is a stored reference. It is biometric data. Close it to wipe it at once.
type Template struct {
	handle handle
}

func ownTemplate(template *C.vultus_template) *Template {
	t := new(Template)
	t.handle.own(unsafe.Pointer(template), func(p unsafe.Pointer) { C.vultus_template_free((*C.vultus_template)(p)) })
	return t
}

// Bytes returns a copy of the bytes to store. Encrypt them.
func (t *Template) Bytes() ([]byte, error) {
	pointer, release, err := t.handle.borrow()
	if err != nil {
		return nil, err
	}
	defer release()
	var length C.size_t
	bytes := C.vultus_template_bytes((*C.vultus_template)(pointer), &length)
	return C.GoBytes(unsafe.Pointer(bytes), C.int(length)), nil
}

// Quality returns the unified quality score of the sample that it came from, 0 to 100, higher is better.
func (t *Template) Quality() (int, error) {
	pointer, release, err := t.handle.borrow()
	if err != nil {
		return 0, err
	}
	defer release()
	return int(C.vultus_template_quality((*C.vultus_template)(pointer))), nil
}

// Close wipes and frees the template. Closing twice is allowed.
func (t *Template) Close() error {
	return t.handle.close()
}
