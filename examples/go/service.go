package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	vultus "github.com/vultus/vultus/ffi/go"
)

// Limits bound what the service takes: its memory is that of Admitted bodies and Parallel
// verifications.
type Limits struct {
	BodyBytes int64         // length of a request
	Parallel  int           // verifications at once
	Admitted  int           // requests at once; more are turned away
	Read      time.Duration // for a client to send its request
	Answer    time.Duration // for a request to get its turn
}

// Service is the HTTP interface of an engine.
type Service struct {
	engine             *vultus.Engine
	limits             Limits
	admitted, parallel chan struct{}
	routes             http.Handler
	decisions, refused *prometheus.CounterVec
	seconds            prometheus.Histogram
}

// NewService returns the routes over an engine, with metrics of their own.
func NewService(engine *vultus.Engine, limits Limits) *Service {
	s := &Service{
		engine:   engine,
		limits:   limits,
		admitted: make(chan struct{}, limits.Admitted),
		parallel: make(chan struct{}, limits.Parallel),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vultus_decisions_total", Help: "Decisions by outcome."}, []string{"outcome"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vultus_refused_total", Help: "Requests without a decision, by " +
				"status."}, []string{"status"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vultus_verify_seconds", Help: "Time of a verification, without waiting for " +
				"its turn.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 10)}),
	}
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "vultus_requests_in_flight", Help: "Requests that are " +
			"held."}, func() float64 { return float64(len(s.admitted)) })
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.decisions, s.refused, s.seconds, inFlight, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	routes := http.NewServeMux()
	routes.HandleFunc("POST /verify", s.verify)
	routes.HandleFunc(
		"GET /healthz",
		func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") },
	)
	routes.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	s.routes = routes
	return s
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.routes.ServeHTTP(w, r)
}

func (s *Service) verify(w http.ResponseWriter, r *http.Request) {
	select {
	case s.admitted <- struct{}{}:
		defer func() { <-s.admitted }()
	default:
		w.Header().Set("Retry-After", "1")
		s.refuse(w, http.StatusServiceUnavailable, "too many requests are being answered")
		return
	}
	selfie, document, err := s.pictures(w, r)
	if err != nil {
		status := http.StatusBadRequest
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			status, err = http.StatusRequestEntityTooLarge, fmt.Errorf(
				"the request has more than %d bytes",
				tooLarge.Limit,
			)
		}
		s.refuse(w, status, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.Answer)
	defer cancel()
	select {
	case s.parallel <- struct{}{}:
		defer func() { <-s.parallel }()
	case <-ctx.Done():
		s.refuse(w, http.StatusServiceUnavailable, "the verification did not get its turn in time")
		return
	}
	start := time.Now()
	decision, err := s.engine.Verify(ctx, selfie, document)
	if err != nil {
		s.refuse(w, statusOf(err), err.Error())
		return
	}
	s.seconds.Observe(time.Since(start).Seconds())
	s.decisions.WithLabelValues(string(decision.Outcome)).Inc()
	w.Header().Set("Content-Type", "application/json")
	w.Write(decision.JSON)
}

// pictures reads the two files of the form into memory; nothing of a person is written to disk.
func (s *Service) pictures(
	w http.ResponseWriter,
	r *http.Request,
) (selfie, document []byte, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, s.limits.BodyBytes)
	form, err := r.MultipartReader()
	if err != nil {
		return nil, nil, err
	}
	files := map[string]*[]byte{"selfie": &selfie, "document": &document}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		file, ok := files[part.FormName()]
		if !ok || *file != nil {
			return nil, nil, fmt.Errorf(
				"field %q is unknown or given twice; allowed are selfie and document, once each",
				part.FormName(),
			)
		}
		if *file, err = io.ReadAll(part); err != nil {
			return nil, nil, err
		}
	}
	for name, file := range files {
		if *file == nil {
			return nil, nil, fmt.Errorf("the file %q is missing", name)
		}
	}
	return selfie, document, nil
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, vultus.ErrInput),
		errors.Is(err, vultus.ErrLimit),
		errors.Is(err, vultus.ErrUnsupported):
		return http.StatusUnprocessableEntity
	case errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, context.Canceled),
		errors.Is(err, vultus.ErrClosed):
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

func (s *Service) refuse(w http.ResponseWriter, status int, message string) {
	s.refused.WithLabelValues(fmt.Sprint(status)).Inc()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": message})
}
