package vultus_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	vultus "github.com/vultus/vultus/ffi/go"
)

func folder(variable, otherwise string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	return otherwise
}

func read(name string) []byte {
	picture, err := os.ReadFile(folder("VULTUS_PHOTOS", "../../build/photos") + "/" + name)
	if err != nil {
		log.Fatal(err)
	}
	return picture
}

func ExampleEngine_Verify() {
	engine, err := vultus.Open(folder("VULTUS_PACK", "../../build/pack"))
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()

	decision, err := engine.Verify(context.Background(), read("obama2.jpg"), read("specimen-obama.png"), vultus.WithFMR(1e-4))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(decision.Outcome, decision.Comparison.Match)
	// Output: accept true
}

func ExampleError() {
	_, err := vultus.Open("/nowhere")
	fmt.Println(errors.Is(err, vultus.ErrModel))
	// Output: true
}
