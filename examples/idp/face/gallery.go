package face

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/vault"
	vultus "github.com/vultus/vultus/ffi/go"
)

// Gallery is everybody who is enrolled, in memory, for the search for the same face under another
// name. Searches run at once.
type Gallery struct {
	engine *Engine
	vault  *vault.Vault
	people *vultus.Gallery
	lock   sync.RWMutex
	last   int64 // all templates up to this number are in it
	owners map[int64]string
}

// NewGallery returns an empty gallery; Sync fills it.
func NewGallery(engine *Engine, v *vault.Vault) (*Gallery, error) {
	people, err := engine.vultus.NewGallery()
	if err != nil {
		return nil, err
	}
	return &Gallery{engine: engine, vault: v, people: people, owners: make(map[int64]string)}, nil
}

// Place names the row of a template to the vault.
func Place(user string) string { return "templates/" + user }

// Sync reads the templates that came since the last time, from this instance or another, and wipes
// those that were deleted.
func (g *Gallery) Sync(ctx context.Context, q store.Queryer) error {
	g.lock.Lock()
	defer g.lock.Unlock()
	// The counter is read first: all templates up to it are either there or deleted.
	var newest, count int64
	if err := q.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = "+
		"'template'").Scan(&newest); err != nil {
		return err
	}
	rows, err := q.QueryContext(
		ctx,
		"SELECT number, user_id, sealed FROM templates WHERE number > $1 AND number <= $2 ORDER "+
			"BY number",
		g.last,
		newest,
	)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var owner string
		var sealed []byte
		if err := rows.Scan(&number, &owner, &sealed); err != nil {
			return err
		}
		if err := g.insert(number, owner, sealed); err != nil {
			return fmt.Errorf("template of %s: %w", owner, err)
		}
		g.last = number
	}
	if err := rows.Err(); err != nil {
		return err
	}
	g.last = newest
	if err := q.QueryRowContext(ctx, "SELECT count(*) FROM templates WHERE number <= "+
		"$1", newest).Scan(&count); err != nil ||
		count == int64(len(g.owners)) {
		return err
	}
	return g.forget(ctx, q)
}

func (g *Gallery) insert(number int64, owner string, sealed []byte) error {
	plain, err := g.vault.Open(Place(owner), sealed)
	if err != nil {
		return err
	}
	template, err := g.engine.vultus.ReadTemplate(plain)
	if err != nil {
		return err
	}
	defer template.Close()
	if err := g.people.Insert(uint64(number), template); err != nil {
		return err
	}
	g.owners[number] = owner
	return nil
}

// forget wipes what is not in the database any more.
func (g *Gallery) forget(ctx context.Context, q store.Queryer) error {
	rows, err := q.QueryContext(ctx, "SELECT number FROM templates")
	if err != nil {
		return err
	}
	defer rows.Close()
	stored := make(map[int64]bool, len(g.owners))
	for rows.Next() {
		var number int64
		if err := rows.Scan(&number); err != nil {
			return err
		}
		stored[number] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for number := range g.owners {
		if stored[number] {
			continue
		}
		if _, err := g.people.Remove(uint64(number)); err != nil {
			return err
		}
		delete(g.owners, number)
	}
	return nil
}

// Search is what a search found.
type Search struct {
	Searched  int
	Threshold float32
	FPIR      float64
	Best      *float32
	Owners    []string // of the templates that match; some may have been deleted since
	Upto      int64    // number of the newest template that was searched
}

// Search looks for the face of a template among all who are enrolled, at the threshold that holds
// the false positive identification rate for so many.
func (g *Gallery) Search(template []byte, fpir float64) (*Search, error) {
	g.lock.RLock()
	defer g.lock.RUnlock()
	s := &Search{Searched: len(g.owners), FPIR: fpir, Upto: g.last}
	if s.Searched == 0 {
		return s, nil
	}
	probe, err := g.engine.vultus.ReadTemplate(template)
	if err != nil {
		return nil, err
	}
	defer probe.Close()
	if s.Threshold, s.FPIR, err = g.engine.threshold(s.Searched, fpir); err != nil {
		return nil, err
	}
	for most := 8; ; most *= 8 {
		found, err := g.people.Search(probe, most)
		if err != nil {
			return nil, err
		}
		s.Best, s.Owners = &found[0].Score, nil
		for _, candidate := range found {
			if candidate.Score >= s.Threshold {
				s.Owners = append(s.Owners, g.owners[int64(candidate.ID)])
			}
		}
		if len(s.Owners) < most { // there may be more behind them otherwise
			return s, nil
		}
	}
}

// threshold returns the threshold that holds a false positive identification rate among so many.
// Where that asks for more than the pack's calibration reaches, it is the strictest that the
// calibration does reach, with the rate that this holds.
func (e *Engine) threshold(size int, fpir float64) (threshold float32, holds float64, err error) {
	for {
		point, err := e.vultus.GalleryThreshold(size, fpir)
		if err == nil {
			return point.Threshold, fpir, nil
		}
		if fpir *= 1.05; fpir >= 1 || !errors.Is(err, vultus.ErrUsage) {
			return 0, 0, err
		}
	}
}
