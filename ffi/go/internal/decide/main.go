// Command decide reads lines, each with the paths of a document and of a selfie, or of the frames
// of a session, and answers each with the JSON of its decision, behind that of a session's
// evidence; or with the milliseconds from the files in memory to it, and how many of these the
// stages of the engine took.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	vultus "github.com/vultus/vultus/ffi/go"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: decide PACK json|time")
	}
	engine, err := vultus.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var files [][]byte
		for _, path := range strings.Fields(lines.Text()) {
			file, err := os.ReadFile(path)
			if err != nil {
				log.Fatal(err)
			}
			files = append(files, file)
		}
		start := time.Now()
		json, decision, err := decide(engine, files[0], files[1:])
		spent := time.Since(start)
		if err != nil {
			log.Fatal(err)
		}
		if os.Args[2] == "time" {
			var stages time.Duration
			for _, stage := range decision.Stages {
				stages += stage.Took
			}
			fmt.Printf("%.4f %.4f\n", spent.Seconds()*1e3, stages.Seconds()*1e3)
		} else {
			fmt.Println(json)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

func decide(
	engine *vultus.Engine,
	document []byte,
	frames [][]byte,
) (string, *vultus.Decision, error) {
	ctx := context.Background()
	if len(frames) == 1 {
		decision, err := engine.Verify(ctx, frames[0], document)
		if err != nil {
			return "", nil, err
		}
		return string(decision.JSON), decision, nil
	}
	challenge, err := vultus.NewChallenge(
		[]byte("sixteen bytes ok"),
		vultus.ChallengeFlash,
		vultus.ChallengeHeadTurn,
	)
	if err != nil {
		return "", nil, err
	}
	session, err := engine.NewSession(vultus.WithChallenge(challenge))
	if err != nil {
		return "", nil, err
	}
	defer session.Close()
	if err := session.BeginChallenge(0); err != nil {
		return "", nil, err
	}
	for i, frame := range frames {
		if _, err := session.Push(ctx, frame, time.Duration(i)*500*time.Millisecond); err != nil {
			return "", nil, err
		}
	}
	evidence, err := session.Evidence()
	if err != nil {
		return "", nil, err
	}
	decision, err := session.Verify(ctx, document)
	if err != nil {
		return "", nil, err
	}
	return string(evidence.JSON) + " " + string(decision.JSON), decision, nil
}
