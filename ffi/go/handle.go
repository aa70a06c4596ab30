package vultus

import (
	"runtime"
	"sync"
	"unsafe"
)

// handle owns a C object. Closing waits for the calls that use it; what is never closed is freed
// when it is collected.
type handle struct {
	mu      sync.RWMutex
	pointer unsafe.Pointer
	free    func(unsafe.Pointer)
	cleanup runtime.Cleanup
}

func (h *handle) own(pointer unsafe.Pointer, free func(unsafe.Pointer)) {
	h.pointer, h.free = pointer, free
	h.cleanup = runtime.AddCleanup(h, free, pointer)
}

// borrow returns the C object, which lives until release is called.
func (h *handle) borrow() (pointer unsafe.Pointer, release func(), err error) {
	h.mu.RLock()
	if h.pointer == nil {
		h.mu.RUnlock()
		return nil, nil, ErrClosed
	}
	return h.pointer, h.mu.RUnlock, nil
}

func (h *handle) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pointer != nil {
		h.cleanup.Stop()
		h.free(h.pointer)
		h.pointer = nil
	}
	return nil
}
