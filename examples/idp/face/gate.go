package face

import (
	"context"
	"errors"
	"time"
)

// ErrBusy says that the service has more to do than it can: come again a little later.
var ErrBusy = errors.New("too many verifications wait for their turn")

// Gate bounds how many calls of the engine run and how many wait for that, and so the time and the
// memory of all of them.
type Gate struct {
	waiting, running chan struct{}
	patience         time.Duration
}

// NewGate returns a gate that lets some run and some more wait, each for so long at most.
func NewGate(running, waiting int, patience time.Duration) *Gate {
	return &Gate{make(chan struct{}, running+waiting), make(chan struct{}, running), patience}
}

// Enter takes a place in the queue at once, or ErrBusy. Read what was sent only after it: its
// memory is bounded by it.
func (g *Gate) Enter() (*Turn, error) {
	select {
	case g.waiting <- struct{}{}:
		return &Turn{gate: g}, nil
	default:
		return nil, ErrBusy
	}
}

// EnterIdle lets in what may be left out: only when nobody waits.
func (g *Gate) EnterIdle() (*Turn, error) {
	select {
	case g.waiting <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case g.running <- struct{}{}:
		return &Turn{g, true}, nil
	default:
		<-g.waiting
		return nil, ErrBusy
	}
}

// Waiting returns how many are inside.
func (g *Gate) Waiting() int { return len(g.waiting) }

// Turn is a place in the queue.
type Turn struct {
	gate    *Gate
	running bool
}

// Wait returns when it is this turn's time to run, or ErrBusy when that takes too long.
func (t *Turn) Wait(ctx context.Context) error {
	late := time.NewTimer(t.gate.patience)
	defer late.Stop()
	select {
	case t.gate.running <- struct{}{}:
		t.running = true
		return nil
	case <-late.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave gives the place back. Call it once.
func (t *Turn) Leave() {
	if t.running {
		<-t.gate.running
	}
	<-t.gate.waiting
}
