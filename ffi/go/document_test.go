package vultus

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReadDocument(t *testing.T) {
	today := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	read, err := engine.ReadDocument(t.Context(), photo("specimen-obama.png"), today)
	if err != nil {
		t.Fatal(err)
	}
	if read.Level != DocumentRead || read.Seen != DocumentSightZone || read.Format != "TD1" {
		t.Errorf("%s", read.JSON)
	}
	if p := read.Personal; p == nil || p.FamilyName != "SPECIMEN" || p.BirthDate != "1975-03-14" ||
		p.ExpiryDate != "2036-03-13" || len(p.Lines) != 3 {
		t.Errorf("%+v", p)
	}
	if strings.Contains(string(read.JSON), "SPECIMEN") {
		t.Errorf("%s", read.JSON)
	}
	read, err = engine.ReadDocument(t.Context(), photo("obama2.jpg"), today)
	if err != nil || read.Personal != nil || read.Seen != "no-mrz" || read.Level != "" {
		t.Errorf("%+v, %v", read, err)
	}
	_, err = engine.ReadDocument(t.Context(), []byte("no picture"), today)
	if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "picture: ") {
		t.Errorf("%v", err)
	}
}
