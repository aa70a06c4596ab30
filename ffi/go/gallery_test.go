package vultus

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
)

func gallery(t *testing.T, references ...*Template) *Gallery {
	t.Helper()
	g, err := engine.NewGallery()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	for i, reference := range references {
		if err := g.Insert(uint64(i), reference); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestGalleryFindsTheMostAlike(t *testing.T) {
	probe := enrol(t, photo("obama2.jpg"), Selfie)
	holder, other := enrol(
		t,
		photo("specimen-obama.png"),
		Document,
	), enrol(
		t,
		photo("biden.jpg"),
		Selfie,
	)
	g := gallery(t, other, holder, other)
	found, err := g.Search(probe, 5)
	if err != nil || len(found) != 3 || found[0].ID != 1 || found[1].ID != 0 || found[2].ID != 2 ||
		found[1].Score != found[2].Score {
		t.Fatalf("%+v, %v", found, err)
	}
	if c, err := engine.Compare(probe, holder); err != nil || c.Score != found[0].Score {
		t.Errorf("%+v, %v, found %+v", c, err, found[0])
	}
	point, err := engine.GalleryThreshold(3, 1e-3)
	if err != nil || found[0].Score < point.Threshold || found[1].Score >= point.Threshold ||
		point.NonMated == 0 {
		t.Errorf("%+v, %v, found %+v", point, err, found)
	}
	if larger, err := engine.GalleryThreshold(30, 1e-3); err != nil ||
		larger.Threshold <= point.Threshold {
		t.Errorf("%+v, %v", larger, err)
	}
	if found, err := g.Search(probe, 1); err != nil || len(found) != 1 || found[0].ID != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	for _, expected := range []bool{true, false} {
		if removed, err := g.Remove(1); err != nil || removed != expected {
			t.Errorf("%v, %v", removed, err)
		}
	}
	if n, err := g.Len(); err != nil || n != 2 {
		t.Errorf("%d, %v", n, err)
	}
	if found, err := g.Search(probe, 0); err != nil || len(found) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestGalleryBadInput(t *testing.T) {
	template := enrol(t, photo("obama2.jpg"), Selfie)
	g, closed := gallery(t, template), gallery(t)
	closed.Close()
	search := func(g *Gallery, probe *Template, most int) func() error {
		return func() error { _, err := g.Search(probe, most); return err }
	}
	threshold := func(size int, fpir float64) func() error {
		return func() error { _, err := engine.GalleryThreshold(size, fpir); return err }
	}
	for name, test := range map[string]struct {
		call func() error
		is   error
		part string
	}{
		"taken number": {func() error { return g.Insert(0, template) }, ErrUsage, "id 0 " +
			"already"},
		"nil reference": {func() error { return g.Insert(1, nil) }, ErrUsage, "reference: " +
			"is nil"},
		"nil probe":         {search(g, nil, 1), ErrUsage, "probe: is nil"},
		"negative most":     {search(g, template, -1), ErrUsage, "most: is -1"},
		"search on closed":  {search(closed, template, 1), ErrClosed, ""},
		"insert in closed":  {func() error { return closed.Insert(1, template) }, ErrClosed, ""},
		"remove of closed":  {func() error { _, err := closed.Remove(1); return err }, ErrClosed, ""},
		"length of closed":  {func() error { _, err := closed.Len(); return err }, ErrClosed, ""},
		"negative size":     {threshold(-1, 0.01), ErrUsage, "size: is -1"},
		"empty gallery":     {threshold(0, 0.01), ErrUsage, "size 0"},
		"no rate":           {threshold(1, math.NaN()), ErrUsage, "fpir is NaN"},
		"out of the tables": {threshold(math.MaxInt, 0.01), ErrUsage, "is not supported"},
	} {
		if err := test.call(); !errors.Is(err, test.is) ||
			!strings.Contains(err.Error(), test.part) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGalleryIsSearchedWhileItChanges(t *testing.T) {
	probe := enrol(t, photo("obama2.jpg"), Selfie)
	g := gallery(t, probe)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			id := uint64(worker + 1)
			for range 20 {
				if err := g.Insert(id, probe); err != nil {
					t.Error(err)
				}
				if found, err := g.Search(probe, 20); err != nil || len(found) < 2 ||
					found[0].ID != 0 ||
					found[0].Score < 0.999 {
					t.Errorf("%+v, %v", found, err)
				}
				if removed, err := g.Remove(id); err != nil || !removed {
					t.Errorf("%v, %v", removed, err)
				}
			}
		}()
	}
	group.Wait()
	if n, err := g.Len(); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
}
