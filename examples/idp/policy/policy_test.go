package policy

import (
	"strings"
	"testing"
)

func TestChallengesThatCannotBeMetAreRefused(t *testing.T) {
	for wrong, kinds := range map[string][]string{
		"": {"blink"},
		"blink cannot be asked together with flash": {"flash", "blink"},
		`challenge "nod" is unknown`:                {"nod"},
	} {
		p := Default()
		p.Challenge.Kinds = kinds
		err := p.Validate()
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%v: %v", kinds, err)
		}
	}
}
