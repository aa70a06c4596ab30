package verification

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vultus/vultus/examples/idp/face"
)

// Metrics are what the service counts.
type Metrics struct {
	decisions, faults *prometheus.CounterVec
	seconds           prometheus.Histogram
}

// NewMetrics registers them.
func NewMetrics(registry prometheus.Registerer, gate *face.Gate) *Metrics {
	m := &Metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idp_judgements_total", Help: "Judgements of the engine by " +
				"outcome."}, []string{"outcome"}),
		faults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idp_refused_total", Help: "Calls of the page that were refused, by " +
				"code."}, []string{"code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "idp_engine_seconds", Help: "Time in the engine for one " +
				"submit.", Buckets: prometheus.ExponentialBuckets(0.05, 2, 9)}),
	}
	inside := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "idp_verifications_inside", Help: "Calls that are judged or wait for " +
			"it."}, func() float64 { return float64(gate.Waiting()) })
	registry.MustRegister(m.decisions, m.faults, m.seconds, inside)
	return m
}

func (m *Metrics) judged(j *face.Judgement) {
	m.decisions.WithLabelValues(string(j.Outcome)).Inc()
	m.seconds.Observe(j.Time.Seconds())
}

func (m *Metrics) refused(code string) { m.faults.WithLabelValues(code).Inc() }
