package vultus

// #include <stdlib.h>
// #include <vultus.h>
import "C"

import (
	"context"
	"encoding/json"
	"strings"
	"unsafe"
)

// Engine holds loaded models. Open one and share it between all goroutines.
type Engine struct {
	handle handle
}

// OpenOption changes how an engine is opened.
type OpenOption func(*openOptions)

type openOptions struct {
	precision C.int32_t
	licences  []string
}

// Fast runs the networks with 16-bit integers where they do not change the answer.
func Fast() OpenOption {
	return func(o *openOptions) { o.precision = C.VULTUS_PRECISION_FAST }
}

// AcceptLicences accepts the unknown or non-commercial licence of the weights with these ids.
func AcceptLicences(ids ...string) OpenOption {
	return func(o *openOptions) { o.licences = append(o.licences, ids...) }
}

// Option overrides a default of the policy of one call.
type Option func(policy map[string]any)

// WithFMR sets the operating point: the false match rate, 1e-4 by default. ErrUsage when the pack's calibration does not
// support it.
func WithFMR(rate float64) Option {
	return With("fmr", rate)
}

// With sets a field of the policy, such as With("comparator", "single") or With("pad", "require"). ErrUsage when there is no
// such field.
func With(name string, value any) Option {
	return func(policy map[string]any) { policy[name] = value }
}

// Open loads the model pack in a folder. Nothing else is read, now or later.
func Open(pack string, options ...OpenOption) (*Engine, error) {
	if have := C.vultus_abi_version(); have != C.VULTUS_ABI_VERSION {
		return nil, usage("the library has ABI %d, this package was built for %d", have, C.VULTUS_ABI_VERSION)
	}
	var given openOptions
	for _, option := range options {
		option(&given)
	}
	var bin []unsafe.Pointer
	defer func() {
		for _, p := range bin {
			C.free(p)
		}
	}()
	text := func(s string) (*C.char, error) {
		if strings.ContainsRune(s, 0) {
			return nil, usage("%q holds a NUL, which is not allowed", s)
		}
		c := C.CString(s)
		bin = append(bin, unsafe.Pointer(c))
		return c, nil
	}
	path, err := text(pack)
	if err != nil {
		return nil, err
	}
	settings := C.vultus_engine_options{struct_size: C.sizeof_vultus_engine_options, precision: given.precision}
	if n := len(given.licences); n > 0 {
		array := C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof((*C.char)(nil))))
		bin = append(bin, array)
		for i, id := range given.licences {
			if unsafe.Slice((**C.char)(array), n)[i], err = text(id); err != nil {
				return nil, err
			}
		}
		settings.accepted_licences, settings.accepted_licences_count = (**C.char)(array), C.size_t(n)
	}
	var engine *C.vultus_engine
	var cause *C.vultus_error
	if err := taken(C.vultus_engine_open(path, &settings, &engine, &cause), cause); err != nil {
		return nil, err
	}
	e := new(Engine)
	e.handle.own(unsafe.Pointer(engine), func(p unsafe.Pointer) { C.vultus_engine_free((*C.vultus_engine)(p)) })
	return e, nil
}

// Close waits for the calls that run, then frees the engine. Closing twice is allowed.
func (e *Engine) Close() error {
	return e.handle.close()
}

// Pack returns name and version of the model pack.
func (e *Engine) Pack() (string, error) {
	engine, release, err := e.borrow()
	if err != nil {
		return "", err
	}
	defer release()
	return C.GoString(C.vultus_engine_pack(engine)), nil
}

// Verify decides whether the person of the selfie is the holder of the document. Both are JPEG, PNG or WebP files.
func (e *Engine) Verify(ctx context.Context, selfie, document []byte, options ...Option) (*Decision, error) {
	engine, release, err := e.borrow()
	if err != nil {
		return nil, err
	}
	defer release()
	probe, err := decode(ctx, "selfie", selfie)
	if err != nil {
		return nil, err
	}
	defer freeImage(probe)
	reference, err := decode(ctx, "document", document)
	if err != nil {
		return nil, err
	}
	defer freeImage(reference)
	return decide(ctx, options, func(policy *C.char, decision **C.vultus_decision, cause **C.vultus_error) C.vultus_status {
		return C.vultus_engine_verify(engine, probe, reference, policy, decision, cause)
	})
}

// VerifyTemplate decides whether the person of the selfie is the one enrolled as reference.
func (e *Engine) VerifyTemplate(ctx context.Context, selfie []byte, reference *Template, options ...Option) (*Decision, error) {
	engine, release, err := e.borrow()
	if err != nil {
		return nil, err
	}
	defer release()
	stored, releaseStored, err := reference.borrow("reference")
	if err != nil {
		return nil, err
	}
	defer releaseStored()
	probe, err := decode(ctx, "selfie", selfie)
	if err != nil {
		return nil, err
	}
	defer freeImage(probe)
	return decide(ctx, options, func(policy *C.char, decision **C.vultus_decision, cause **C.vultus_error) C.vultus_status {
		return C.vultus_engine_verify_template(engine, probe, stored, policy, decision, cause)
	})
}

// Enrolment is what enrolling one picture gave.
type Enrolment struct {
	Template *Template       // nil when no face was found: a failure to acquire
	Sample   json.RawMessage // what is known of the picture
}

