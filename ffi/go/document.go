package vultus

// #include <string.h>
// #include <vultus.h>
import "C"

import (
	"context"
	"encoding/json"
	"time"
	"unsafe"
)

// DocumentLevel is how far an identity document is established; empty where nothing that was read
// may be relied on.
type DocumentLevel string

// The levels of a document, which are never mixed: only a signature proves that an issuer said what
// is read.
const (
	DocumentRead       DocumentLevel = "read"       // the zone was read without doubt
	DocumentConsistent DocumentLevel = "consistent" // what is shown more than once agrees
	DocumentSigned     DocumentLevel = "signed"     // the issuer's signature covers it
)

// IdentityDocument is what was read off the picture of an identity document. That a zone was read
// says that it is printed there: anybody can print one.
type IdentityDocument struct {
	Level  DocumentLevel   `json:"level"`
	Seen   DocumentSight   `json:"seen"`        // what was found: mrz, mrz-unclear or no-mrz
	Text   string          `json:"text"`        // for people, without anything personal
	Format DocumentFormat  `json:"zone_format"` // TD1, TD2, TD3, MRV-A or MRV-B; empty without a zone
	JSON   json.RawMessage `json:"-"`           // all of it, with margins and check digits
	// Personal is what stands in the zone; nil without one. It is in doubt unless Level is
	// DocumentRead.
	Personal *DocumentPersonal `json:"-"`
}

// DocumentPersonal is what stands in a zone: keep what is needed of it.
type DocumentPersonal struct {
	Lines        []string `json:"lines"`
	DocumentCode string   `json:"document_code"`
	Issuer       string   `json:"issuer"`
	Number       string   `json:"number"`
	Nationality  string   `json:"nationality"`
	FamilyName   string   `json:"family_name"`
	GivenNames   string   `json:"given_names"`
	Sex          string   `json:"sex"`
	BirthDate    string   `json:"birth_date"`  // YYYY-MM-DD; as printed where a part is unknown
	ExpiryDate   string   `json:"expiry_date"` // likewise
	Optional     string   `json:"optional"`
}

// ReadDocument reads the machine-readable zone of an identity document (ICAO Doc 9303), any way up.
// The picture is a JPEG, PNG or WebP file; whatever it shows is an IdentityDocument. today tells
// the century of dates. ErrUnsupported with a pack that holds no networks for it.
func (e *Engine) ReadDocument(
	ctx context.Context,
	picture []byte,
	today time.Time,
) (*IdentityDocument, error) {
	c := begin(ctx)
	defer c.end()
	engine, image := c.engine(e), c.picture("picture", picture)
	date := c.text(today.Format(time.DateOnly))
	var document *C.vultus_document
	if err := c.run(func(cause **C.vultus_error) C.vultus_status {
		return C.vultus_engine_read_document(engine, image, date, &document, cause)
	}); err != nil {
		return nil, err
	}
	defer C.vultus_document_free(document)
	read := &IdentityDocument{
		JSON: json.RawMessage(C.GoString(C.vultus_document_json(document))),
	}
	personal := C.vultus_document_personal_json(document)
	text := unsafe.Slice((*byte)(unsafe.Pointer(personal)), C.strlen(personal))
	for _, part := range []struct {
		text []byte
		into any
	}{{read.JSON, read}, {text, &read.Personal}} {
		if err := json.Unmarshal(part.text, part.into); err != nil {
			return nil, &Error{ErrInternal, "interface", "the document cannot be read"}
		}
	}
	return read, nil
}
