// Command decide prints the JSON of the decision on every pair of a list, which has the paths of a selfie and a document a
// line; with a number of repeats instead the least time in milliseconds from two files in memory to the decision.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	vultus "github.com/vultus/vultus/ffi/go"
)

func main() {
	if len(os.Args) != 3 && len(os.Args) != 4 {
		log.Fatal("usage: decide PACK LIST [REPEATS]")
	}
	repeats := 1
	if len(os.Args) == 4 {
		var err error
		if repeats, err = strconv.Atoi(os.Args[3]); err != nil {
			log.Fatal(err)
		}
	}
	engine, err := vultus.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	list, err := os.Open(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(list); lines.Scan(); {
		selfie, document, _ := strings.Cut(lines.Text(), " ")
		probe, reference := read(selfie), read(document)
		least := time.Hour
		for range repeats {
			start := time.Now()
			decision, err := engine.Verify(context.Background(), probe, reference)
			if err != nil {
				log.Fatal(err)
			}
			least = min(least, time.Since(start))
			if len(os.Args) == 3 {
				fmt.Printf("%s\n", decision.JSON)
			}
		}
		if len(os.Args) == 4 {
			fmt.Printf("%.4f\n", least.Seconds()*1e3)
		}
	}
}

func read(path string) []byte {
	picture, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return picture
}
