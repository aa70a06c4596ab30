/* NIST FRTE 1:1 over the C interface. The folder that it is configured with is a model pack.
 *
 * A template is a list of stored references, one for each picture with a face, each of which says
 * which weights made it: "VFTE", a version byte, a count byte, and for each its length as a
 * little-endian u32 and its bytes. The list of a picture without a face is empty. The score of two
 * lists is the mean of the cosines of their pairs, moved by 1 to 0..2. */

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <frvt11.h>
#include <new>
#include <vultus.h>

namespace {

using FRVT::EyePair;
using FRVT::Image;
using FRVT::ReturnCode;
using FRVT::ReturnStatus;
using FRVT::TemplateRole;
using Bytes = std::vector<uint8_t>;

template <typename T, void (*FREE)(T *)> struct Free {
    void operator()(T *handle) const { FREE(handle); }
};
template <typename T, void (*FREE)(T *)> using Handle = std::unique_ptr<T, Free<T, FREE>>;

using EngineHandle = Handle<vultus_engine, vultus_engine_free>;
using ErrorHandle = Handle<vultus_error, vultus_error_free>;
using FacesHandle = Handle<vultus_faces, vultus_faces_free>;
using ImageHandle = Handle<vultus_image, vultus_image_free>;
using SampleHandle = Handle<vultus_sample, vultus_sample_free>;
using TemplateHandle = Handle<vultus_template, vultus_template_free>;

/* A failed call of the C interface, as FRTE's code for it. */
struct Fault {
    ReturnStatus status;
};

/* The error is taken by reference, so that it is read after the call that fills it. */
void check(vultus_status status, vultus_error *const &error, ReturnCode code) {
    ErrorHandle owned{error};
    if (status != VULTUS_OK) {
        throw Fault{{status == VULTUS_ERROR_INPUT ? ReturnCode::ParseError : code,
                     vultus_error_message(error)}};
    }
}

/* The part of the picture from (x, y) on. */
ImageHandle part(const Image &picture, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    if (!picture.data || picture.width == 0 || picture.height == 0 ||
        (picture.depth != 8 && picture.depth != 24)) {
        throw Fault{{ReturnCode::ParseError, "a picture has pixels, of 8 or 24 bits"}};
    }
    const size_t pixel = picture.depth / 8, stride = picture.width * pixel,
                 start = y * stride + x * pixel;
    vultus_pixels view{};
    view.struct_size = sizeof view;
    view.data = picture.data.get() + start;
    view.data_length = picture.size() - start;
    view.stride = stride;
    view.width = width;
    view.height = height;
    view.format = picture.depth == 8 ? VULTUS_PIXELS_GREY8 : VULTUS_PIXELS_RGB8;
    vultus_image *image = nullptr;
    vultus_error *error = nullptr;
    check(vultus_image_from_pixels(&view, &image, &error), error, ReturnCode::ParseError);
    return ImageHandle{image};
}

ImageHandle whole(const Image &picture) {
    return part(picture, 0, 0, picture.width, picture.height);
}

EyePair eyes_of(const vultus_face &face, const Image &picture) {
    const auto inside = [&](float x, float y) {
        return x >= 0 && y >= 0 && x < picture.width && y < picture.height;
    };
    EyePair eyes;
    if ((eyes.isLeftAssigned = inside(face.right_eye_x, face.right_eye_y))) {
        eyes.xleft = static_cast<uint16_t>(face.right_eye_x);
        eyes.yleft = static_cast<uint16_t>(face.right_eye_y);
    }
    if ((eyes.isRightAssigned = inside(face.left_eye_x, face.left_eye_y))) {
        eyes.xright = static_cast<uint16_t>(face.left_eye_x);
        eyes.yright = static_cast<uint16_t>(face.left_eye_y);
    }
    return eyes;
}

/* In which roles a picture is looked at, until one shows a face: a probe is upright, a reference
 * may lie any way up. */
std::vector<int32_t> looks(TemplateRole role) {
    if (role == TemplateRole::Verification_11 || role == TemplateRole::Search_1N) {
        return {VULTUS_ROLE_SELFIE, VULTUS_ROLE_DOCUMENT};
    }
    return {VULTUS_ROLE_DOCUMENT, VULTUS_ROLE_SELFIE};
}

const uint8_t MAGIC[5] = {'V', 'F', 'T', 'E', 1};
const size_t HEADER = sizeof MAGIC + 1, MOST = 255;

Bytes none() {
    Bytes list(MAGIC, MAGIC + sizeof MAGIC);
    list.push_back(0);
    return list;
}

void append(Bytes &list, const vultus_template *reference) {
    size_t length = 0;
    const uint8_t *bytes = vultus_template_bytes(reference, &length);
    list[sizeof MAGIC]++;
    for (int shift = 0; shift < 32; shift += 8) {
        list.push_back(static_cast<uint8_t>(length >> shift));
    }
    list.insert(list.end(), bytes, bytes + length);
}

struct Enrolment {
    TemplateHandle reference;
    vultus_face face{};
};

class Adapter : public FRVT_11::Interface {
  public:
    ReturnStatus initialize(const std::string &configDir) override {
        return guarded([&] {
            vultus_engine *opened = nullptr;
            vultus_error *error = nullptr;
            check(vultus_engine_open(configDir.c_str(), nullptr, &opened, &error), error,
                  ReturnCode::ConfigError);
            engine.reset(opened);
            return ReturnStatus{ReturnCode::Success};
        });
    }

