package face

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/vultus/vultus/examples/idp/store"
	"github.com/vultus/vultus/examples/idp/vault"
	vultus "github.com/vultus/vultus/ffi/go"
)

// Gallery is everybody who is enrolled, in memory, for the search for the same face under another name.
type Gallery struct {
	engine *Engine
	vault  *vault.Vault
	lock   sync.Mutex
	last   int64 // all templates up to this number are in it
	owners map[int64]string
	people map[int64]*vultus.Template
}

// NewGallery returns an empty gallery; Sync fills it.
func NewGallery(engine *Engine, v *vault.Vault) *Gallery {
	return &Gallery{engine: engine, vault: v, owners: make(map[int64]string), people: make(map[int64]*vultus.Template)}
}

// Place names the row of a template to the vault.
func Place(user string) string { return "templates/" + user }

// Sync reads the templates that came since the last time, from this instance or another.
func (g *Gallery) Sync(ctx context.Context, q store.Queryer) error {
	g.lock.Lock()
	defer g.lock.Unlock()
	// The counter is read first: all templates up to it are either there or deleted.
	var newest int64
	if err := q.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = 'template'").Scan(&newest); err != nil {
		return err
	}
	rows, err := q.QueryContext(ctx, "SELECT number, user_id, sealed FROM templates WHERE number > $1 ORDER BY number", g.last)
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
		plain, err := g.vault.Open(Place(owner), sealed)
		if err != nil {
			return err
		}
		template, err := g.engine.vultus.ReadTemplate(plain)
		if err != nil {
			return fmt.Errorf("template of %s: %w", owner, err)
		}
		g.owners[number], g.people[number] = owner, template
	}
	if err := rows.Err(); err != nil {
		return err
	}
	g.last = newest
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

// Search looks for the face of a template among all but one owner. The threshold holds the false positive identification rate
// for a gallery of this size: each comparison gets its share of it.
func (g *Gallery) Search(ctx context.Context, template []byte, but string, fpir float64) (*Search, error) {
	g.lock.Lock()
	defer g.lock.Unlock()
	s := &Search{Searched: len(g.people), FPIR: fpir, Upto: g.last}
	if s.Searched == 0 {
		return s, nil
	}
	probe, err := g.engine.vultus.ReadTemplate(template)
	if err != nil {
		return nil, err
	}
	defer probe.Close()
	rate := -math.Expm1(math.Log1p(-fpir) / float64(s.Searched))
	for number, reference := range g.people {
		if g.owners[number] == but {
			continue
		}
		c, err := g.engine.vultus.Compare(probe, reference, vultus.WithFMR(rate))
		if err != nil {
			return nil, err
		}
		s.Threshold = c.OperatingPoint.Threshold
		if s.Best == nil || c.Score > *s.Best {
			s.Best = &c.Score
		}
		if c.Match {
			s.Owners = append(s.Owners, g.owners[number])
		}
	}
	return s, nil
}
