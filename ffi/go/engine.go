package vultus

// #include <stdlib.h>
// #include <vultus.h>
import "C"

import (
	"context"
	"encoding/json"
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
	parallel  C.uint32_t
	expected  string // of the pack: its id
	licences  []string
}

// Fast runs the networks with 16-bit integers where they do not change the answer.
func Fast() OpenOption {
	return func(o *openOptions) { o.precision = C.VULTUS_PRECISION_FAST }
}

// Parallel spreads each call over a pool of threads, as many as there are cores, for a shorter wait
// where the cores would be idle. Without it a call stays on its thread, and many at once use all
// cores best. The answers are the same.
func Parallel() OpenOption {
	return func(o *openOptions) { o.parallel = 1 }
}

// AcceptLicences accepts the unknown or non-commercial licence of the weights with these ids.
func AcceptLicences(ids ...string) OpenOption {
	return func(o *openOptions) { o.licences = append(o.licences, ids...) }
}

// ExpectPack demands the id of the pack, 64 hexadecimal digits as a decision tells it: ErrModel for
// another one. A pack's own hashes find damage, not somebody who changed them too.
func ExpectPack(id string) OpenOption {
	return func(o *openOptions) { o.expected = id }
}

// Option overrides a default of the policy of one call.
type Option func(policy map[string]any)

// WithFMR sets the operating point: the false match rate, 1e-4 by default. ErrUsage when the pack's
// calibration does not support it.
func WithFMR(rate float64) Option {
	return With("fmr", rate)
}

// With sets a field of the policy, such as With("comparator", "single") or With("pad", "require").
// ErrUsage when there is no such field.
func With(name string, value any) Option {
	return func(policy map[string]any) { policy[name] = value }
}

// Open loads the model pack in a folder. Nothing else is read, now or later.
func Open(pack string, options ...OpenOption) (*Engine, error) {
	if have := C.vultus_abi_version(); have != C.VULTUS_ABI_VERSION {
		return nil, usage(
			"the library has ABI %d, this package was built for %d",
			have,
			C.VULTUS_ABI_VERSION,
		)
	}
	var given openOptions
	for _, option := range options {
		option(&given)
	}
	c := begin(context.Background())
	defer c.end()
	path := c.text(pack)
	settings := C.vultus_engine_options{
		struct_size: C.sizeof_vultus_engine_options,
		precision:   given.precision,
		parallel:    given.parallel,
	}
	if n := len(given.licences); n > 0 {
		array := C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof((*C.char)(nil))))
		defer C.free(array)
		for i, id := range given.licences {
			unsafe.Slice((**C.char)(array), n)[i] = c.text(id)
		}
		settings.accepted_licences, settings.accepted_licences_count = (**C.char)(
			array,
		), C.size_t(
			n,
		)
	}
	if given.expected != "" {
		settings.expected_pack = c.text(given.expected)
	}
	var engine *C.vultus_engine
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_engine_open(path, &settings, &engine, cause)
	}); err != nil {
		return nil, err
	}
	e := new(Engine)
	e.handle.own(
		unsafe.Pointer(engine),
		func(p unsafe.Pointer) { C.vultus_engine_free((*C.vultus_engine)(p)) },
	)
	return e, nil
}

// Close waits for the calls that run, then frees the engine. Closing twice is allowed.
func (e *Engine) Close() error {
	return e.handle.close()
}

// Pack returns name and version of the model pack.
func (e *Engine) Pack() (string, error) {
	c := begin(context.Background())
	defer c.end()
	return C.GoString(C.vultus_engine_pack(c.engine(e))), c.err
}

// Verify decides whether the person of the selfie is that of the reference picture. Both are JPEG,
// PNG or WebP files.
func (e *Engine) Verify(
	ctx context.Context,
	selfie, document []byte,
	options ...Option,
) (*Decision, error) {
	c := begin(ctx)
	defer c.end()
	engine, probe, reference, policy := c.engine(
		e,
	), c.picture(
		"selfie",
		selfie,
	), c.picture(
		"document",
		document,
	), c.policy(
		options,
	)
	return c.decide(func(decision **C.vultus_decision, cause **C.vultus_error) C.vultus_status {
		return C.vultus_engine_verify(engine, probe, reference, policy, decision, cause)
	})
}

// VerifyTemplate decides whether the person of the selfie is the one enrolled as reference.
func (e *Engine) VerifyTemplate(
	ctx context.Context,
	selfie []byte,
	reference *Template,
	options ...Option,
) (*Decision, error) {
	c := begin(ctx)
	defer c.end()
	engine, stored, probe, policy := c.engine(
		e,
	), c.template(
		"reference",
		reference,
	), c.picture(
		"selfie",
		selfie,
	), c.policy(
		options,
	)
	return c.decide(func(decision **C.vultus_decision, cause **C.vultus_error) C.vultus_status {
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
	c := begin(ctx)
	defer c.end()
	engine := c.engine(e)
	code, ok := map[Role]C.int32_t{
		Selfie:   C.VULTUS_ROLE_SELFIE,
		Document: C.VULTUS_ROLE_DOCUMENT,
	}[role]
	if !ok {
		c.refuse("role: is %q, allowed are %q and %q", role, Selfie, Document)
	}
	image := c.picture("picture", picture)
	var template *C.vultus_template
	var sample *C.vultus_sample
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_engine_enrol(engine, image, code, &template, &sample, cause)
	}); err != nil {
		return nil, err
	}
	defer C.vultus_sample_free(sample)
	enrolment := &Enrolment{Sample: json.RawMessage(C.GoString(C.vultus_sample_json(sample)))}
	if template != nil {
		enrolment.Template = ownTemplate(template)
	}
	return enrolment, nil
}

// ReadTemplate reads what Template.Bytes gave. ErrInput when it is damaged, ErrUnsupported for
// another version of the format, ErrUsage when other weights made it.
func (e *Engine) ReadTemplate(stored []byte) (*Template, error) {
	c := begin(context.Background())
	defer c.end()
	engine := c.engine(e)
	var template *C.vultus_template
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_template_read(engine, start(stored), C.size_t(len(stored)), &template, cause)
	}); err != nil {
		return nil, err
	}
	return ownTemplate(template), nil
}

// Compare compares two templates.
func (e *Engine) Compare(probe, reference *Template, options ...Option) (*Comparison, error) {
	c := begin(context.Background())
	defer c.end()
	engine, p := c.engine(e), c.template("probe", probe)
	r := p
	if reference != probe { // a read lock must not be taken twice
		r = c.template("reference", reference)
	}
	policy := c.policy(options)
	found := C.vultus_comparison{struct_size: C.sizeof_vultus_comparison}
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_engine_compare(engine, p, r, policy, &found, cause)
	}); err != nil {
		return nil, err
	}
	point := OperatingPoint{
		FMR:         float64(found.fmr),
		FMRInterval: [2]float64{float64(found.fmr_low), float64(found.fmr_high)},
		Threshold:   float32(found.threshold),
		NonMated:    uint64(found.non_mated),
	}
	return &Comparison{
		Match:          found.result == C.VULTUS_MATCH,
		Score:          float32(found.score),
		OperatingPoint: point,
	}, nil
}