    ReturnStatus createFaceTemplate(const std::vector<Image> &faces, TemplateRole role,
                                    Bytes &templ, std::vector<EyePair> &eyeCoordinates) override {
        templ = none();
        eyeCoordinates.assign(faces.size(), EyePair{});
        return guarded([&] {
            if (faces.empty() || faces.size() > MOST) {
                return ReturnStatus{ReturnCode::NumDataError,
                                    "a template is made of 1 to 255 pictures"};
            }
            Bytes list = none();
            for (size_t i = 0; i < faces.size(); i++) {
                const Enrolment made = enrol(whole(faces[i]).get(), role);
                if (made.reference) {
                    append(list, made.reference.get());
                    eyeCoordinates[i] = eyes_of(made.face, faces[i]);
                }
            }
            templ = std::move(list);
            return templ[sizeof MAGIC] == 0 ? ReturnStatus{ReturnCode::FaceDetectionError}
                                            : ReturnStatus{ReturnCode::Success};
        });
    }

    ReturnStatus createIrisTemplate(const std::vector<Image> &irises, TemplateRole, Bytes &templ,
                                    std::vector<FRVT::IrisAnnulus> &irisLocations) override {
        templ = none();
        irisLocations.assign(irises.size(), FRVT::IrisAnnulus{});
        return {ReturnCode::NotImplemented};
    }

    ReturnStatus createFaceTemplate(const Image &image, TemplateRole role,
                                    std::vector<Bytes> &templs,
                                    std::vector<EyePair> &eyeCoordinates) override {
        templs.assign(1, none());
        eyeCoordinates.assign(1, EyePair{});
        return guarded([&] {
            std::vector<Bytes> lists;
            std::vector<EyePair> eyes;
            for (const vultus_face &face : detect(whole(image).get(), role)) {
                const Enrolment made = enrol_one(image, face, role);
                if (made.reference) {
                    lists.push_back(none());
                    append(lists.back(), made.reference.get());
                    eyes.push_back(eyes_of(face, image));
                }
            }
            if (lists.empty()) {
                return ReturnStatus{ReturnCode::FaceDetectionError};
            }
            templs = std::move(lists);
            eyeCoordinates = std::move(eyes);
            return ReturnStatus{ReturnCode::Success};
        });
    }

    ReturnStatus matchTemplates(const Bytes &verifTemplate, const Bytes &enrollTemplate,
                                double &score) override {
        score = -1;
        return guarded([&] {
            const auto probes = read(verifTemplate), references = read(enrollTemplate);
            if (probes.empty() || references.empty()) {
                return ReturnStatus{ReturnCode::VerifTemplateError};
            }
            double sum = 0;
            for (const auto &probe : probes) {
                for (const auto &reference : references) {
                    vultus_comparison comparison{};
                    vultus_error *error = nullptr;
                    comparison.struct_size = sizeof comparison;
                    check(vultus_engine_compare(engine.get(), probe.get(), reference.get(), nullptr,
                                                &comparison, &error),
                          error, ReturnCode::MatchError);
                    sum += comparison.score;
                }
            }
            score = 1 + sum / static_cast<double>(probes.size() * references.size());
            return ReturnStatus{ReturnCode::Success};
        });
    }

  private:
    EngineHandle engine;

