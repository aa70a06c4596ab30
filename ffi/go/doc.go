// Package vultus verifies people on the device: is this a real person, and the right one?
//
// It binds the C library, which pkg-config must find under the name vultus (make -C ffi install).
//
// An [Engine] is safe for concurrent use; calls on it do not wait for each other, and an answer
// does not depend on what else runs. What the pictures show is never an error: no face, an attack
// and a non-match are a [Decision] with reasons. An error is an [*Error], whose [Kind] errors.Is
// finds, or [ErrClosed], or the error of the context.
//
// A context is looked at between the steps of a call: decoding each picture, and the decision. A
// step that runs is not interrupted.
package vultus

// #cgo pkg-config: vultus
// #include <vultus.h>
import "C"

// Version returns the version of the C library.
func Version() string {
	return C.GoString(C.vultus_version())
}

// liveObjects returns how many C objects exist, for tests that look for leaks.
func liveObjects() int {
	return int(C.vultus_live_objects())
}
