// Command decide prints the JSON of the decision on every pair of pictures, a line each.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	vultus "github.com/vultus/vultus/ffi/go"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: decide PACK PICTURE...")
	}
	engine, err := vultus.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	var pictures [][]byte
	for _, path := range os.Args[2:] {
		picture, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		pictures = append(pictures, picture)
	}
	for _, selfie := range pictures {
		for _, document := range pictures {
			decision, err := engine.Verify(context.Background(), selfie, document)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s\n", decision.JSON)
		}
	}
}
