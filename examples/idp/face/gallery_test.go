package face

import (
	"os"
	"testing"
)

// The pack is calibrated down to a false match rate of 1e-5: for 1,005 people that is a false
// positive identification rate of 1 %.
func TestThresholdOfALargeGallery(t *testing.T) {
	pack := os.Getenv("VULTUS_PACK")
	if pack == "" {
		pack = "../../../build/pack"
	}
	engine, err := Open(pack, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	last := float32(0)
	for _, size := range []int{1, 10, 1000} {
		threshold, holds, err := engine.threshold(size, 0.01)
		if err != nil || holds != 0.01 || threshold <= last {
			t.Errorf("%d people: %v at %v, %v", size, threshold, holds, err)
		}
		last = threshold
	}
	for size, rate := range map[int]float64{1100: 0.0109, 10_000: 0.0952, 100_000: 0.632} {
		threshold, holds, err := engine.threshold(size, 0.01)
		if err != nil || holds < rate || holds > 1.06*rate || threshold < last-0.005 {
			t.Errorf("%d people: %v at %v, %v", size, threshold, holds, err)
		}
	}
	if _, _, err := engine.threshold(10_000_000, 0.01); err == nil {
		t.Error("a threshold that holds nothing")
	}
}
