package vultus

// #include <vultus.h>
import "C"

import (
	"context"
	"unsafe"
)

// Gallery holds references by number, and finds those that are most alike to a probe (1:N). It is
// safe for concurrent use: searches run at once, changes one after the other. It is biometric data.
// Close it to wipe it at once.
type Gallery struct {
	handle handle
}

// Candidate is one reference that a search found.
type Candidate struct {
	ID    uint64  // the number that it was inserted under
	Score float32 // -1 to 1; larger means more alike
}

// NewGallery makes an empty gallery for templates of the engine, which it does not need any more.
func (e *Engine) NewGallery() (*Gallery, error) {
	c := begin(context.Background())
	defer c.end()
	engine := c.engine(e)
	var gallery *C.vultus_gallery
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_gallery_new(engine, &gallery, cause)
	}); err != nil {
		return nil, err
	}
	g := new(Gallery)
	g.handle.own(
		unsafe.Pointer(gallery),
		func(p unsafe.Pointer) { C.vultus_gallery_free((*C.vultus_gallery)(p)) },
	)
	return g, nil
}

// GalleryThreshold returns the threshold for a search among so many references: scores from there
// on come up for a person who is not among them with the probability fpir, the false positive
// identification rate. ErrUsage when the pack's calibration does not reach so far, which a larger
// fpir or fewer references cure.
func (e *Engine) GalleryThreshold(size int, fpir float64) (*OperatingPoint, error) {
	c := begin(context.Background())
	defer c.end()
	if size < 0 {
		c.refuse("size: is %d, numbers of references are not negative", size)
	}
	engine := c.engine(e)
	point := C.vultus_operating_point{struct_size: C.sizeof_vultus_operating_point}
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_engine_gallery_threshold(engine, C.size_t(size), C.double(fpir), &point, cause)
	}); err != nil {
		return nil, err
	}
	return &OperatingPoint{
		FMR:         float64(point.fmr),
		FMRInterval: [2]float64{float64(point.fmr_low), float64(point.fmr_high)},
		Threshold:   float32(point.threshold),
		NonMated:    uint64(point.non_mated),
	}, nil
}

// Insert adds a copy of the reference under a number. ErrUsage when the number is taken.
func (g *Gallery) Insert(id uint64, reference *Template) error {
	c := begin(context.Background())
	defer c.end()
	gallery, template := c.gallery(g), c.template("reference", reference)
	return c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_gallery_insert(gallery, C.uint64_t(id), template, cause)
	})
}

// Remove wipes the reference with a number, and returns whether there was one.
func (g *Gallery) Remove(id uint64) (bool, error) {
	c := begin(context.Background())
	defer c.end()
	gallery := c.gallery(g)
	var removed C.int32_t
	err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_gallery_remove(gallery, C.uint64_t(id), &removed, cause)
	})
	return removed != 0, err
}

// Len returns how many references it holds.
func (g *Gallery) Len() (int, error) {
	c := begin(context.Background())
	defer c.end()
	return int(C.vultus_gallery_count(c.gallery(g))), c.err
}

// Search returns the references that are most alike to the probe, the best first, so many at most.
// The scores are those of Compare. Whether one of them is a match, Engine.GalleryThreshold says.
func (g *Gallery) Search(probe *Template, most int) ([]Candidate, error) {
	c := begin(context.Background())
	defer c.end()
	if most < 0 {
		c.refuse("most: is %d, numbers of candidates are not negative", most)
	}
	gallery, template := c.gallery(g), c.template("probe", probe)
	var found *C.vultus_candidates
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_gallery_search(gallery, template, C.size_t(most), &found, cause)
	}); err != nil {
		return nil, err
	}
	defer C.vultus_candidates_free(found)
	candidates := make([]Candidate, C.vultus_candidates_count(found))
	for i := range candidates {
		candidate := C.vultus_candidate{struct_size: C.sizeof_vultus_candidate}
		c.run(func(cause **C.vultus_error) C.vultus_status {
			return C.vultus_candidates_get(found, C.size_t(i), &candidate, cause)
		})
		candidates[i] = Candidate{uint64(candidate.id), float32(candidate.score)}
	}
	return candidates, c.err
}

// Close wipes and frees the gallery, after the searches that run. Closing twice is allowed.
func (g *Gallery) Close() error {
	return g.handle.close()
}
