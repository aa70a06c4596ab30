package service

import (
	"context"
	"log/slog"
	"time"
)

// Background does what is due until ctx ends. Every instance may run it: the database says who does
// what.
func (s *Service) Background(ctx context.Context) {
	for _, task := range []struct {
		name  string
		every time.Duration
		run   func(context.Context) error
	}{
		{"key rotation", time.Hour, s.keys.Rotate},
		{"events", time.Second, s.assurance.Push},
		{"assessment", 10 * time.Minute, s.assurance.Reassess},
		{"retention", time.Hour, s.assurance.Retain},
		// So that nobody who was deleted stays in memory.
		{"gallery", time.Minute, s.verification.SyncGallery},
	} {
		go func() {
			ticker := time.NewTicker(task.every)
			defer ticker.Stop()
			for {
				if err := task.run(ctx); err != nil && ctx.Err() == nil {
					slog.ErrorContext(
						ctx,
						"background task failed",
						"task",
						task.name,
						"error",
						err,
					)
				}
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
			}
		}()
	}
}
