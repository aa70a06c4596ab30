/* The data structures of NIST FRTE, version 3.1: names, order and values as published, for builds without NIST's own header.
 * Where that is at hand it goes before this one: make FRTE_HEADERS=frvt/common/src/include. */

#ifndef FRVT_STRUCTS_H_
#define FRVT_STRUCTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace FRVT {

struct Image {
    enum class ImageDescription {
        FaceUnknown,
        FaceIso,
        FaceMugshot,
        FacePhotojournalism,
        FaceWild,
        IrisUnknown,
        IrisNIR,
        IrisWild
    };
    enum class Illuminant { Unspecified, Visible, NIR, SWIR, MWIR, LWIR };
    enum class IrisLR { Unspecified, RightIris, LeftIris };

    uint16_t width = 0;
    uint16_t height = 0;
    /* Bits a pixel: 8 for grey, 24 for red, green, blue. */
    uint8_t depth = 24;
    std::shared_ptr<uint8_t> data;
    ImageDescription description = ImageDescription::FaceUnknown;
    Illuminant illuminant = Illuminant::Unspecified;
    IrisLR irisLR = IrisLR::Unspecified;

    /* Bytes of `data`. */
    size_t size() const { return size_t{width} * height * (depth / 8); }
};

struct IrisAnnulus {
    uint16_t limbusCenterX = 0;
    uint16_t limbusCenterY = 0;
    uint16_t pupilRadius = 0;
    uint16_t limbusRadius = 0;
};

enum class TemplateRole { Enrollment_11, Verification_11, Enrollment_1N, Search_1N };

enum class ReturnCode {
    Success,
    UnknownError,
    ConfigError,
    RefuseInput,
    ExtractError,
    ParseError,
    TemplateCreationError,
    VerifTemplateError,
    FaceDetectionError,
    NumDataError,
    TemplateFormatError,
    EnrollDirError,
    InputLocationError,
    MemoryError,
    MatchError,
    QualityAssessmentError,
    NotImplemented,
    VendorError
};

struct ReturnStatus {
    ReturnCode code;
    std::string info;

    ReturnStatus(ReturnCode code = ReturnCode::UnknownError, const std::string &info = "") : code{code}, info{info} {}
};

/* The subject's left eye is on the right of an upright picture. */
struct EyePair {
    bool isLeftAssigned = false;
    bool isRightAssigned = false;
    uint16_t xleft = 0;
    uint16_t yleft = 0;
    uint16_t xright = 0;
    uint16_t yright = 0;
};

/* The library defines them, the driver looks at them. */
#ifdef NIST_EXTERN_FRVT_STRUCTS_VERSION
extern uint16_t FRVT_STRUCTS_MAJOR_VERSION;
extern uint16_t FRVT_STRUCTS_MINOR_VERSION;
#else
uint16_t FRVT_STRUCTS_MAJOR_VERSION{3};
uint16_t FRVT_STRUCTS_MINOR_VERSION{1};
#endif

} // namespace FRVT

#endif
