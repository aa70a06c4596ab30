package verification

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/vultus/vultus/examples/idp/face"
)

// Limits bound an upload.
type Limits struct {
	FramesMin        int   `json:"frames_min"`
	FramesMax        int   `json:"frames_max"`
	FrameBytesMax    int64 `json:"frame_bytes_max"`
	DocumentBytesMax int64 `json:"document_bytes_max"`
	SubmitBytesMax   int64 `json:"submit_bytes_max"`
	FrameLongSidePX  int   `json:"frame_long_side_px"`
}

// DefaultLimits suit a burst of a few seconds.
var DefaultLimits = Limits{
	FramesMin:        8,
	FramesMax:        48,
	FrameBytesMax:    400_000,
	DocumentBytesMax: 8 << 20,
	SubmitBytesMax:   16 << 20,
	FrameLongSidePX:  640,
}

// upload is what a submit holds.
type upload struct {
	nonce    []byte
	burst    face.Burst
	document []byte
}

// readUpload reads a submit into memory; nothing of a person is written to disk.
func readUpload(
	w http.ResponseWriter,
	r *http.Request,
	limits Limits,
	wantsDocument bool,
) (*upload, error) {
	r.Body = http.MaxBytesReader(w, r.Body, limits.SubmitBytesMax)
	form, err := r.MultipartReader()
	if err != nil {
		return nil, badRequest("The body must be multipart/form-data.")
	}
	part, err := form.NextPart()
	if err != nil || part.FormName() != "capture" {
		return nil, badRequest("The first part must be capture.")
	}
	var capture struct {
		Nonce    string  `json:"nonce"`
		BeganUS  int64   `json:"began_us"`
		FramesUS []int64 `json:"frames_us"`
	}
	decoder := json.NewDecoder(io.LimitReader(part, 16<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&capture); err != nil {
		return nil, badRequest("The part capture cannot be read.")
	}
	u := new(upload)
	if u.nonce, err = base64.RawURLEncoding.DecodeString(capture.Nonce); err != nil ||
		len(u.nonce) == 0 {
		return nil, badRequest("The nonce is missing.")
	}
	if n := len(capture.FramesUS); n < limits.FramesMin || n > limits.FramesMax {
		return nil, fault(
			422,
			"frames",
			"restart-capture",
			fmt.Sprintf(
				"%d frames were taken, %d to %d are needed.",
				n,
				limits.FramesMin,
				limits.FramesMax,
			),
		)
	}
	u.burst.Began = time.Duration(capture.BeganUS) * time.Microsecond
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		switch name := part.FormName(); {
		case name == "frame" && len(u.burst.Frames) < len(capture.FramesUS):
			file, err := readPicture(part, limits.FrameBytesMax, "image/jpeg")
			if err != nil {
				return nil, err
			}
			at := time.Duration(capture.FramesUS[len(u.burst.Frames)]) * time.Microsecond
			u.burst.Frames = append(u.burst.Frames, face.Frame{File: file, At: at})
		case name == "document" && u.document == nil && wantsDocument:
			if u.document, err = readPicture(part, limits.DocumentBytesMax, ""); err != nil {
				return nil, err
			}
		default:
			return nil, badRequest(fmt.Sprintf("The part %q is unknown or one too many.", name))
		}
	}
	if len(u.burst.Frames) != len(capture.FramesUS) {
		return nil, fault(
			422,
			"frames",
			"restart-capture",
			"There are fewer frames than timestamps.",
		)
	}
	if wantsDocument && u.document == nil {
		return nil, badRequest("The document is missing.")
	}
	return u, nil
}

// readPicture reads one file of a form, of the given media type or of any that is a picture.
func readPicture(part *multipart.Part, most int64, mediaType string) ([]byte, error) {
	file, err := io.ReadAll(io.LimitReader(part, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(file)) > most {
		return nil, errTooLarge
	}
	found, err := face.Plain(file)
	if err == nil && mediaType != "" && found != mediaType {
		err = face.ErrPicture
	}
	return file, err
}