    /* No exception passes to the caller. */
    template <typename Body> static ReturnStatus guarded(Body body) {
        try {
            return body();
        } catch (const Fault &fault) {
            return fault.status;
        } catch (const std::bad_alloc &) {
            return {ReturnCode::MemoryError};
        } catch (const std::exception &defect) {
            return {ReturnCode::UnknownError, defect.what()};
        }
    }

    /* The largest face of the picture; nothing when there is none. */
    Enrolment enrol(const vultus_image *image, TemplateRole role) const {
        Enrolment made;
        for (int32_t look : looks(role)) {
            vultus_template *reference = nullptr;
            vultus_sample *sample = nullptr;
            vultus_error *error = nullptr;
            check(vultus_engine_enrol(engine.get(), image, look, &reference, &sample, &error),
                  error, ReturnCode::ExtractError);
            made.reference.reset(reference);
            const SampleHandle owned{sample};
            if (reference) {
                made.face.struct_size = sizeof made.face;
                check(vultus_sample_face(sample, &made.face, &error), error,
                      ReturnCode::ExtractError);
                break;
            }
        }
        return made;
    }

    /* That face of the picture: the part around it is enrolled, and must show it and not a
     * neighbour. */
    Enrolment enrol_one(const Image &picture, const vultus_face &face, TemplateRole role) const {
        const float side = std::max(face.width, face.height);
        const auto pixel = [](float at, uint16_t most) {
            return static_cast<uint32_t>(std::clamp(std::floor(at), 0.f, static_cast<float>(most)));
        };
        const uint32_t left = pixel(face.x - side / 2, picture.width),
                       right = pixel(face.x + face.width + side / 2, picture.width);
        const uint32_t top = pixel(face.y - side / 2, picture.height),
                       bottom = pixel(face.y + face.height + side / 2, picture.height);
        if (right <= left || bottom <= top) {
            return {};
        }
        Enrolment made = enrol(part(picture, left, top, right - left, bottom - top).get(), role);
        const float dx = left + made.face.x + made.face.width / 2 - face.x - face.width / 2;
        const float dy = top + made.face.y + made.face.height / 2 - face.y - face.height / 2;
        if (std::hypot(dx, dy) > side / 2) {
            made.reference.reset();
        }
        return made;
    }

    std::vector<vultus_face> detect(const vultus_image *image, TemplateRole role) const {
        std::vector<vultus_face> found;
        for (int32_t look : looks(role)) {
            vultus_faces *list = nullptr;
            vultus_error *error = nullptr;
            check(vultus_engine_detect(engine.get(), image, look, &list, &error), error,
                  ReturnCode::ExtractError);
            const FacesHandle owned{list};
            found.resize(vultus_faces_count(list));
            for (size_t i = 0; i < found.size(); i++) {
                found[i].struct_size = sizeof found[i];
                check(vultus_faces_get(list, i, &found[i], &error), error,
                      ReturnCode::ExtractError);
            }
            if (!found.empty()) {
                break;
            }
        }
        return found;
    }

    std::vector<TemplateHandle> read(const Bytes &list) const {
        const auto damaged = [](const char *why) {
            return Fault{{ReturnCode::TemplateFormatError, why}};
        };
        if (list.size() < HEADER || std::memcmp(list.data(), MAGIC, sizeof MAGIC) != 0) {
            throw damaged("these bytes are no template of this version");
        }
        std::vector<TemplateHandle> references(list[sizeof MAGIC]);
        size_t at = HEADER;
        for (auto &reference : references) {
            size_t length = 0;
            if (list.size() - at < 4) {
                throw damaged("the template is cut short");
            }
            for (int i = 0; i < 4; i++) {
                length |= size_t{list[at++]} << (8 * i);
            }
            if (list.size() - at < length) {
                throw damaged("the template is cut short");
            }
            vultus_template *stored = nullptr;
            vultus_error *error = nullptr;
            const vultus_status status =
                vultus_template_read(engine.get(), list.data() + at, length, &stored, &error);
            const ErrorHandle owned{error};
            if (status != VULTUS_OK) {
                throw damaged(vultus_error_message(error));
            }
            reference.reset(stored);
            at += length;
        }
        if (at != list.size()) {
            throw damaged("the template is longer than it says");
        }
        return references;
    }
};

} // namespace

std::shared_ptr<FRVT_11::Interface> FRVT_11::Interface::getImplementation() {
    return std::make_shared<Adapter>();
}