// Enrol makes a reference of a picture.
func (e *Engine) Enrol(ctx context.Context, picture []byte, role Role) (*Enrolment, error) {
	engine, release, err := e.borrow()
	if err != nil {
		return nil, err
	}
	defer release()
	code, ok := map[Role]C.int32_t{Selfie: C.VULTUS_ROLE_SELFIE, Document: C.VULTUS_ROLE_DOCUMENT}[role]
	if !ok {
		return nil, usage("role: is %q, allowed are %q and %q", role, Selfie, Document)
	}
	image, err := decode(ctx, "picture", picture)
	if err != nil {
		return nil, err
	}
	defer freeImage(image)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var template *C.vultus_template
	var sample *C.vultus_sample
	var cause *C.vultus_error
	if err := taken(C.vultus_engine_enrol(engine, image, code, &template, &sample, &cause), cause); err != nil {
		return nil, err
	}
	defer C.vultus_sample_free(sample)
	enrolment := &Enrolment{Sample: json.RawMessage(C.GoString(C.vultus_sample_json(sample)))}
	if template != nil {
		enrolment.Template = ownTemplate(template)
	}
	return enrolment, nil
}

// ReadTemplate reads what Template.Bytes gave. ErrInput when it is damaged, ErrUnsupported for another version of the format,
// ErrUsage when other weights made it.
func (e *Engine) ReadTemplate(stored []byte) (*Template, error) {
	engine, release, err := e.borrow()
	if err != nil {
		return nil, err
	}
	defer release()
	var template *C.vultus_template
	var cause *C.vultus_error
	if err := taken(C.vultus_template_read(engine, start(stored), C.size_t(len(stored)), &template, &cause), cause); err != nil {
		return nil, err
	}
	return ownTemplate(template), nil
}

// Compare compares two templates.
func (e *Engine) Compare(probe, reference *Template, options ...Option) (*Comparison, error) {
	engine, release, err := e.borrow()
	if err != nil {
		return nil, err
	}
	defer release()
	p, releaseProbe, err := probe.borrow("probe")
	if err != nil {
		return nil, err
	}
	defer releaseProbe()
	r := p
	if reference != probe { // a read lock must not be taken twice
		var releaseReference func()
		if r, releaseReference, err = reference.borrow("reference"); err != nil {
			return nil, err
		}
		defer releaseReference()
	}
	policy, err := policyOf(options)
	if err != nil {
		return nil, err
	}
	defer C.free(unsafe.Pointer(policy))
	c := C.vultus_comparison{struct_size: C.sizeof_vultus_comparison}
	var cause *C.vultus_error
	if err := taken(C.vultus_engine_compare(engine, p, r, policy, &c, &cause), cause); err != nil {
		return nil, err
	}
	point := OperatingPoint{
		FMR:         float64(c.fmr),
		FMRInterval: [2]float64{float64(c.fmr_low), float64(c.fmr_high)},
		Threshold:   float32(c.threshold),
		NonMated:    uint64(c.non_mated),
	}
	return &Comparison{Match: c.result == C.VULTUS_MATCH, Score: float32(c.score), OperatingPoint: point}, nil
}

func (e *Engine) borrow() (*C.vultus_engine, func(), error) {
	pointer, release, err := e.handle.borrow()
	return (*C.vultus_engine)(pointer), release, err
}

func (t *Template) borrow(argument string) (*C.vultus_template, func(), error) {
	if t == nil {
		return nil, nil, usage("%s: is nil, which is not allowed", argument)
	}
	pointer, release, err := t.handle.borrow()
	return (*C.vultus_template)(pointer), release, err
}

// decide hands the policy to a C call that makes a decision, and reads that.
func decide(ctx context.Context, options []Option,
	call func(*C.char, **C.vultus_decision, **C.vultus_error) C.vultus_status) (*Decision, error) {
	policy, err := policyOf(options)
	if err != nil {
		return nil, err
	}
	defer C.free(unsafe.Pointer(policy))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var decision *C.vultus_decision
	var cause *C.vultus_error
	if err := taken(call(policy, &decision, &cause), cause); err != nil {
		return nil, err
	}
	defer C.vultus_decision_free(decision)
	return readDecision(C.GoString(C.vultus_decision_json(decision)))
}

func freeImage(image *C.vultus_image) {
	C.vultus_image_free(image)
}

// decode returns a picture, which the caller frees.
func decode(ctx context.Context, argument string, file []byte) (*C.vultus_image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var image *C.vultus_image
	var cause *C.vultus_error
	err := taken(C.vultus_image_decode(start(file), C.size_t(len(file)), nil, &image, &cause), cause)
	if fault, ok := err.(*Error); ok {
		fault.Message = argument + ": " + strings.TrimPrefix(fault.Message, "file: ")
	}
	return image, err
}

var nothing [1]byte

// start returns where the bytes begin, which is never NULL.
func start(bytes []byte) *C.uint8_t {
	if len(bytes) == 0 {
		bytes = nothing[:]
	}
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(bytes)))
}

// policyOf returns the policy as JSON, which the caller frees; NULL for the default.
func policyOf(options []Option) (*C.char, error) {
	if len(options) == 0 {
		return nil, nil
	}
	policy := make(map[string]any)
	for _, option := range options {
		option(policy)
	}
	text, err := json.Marshal(policy)
	if err != nil {
		return nil, usage("policy: %v", err)
	}
	return C.CString(string(text)), nil
}
