package face

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// ErrPicture says that a file is not one plain picture.
var ErrPicture = errors.New("this is not a plain JPEG, PNG or WebP file")

// Plain checks that a file is one picture from its first byte to its last, and returns its media
// type. Whatever else a file could be, such as an archive or a page behind the picture, it cannot
// be here.
func Plain(file []byte) (string, error) {
	switch {
	case bytes.HasPrefix(file, []byte{0xff, 0xd8, 0xff}):
		if jpegEnd(file) == len(file) {
			return "image/jpeg", nil
		}
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		if pngEnd(file) == len(file) {
			return "image/png", nil
		}
	case len(file) >= 12 && string(file[:4]) == "RIFF" && string(file[8:12]) == "WEBP":
		size := int64(binary.LittleEndian.Uint32(file[4:8])) + 8
		if size+size%2 == int64(len(file)) {
			return "image/webp", nil
		}
	}
	return "", ErrPicture
}

// jpegEnd returns where the first picture ends: behind its marker EOI; -1 when the segments do not
// lead there.
func jpegEnd(file []byte) int {
	for at := 2; at+4 <= len(file); {
		if file[at] != 0xff {
			return -1
		}
		marker := file[at+1]
		switch {
		case marker == 0xff: // fill
			at++
			continue
		case marker == 0xd9:
			return at + 2
		}
		at += 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if marker != 0xda {
			continue
		}
		// Entropy-coded data: 0xff stands before 0x00 and before restart markers only.
		for at+1 < len(file) && !(file[at] == 0xff && file[at+1] != 0 &&
			(file[at+1] < 0xd0 || file[at+1] > 0xd7)) {
			at++
		}
		if at+2 == len(file) && file[at] == 0xff && file[at+1] == 0xd9 {
			return at + 2
		}
	}
	return -1
}

// pngEnd returns where the chunk IEND ends.
func pngEnd(file []byte) int {
	for at := 8; at+12 <= len(file); {
		length := int64(binary.BigEndian.Uint32(file[at:]))
		next := int64(at) + 12 + length
		if next > int64(len(file)) {
			return -1
		}
		if string(file[at+4:at+8]) == "IEND" {
			return int(next)
		}
		at = int(next)
	}
	return -1
}
