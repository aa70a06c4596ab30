package vultus_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

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

func open() *vultus.Engine {
	engine, err := vultus.Open(folder("VULTUS_PACK", "../../build/pack"))
	if err != nil {
		log.Fatal(err)
	}
	return engine
}

func ExampleEngine_Verify() {
	engine, err := vultus.Open(folder("VULTUS_PACK", "../../build/pack"))
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()

	decision, err := engine.Verify(
		context.Background(),
		read("obama2.jpg"),
		read("specimen-obama.png"),
		vultus.WithFMR(1e-4),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(decision.Outcome, decision.Comparison.Match)
	// Output: accept true
}

// A camera that stands still shows the right person, and not that he is there.
func ExampleSession() {
	engine := open()
	defer engine.Close()

	nonce := make([]byte, 32)
	rand.Read(nonce)
	challenge, err := vultus.NewChallenge(
		nonce,
		vultus.ChallengeHeadTurn,
	) // challenge.JSON tells the page what to ask
	if err != nil {
		log.Fatal(err)
	}
	session, err := engine.NewSession(vultus.WithChallenge(challenge))
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	if err := session.BeginChallenge(0); err != nil {
		log.Fatal(err)
	}
	for i := range 8 {
		guidance, err := session.Push(
			context.Background(),
			read("obama2.jpg"),
			time.Duration(i)*100*time.Millisecond,
		)
		if err != nil {
			log.Fatal(err)
		}
		if i == 0 {
			fmt.Println(guidance.Code, guidance.Face != nil)
		}
	}
	evidence, err := session.Evidence()
	if err != nil {
		log.Fatal(err)
	}
	decision, err := session.Verify(context.Background(), read("specimen-obama.png"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(evidence.Frames, evidence.Challenge.Status == "passed")
	fmt.Println(decision.Outcome == vultus.Accept, decision.Comparison.Match)
	// Output:
	// ready true
	// 8 false
	// false true
}

func ExampleGallery() {
	engine := open()
	defer engine.Close()
	gallery, err := engine.NewGallery()
	if err != nil {
		log.Fatal(err)
	}
	defer gallery.Close()

	for id, name := range []string{"biden.jpg", "obama.jpg"} {
		enrolment, err := engine.Enrol(context.Background(), read(name), vultus.Selfie)
		if err != nil {
			log.Fatal(err)
		}
		defer enrolment.Template.Close()
		if err := gallery.Insert(uint64(id), enrolment.Template); err != nil {
			log.Fatal(err)
		}
	}
	probe, err := engine.Enrol(context.Background(), read("obama2.jpg"), vultus.Selfie)
	if err != nil {
		log.Fatal(err)
	}
	defer probe.Template.Close()
	candidates, err := gallery.Search(probe.Template, 1)
	if err != nil {
		log.Fatal(err)
	}
	point, err := engine.GalleryThreshold(2, 0.001)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(candidates[0].ID, candidates[0].Score >= point.Threshold)
	// Output: 1 true
}

func ExampleError() {
	_, err := vultus.Open("/nowhere")
	fmt.Println(errors.Is(err, vultus.ErrModel))
	// Output: true
}
