/*
 * vultus: on-device biometric verification. Is this a real person, and the right one?
 *
 *     vultus_engine *engine = NULL;
 *     vultus_image *selfie = NULL, *document = NULL;
 *     vultus_decision *decision = NULL;
 *     vultus_error *error = NULL;
 *     if (vultus_engine_open("pack", NULL, &engine, &error) == VULTUS_OK &&
 *         vultus_image_decode(bytes, length, &selfie, &error) == VULTUS_OK &&
 *         vultus_image_decode(other, other_length, &document, &error) == VULTUS_OK &&
 *         vultus_engine_verify(engine, selfie, document, NULL, &decision, &error) == VULTUS_OK) {
 *         puts(vultus_decision_json(decision));
 *     } else {
 *         fprintf(stderr, "%s\n", vultus_error_message(error));
 *     }
 *     vultus_error_free(error);
 *     vultus_decision_free(decision);
 *     vultus_image_free(document);
 *     vultus_image_free(selfie);
 *     vultus_engine_free(engine);
 *
 * POINTERS. A `const` argument is borrowed for the call only; the library keeps none. Results come
 * last; they are cleared on entry and filled only on success. A result that is a handle belongs to
 * the caller, who gives it to the `_free` function of its type, once; NULL may be freed, freeing
 * twice does nothing. A `const char *` or `const uint8_t *` that an accessor returns lives as long
 * as the handle it came from. Text is UTF-8 that ends in NUL. NULL is allowed only where an
 * argument's description says so; elsewhere it is VULTUS_ERROR_NULL. A handle is a number that is
 * never given again and no address: one of the wrong type, one that was freed and one that never
 * was are VULTUS_ERROR_HANDLE. Accessors of a handle return 0 or NULL when they get NULL.
 *
 * ERRORS. A function that can fail returns a vultus_status and takes a vultus_error ** last, which
 * may be NULL. The error says which argument was at fault, what was wrong with it and what is
 * allowed. What the pictures show is never an error: no face, an attack and a non-match are
 * decisions.
 *
 * STRUCTS. Set every struct that you fill to zero, then `struct_size` to its sizeof. Structs may
 * grow at their end: a program that was built against an earlier header of this ABI runs with a
 * later library, which writes no more than the program's header knows.
 *
 * THREADS. An engine may be used from any number of threads at once, and so may images, templates,
 * samples and decisions: none changes after it was made. A session takes the calls of several
 * threads one after the other; a gallery answers several searches at once, and is changed between
 * them. A handle must not be freed while another thread uses it.
 *
 * BIOMETRIC DATA. Images, templates and galleries are wiped when freed. Messages, logs and the JSON
 * of a decision hold neither pixels nor features.
 */

#ifndef VULTUS_H
#define VULTUS_H

#include <stddef.h>
#include <stdint.h>

// Version of this interface. It grows when something is removed or changes its meaning; what is
// added leaves it. Compare it with vultus_abi_version() before the first call.
#define VULTUS_ABI_VERSION 1

// The call succeeded.
#define VULTUS_OK 0

// The input is broken: not a picture, cut short, a stride that is too short, a damaged template.
#define VULTUS_ERROR_INPUT 4001

// The input is well formed but larger than a limit allows.
#define VULTUS_ERROR_LIMIT 4002

// The model pack is missing, damaged, or under a licence that was not accepted.
#define VULTUS_ERROR_MODEL 4003

// The call contradicts this documentation: an unknown constant, templates of other weights, an
// unsupported operating point.
#define VULTUS_ERROR_USAGE 4004

// The input is valid but of a sort that is not handled: an animated picture, an unknown template
// version.
#define VULTUS_ERROR_UNSUPPORTED 4005

// A defect of the engine.
#define VULTUS_ERROR_INTERNAL 4006

// An argument is NULL that must not be.
#define VULTUS_ERROR_NULL 4007

// An argument is a handle of another type.
#define VULTUS_ERROR_HANDLE 4008

// A defect of the engine that was stopped at this interface. The handles of the call may still be
// used and freed.
#define VULTUS_ERROR_PANIC 4009

// What was asked for does not exist: a decision holds no comparison when a face was missing.
#define VULTUS_ERROR_ABSENT 4010

// No picture in particular; no argument takes it.
#define VULTUS_ROLE_NONE 0

// The live face: the probe.
#define VULTUS_ROLE_SELFIE 1

// The reference picture, as of an identity document.
#define VULTUS_ROLE_DOCUMENT 2

// Three bytes a pixel: red, green, blue.
#define VULTUS_PIXELS_RGB8 1

// Three bytes a pixel: blue, green, red.
#define VULTUS_PIXELS_BGR8 2

// Four bytes a pixel: red, green, blue, alpha; alpha is ignored.
#define VULTUS_PIXELS_RGBA8 3

// Four bytes a pixel: blue, green, red, alpha; alpha is ignored.
#define VULTUS_PIXELS_BGRA8 4

// One byte a pixel.
#define VULTUS_PIXELS_GREY8 5

// A plane of luma, then one of half width and height with interleaved Cb, Cr (BT.601, video
// range), both of the same stride. Width and height must be even.
#define VULTUS_PIXELS_NV12 6

// The score reaches the threshold.
#define VULTUS_MATCH 1

// The score is below the threshold.
#define VULTUS_NON_MATCH 2

// No decision: what a NULL handle has. Zeroed memory never accepts.
#define VULTUS_OUTCOME_NONE 0

// Another person, or no bona fide one.
#define VULTUS_OUTCOME_REJECT 1

// It cannot be said; the reasons tell what to do better.
#define VULTUS_OUTCOME_INCONCLUSIVE 2

// A real and the right person, as far as was looked. Compare with ==, as the others are not 0
// either.
#define VULTUS_OUTCOME_ACCEPT 3

// Rejects, whatever else speaks for the person.
#define VULTUS_EFFECT_REJECT 1

// Leaves the question open.
#define VULTUS_EFFECT_INCONCLUSIVE 2

// Speaks for acceptance.
#define VULTUS_EFFECT_SUPPORT 3

// Is told, and decides nothing.
#define VULTUS_EFFECT_NOTE 4

// The default, which is VULTUS_PRECISION_EXACT.
#define VULTUS_PRECISION_DEFAULT 0

// 32-bit floating point.
#define VULTUS_PRECISION_EXACT 1

// 16-bit integers where they do not change the answer.
#define VULTUS_PRECISION_FAST 2

// Nothing that was read may be relied on.
#define VULTUS_DOCUMENT_NONE 0

// The zone was read without doubt and its check digits hold. Anybody can print one.
#define VULTUS_DOCUMENT_READ 1

// What the document shows more than once agrees.
#define VULTUS_DOCUMENT_CONSISTENT 2

// The issuer's signature covers what is read and the portrait.
#define VULTUS_DOCUMENT_SIGNED 3

// Colours are shown on the screen, and are looked for on the face.
#define VULTUS_CHALLENGE_FLASH 1

// The head is turned to a side.
#define VULTUS_CHALLENGE_HEAD_TURN 2

// The eyes are closed and opened. Needs the pack's network of the eyes and 8 frames a second;
// without them it is not assessable.
#define VULTUS_CHALLENGE_BLINK 4

// The head is turned and nods in a drawn order, which is as hard to foresee as the flashes.
#define VULTUS_CHALLENGE_HEAD_MOVES 8

// Nothing was assessed, which says nothing about the frames.
#define VULTUS_RISK_NONE 0

// Like bona fide material.
#define VULTUS_RISK_LOW 1

// Unusual for bona fide material.
#define VULTUS_RISK_MEDIUM 2

// Hardly ever seen on bona fide material.
#define VULTUS_RISK_HIGH 3

// Good; stay like this.
#define VULTUS_GUIDANCE_READY 1

// No face is in the frame.
#define VULTUS_GUIDANCE_NO_FACE 2

// A second face is so large that either could be meant.
#define VULTUS_GUIDANCE_SEVERAL_FACES 3

// The face is too small.
#define VULTUS_GUIDANCE_COME_CLOSER 4

// The face is too large.
#define VULTUS_GUIDANCE_MOVE_BACK 5

// The face is far from the middle of the frame.
#define VULTUS_GUIDANCE_CENTRE_FACE 6

// The head is turned away.
#define VULTUS_GUIDANCE_LOOK_AHEAD 7

// The face is too dark.
#define VULTUS_GUIDANCE_TURN_TO_THE_LIGHT 8

// The face is too bright.
#define VULTUS_GUIDANCE_TOO_BRIGHT 9

// The face moves or is blurred.
#define VULTUS_GUIDANCE_HOLD_STILL 10

// The head is turned to the person's own left.
#define VULTUS_DIRECTION_LEFT 1

// The head is turned to the person's own right.
#define VULTUS_DIRECTION_RIGHT 2

// The head is raised.
#define VULTUS_DIRECTION_UP 3

// The head is lowered.
#define VULTUS_DIRECTION_DOWN 4

// A failed call.
#define VULTUS_LOG_ERROR 1

// An engine was opened.
#define VULTUS_LOG_INFO 3

// A decision was made.
#define VULTUS_LOG_DEBUG 4

// What a search found, the most alike first.
typedef struct vultus_candidates vultus_candidates;

// What is asked of the person or shown on the screen during a session.
typedef struct vultus_challenge vultus_challenge;

// The answer to one transaction: an outcome, the reasons for it, and the evidence.
typedef struct vultus_decision vultus_decision;

// What was read off the picture of an identity document.
typedef struct vultus_document vultus_document;

// Loaded models and the pipeline over them. Open one, share it between all threads.
typedef struct vultus_engine vultus_engine;

// Why a call failed.
typedef struct vultus_error vultus_error;

// What the frames of a session tell: deepfake, injected stream, challenge, and every signal behind
// them.
typedef struct vultus_evidence vultus_evidence;

// All faces that were found in a picture.
typedef struct vultus_faces vultus_faces;

// References by number, searched for those that are most alike to a probe (1:N). It holds
// biometric data.
typedef struct vultus_gallery vultus_gallery;

// An upright picture.
typedef struct vultus_image vultus_image;

// What is known of one picture: its face, pose and quality.
typedef struct vultus_sample vultus_sample;

// Frames of one capture, in the order in which they came. It keeps no pixels but the face's
// luminance of the last 0.15 s, which is wiped, and its memory does not grow with their number.
typedef struct vultus_session vultus_session;

// A stored reference. It is biometric data.
typedef struct vultus_template vultus_template;

// Whether a call succeeded: VULTUS_OK or one of VULTUS_ERROR_*. A code is never given another
// meaning.
typedef int32_t vultus_status;

// What an encoded picture may cost at the most; a field of 0 keeps its default.
typedef struct {
    // sizeof(vultus_limits).
    size_t struct_size;
    // Length of the file in bytes; 32 MiB by default.
    uint64_t max_bytes;
    // Width times height; 50 million by default.
    uint64_t max_pixels;
    // Longer side over shorter side; 8 by default.
    float max_aspect;
    // Must be 0.
    uint32_t reserved;
} vultus_limits;

// Raw pixels, rows from the top.
typedef struct {
    // sizeof(vultus_pixels).
    size_t struct_size;
    // The first row.
    const uint8_t *data;
    // Length of `data` in bytes.
    size_t data_length;
    // Distance between the starts of two rows in bytes.
    size_t stride;
    // Width in pixels.
    uint32_t width;
    // Height in pixels.
    uint32_t height;
    // One of VULTUS_PIXELS_*.
    int32_t format;
    // Must be 0.
    uint32_t reserved;
} vultus_pixels;

// How alike a probe and a reference are, and what that is worth. The caller sets `struct_size`,
// the library the rest.
typedef struct {
    // sizeof(vultus_comparison).
    size_t struct_size;
    // VULTUS_MATCH or VULTUS_NON_MATCH; 0 when nothing was compared.
    int32_t result;
    // How alike they are, -1 to 1; larger means more alike.
    float score;
    // Scores from here on are matches.
    float threshold;
    // 0.
    uint32_t reserved;
    // The false match rate that was asked for.
    double fmr;
    // Lower end of the 95 % confidence interval of the false match rate at the threshold.
    double fmr_low;
    // Upper end of that interval.
    double fmr_high;
    // Non-mated comparisons behind it.
    uint64_t non_mated;
} vultus_comparison;

// How an engine is opened.
typedef struct {
    // sizeof(vultus_engine_options).
    size_t struct_size;
    // Ids of weights whose unknown or non-commercial licence is accepted; may be NULL when there
    // are none.
    const char *const *accepted_licences;
    // How many there are.
    size_t accepted_licences_count;
    // One of VULTUS_PRECISION_*.
    int32_t precision;
    // 0: a call stays on its thread, and many at once use all cores best. 1: each call is spread
    // over a pool of threads that the library keeps, as many as there are cores, for a shorter
    // wait where the cores would be idle. The answers are the same.
    uint32_t parallel;
    // The id of the pack, 64 hexadecimal digits, as a decision tells it; VULTUS_ERROR_MODEL for
    // another one. May be NULL.
    const char *expected_pack;
} vultus_engine_options;

// Where a face is, in pixels of the upright picture. The caller sets `struct_size`, the library
// the rest.
typedef struct {
    // sizeof(vultus_face).
    size_t struct_size;
    // Left side of its box, which may reach beyond the picture.
    float x;
    // Upper side of its box.
    float y;
    // Width of its box.
    float width;
    // Height of its box.
    float height;
    // The eye on the left of an upright face's picture, which is the subject's right eye.
    float left_eye_x;
    // The same eye, from the top.
    float left_eye_y;
    // The eye on the right of an upright face's picture.
    float right_eye_x;
    // The same eye, from the top.
    float right_eye_y;
    // How sure the detector is, 0 to 1; larger is surer.
    float score;
    // 0.
    uint32_t reserved;
} vultus_face;

// What to tell the person now. The caller sets `struct_size`, the library the rest.
typedef struct {
    // sizeof(vultus_guidance).
    size_t struct_size;
    // One of VULTUS_GUIDANCE_*; 0 when the call failed.
    int32_t code;
    // Frames so far that nothing was wrong with.
    uint32_t frames;
    // 1 when the box below is that of the face, 0 when no face was found.
    int32_t has_face;
    // Left side of the box around its landmarks, in pixels of the frame.
    float x;
    // Upper side of the box.
    float y;
    // Width of the box.
    float width;
    // Height of the box.
    float height;
    // 0.
    uint32_t reserved;
} vultus_guidance;

// When a frame was captured and when it came, and what was signed of it. The caller sets all.
typedef struct {
    // sizeof(vultus_arrival).
    size_t struct_size;
    // Time of capture in microseconds on the clock of the capture, as it comes.
    uint64_t captured_us;
    // When the host had the whole frame, in microseconds on its own clock, the one of
    // vultus_session_next_step(); counts where `has_arrived` is 1.
    uint64_t arrived_us;
    // 1 when `arrived_us` is told, else 0. A frame without it answers no step that was given out.
    int32_t has_arrived;
    // 1 when `sha256` is told, else 0.
    int32_t has_sha256;
    // SHA-256 of the frame as it was sent; each frame of an attested capture has one.
    uint8_t sha256[32];
} vultus_arrival;

// The step of a challenge that is due. The caller sets `struct_size`, the library the rest.
typedef struct {
    // sizeof(vultus_next_step).
    size_t struct_size;
    // One of VULTUS_CHALLENGE_*; 0 when nothing new is due.
    uint32_t kind;
    // How long the step is shown, in milliseconds.
    uint32_t duration_ms;
    // Of flashes: the colour of the screen, 0xRRGGBB.
    uint32_t colour;
    // Of moves of the head: one of VULTUS_DIRECTION_*.
    int32_t direction;
    // Of blinks: how often both eyes are shut.
    uint32_t times;
    // In how many milliseconds to ask again.
    uint32_t wait_ms;
    // 1 when all was shown and the time to answer has passed, else 0.
    int32_t is_over;
    // 0.
    uint32_t reserved;
} vultus_next_step;

// A threshold with the false match rate that was observed at it. The caller sets `struct_size`,
// the library the rest.
typedef struct {
    // sizeof(vultus_operating_point).
    size_t struct_size;
    // Scores from here on are matches.
    float threshold;
    // 0.
    uint32_t reserved;
    // The false match rate of one comparison at the threshold.
    double fmr;
    // Lower end of the 95 % confidence interval of that rate.
    double fmr_low;
    // Upper end of that interval.
    double fmr_high;
    // Non-mated comparisons behind it.
    uint64_t non_mated;
} vultus_operating_point;

// One reference that a search found. The caller sets `struct_size`, the library the rest.
typedef struct {
    // sizeof(vultus_candidate).
    size_t struct_size;
    // The number that it was inserted under.
    uint64_t id;
    // How alike it is to the probe, -1 to 1; larger means more alike.
    float score;
    // 0.
    uint32_t reserved;
} vultus_candidate;

// Takes one line of the log, which lives for the call only. It comes on the thread of the call
// that it is about, from several threads at once, and must not throw. It may call this library,
// and set another callback or none; what its own calls would log is left out.
typedef void (*vultus_log_callback)(void *user, int32_t level, const char *message);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Returns the VULTUS_ABI_VERSION that the library was built with.
uint32_t vultus_abi_version(void);

// Returns the version of the library, such as "0.1.0". It lives for ever.
const char *vultus_version(void);

// Returns the status that the failed call returned.
vultus_status vultus_error_code(const vultus_error *error);

// Returns one sentence for a log: the argument at fault, what was wrong, what is allowed.
const char *vultus_error_message(const vultus_error *error);

// Returns the stage of the pipeline where it happened, such as "image" or "model"; "interface" for
// the call itself.
const char *vultus_error_stage(const vultus_error *error);

// Frees an error.
void vultus_error_free(vultus_error *error);

// Decodes a JPEG, PNG or WebP file of `length` bytes and turns it upright by its EXIF orientation.
// `limits` may be NULL.
//
// VULTUS_ERROR_INPUT for anything that is no such file or is cut short, VULTUS_ERROR_LIMIT when it
// exceeds `limits` (checked before pixels are allocated), VULTUS_ERROR_UNSUPPORTED for animations.
vultus_status vultus_image_decode(const uint8_t *file,
                                  size_t length,
                                  const vultus_limits *limits,
                                  vultus_image **image,
                                  vultus_error **error);

// Copies raw pixels. VULTUS_ERROR_INPUT when a side is 0, the stride is shorter than a row or the
// buffer is too short.
vultus_status vultus_image_from_pixels(const vultus_pixels *pixels,
                                       vultus_image **image,
                                       vultus_error **error);

// Returns the width in pixels.
uint32_t vultus_image_width(const vultus_image *image);

// Returns the height in pixels.
uint32_t vultus_image_height(const vultus_image *image);

// Wipes and frees an image.
void vultus_image_free(vultus_image *image);

// Reads what vultus_template_bytes() gave.
//
// VULTUS_ERROR_INPUT when it is damaged, VULTUS_ERROR_UNSUPPORTED for another version of the
// format, VULTUS_ERROR_USAGE when other weights or another precision than those of `engine` made
// it.
vultus_status vultus_template_read(const vultus_engine *engine,
                                   const uint8_t *stored,
                                   size_t length,
                                   vultus_template **reference,
                                   vultus_error **error);

// Returns the bytes to store, and their number in `length`. Encrypt them. They live as long as the
// template.
const uint8_t *vultus_template_bytes(const vultus_template *reference, size_t *length);

// Returns what the picture was that it came from: one of VULTUS_ROLE_*.
int32_t vultus_template_role(const vultus_template *reference);

// Returns the unified quality score of the sample that it came from, 0 to 100, higher is better.
int32_t vultus_template_quality(const vultus_template *reference);

// Wipes and frees a template.
void vultus_template_free(vultus_template *reference);

// Returns 1 when a face was found, 0 when not: a failure to acquire.
int32_t vultus_sample_has_face(const vultus_sample *sample);

// Returns the sample as JSON.
const char *vultus_sample_json(const vultus_sample *sample);

// Frees a sample.
void vultus_sample_free(vultus_sample *sample);

// Returns one of VULTUS_OUTCOME_*.
int32_t vultus_decision_outcome(const vultus_decision *decision);

// Returns how many reasons there are. The decisive ones come first.
size_t vultus_decision_reason_count(const vultus_decision *decision);

// Returns the stable code of a reason, such as "non-match"; NULL when there is no reason `index`.
const char *vultus_decision_reason_code(const vultus_decision *decision, size_t index);

// Returns a reason as a sentence for people; NULL when there is no reason `index`.
const char *vultus_decision_reason_text(const vultus_decision *decision, size_t index);

// Returns what a reason does to the outcome, one of VULTUS_EFFECT_*; 0 when there is no reason
// `index`.
int32_t vultus_decision_reason_effect(const vultus_decision *decision, size_t index);

// Returns the picture that a reason is about, one of VULTUS_ROLE_*; VULTUS_ROLE_NONE for the
// transaction as a whole.
int32_t vultus_decision_reason_role(const vultus_decision *decision, size_t index);

// Fills `comparison`, of which the caller set `struct_size`. VULTUS_ERROR_ABSENT when a face was
// missing.
vultus_status vultus_decision_comparison(const vultus_decision *decision,
                                         vultus_comparison *comparison,
                                         vultus_error **error);

// Returns how many stages were timed. They are in no promised order.
size_t vultus_decision_stage_count(const vultus_decision *decision);

// Returns the name of a stage, such as "embed"; NULL when there is no stage `index`.
const char *vultus_decision_stage_name(const vultus_decision *decision, size_t index);

// Returns the milliseconds that a stage took, over both pictures and all threads; 0 when there is
// no stage `index`. Decoding is not among them.
float vultus_decision_stage_ms(const vultus_decision *decision, size_t index);

// Returns the decision with all its evidence as JSON, without times: the same bytes for the same
// input in every language.
const char *vultus_decision_json(const vultus_decision *decision);

// Frees a decision.
void vultus_decision_free(vultus_decision *decision);

// Loads the model pack in the folder `pack`. Nothing else is read, now or later. `options` may be
// NULL.
//
// VULTUS_ERROR_MODEL when the pack is missing, damaged, or holds weights whose licence must be
// accepted first.
vultus_status vultus_engine_open(const char *pack,
                                 const vultus_engine_options *options,
                                 vultus_engine **engine,
                                 vultus_error **error);

// Decides whether the person of `selfie` is that of the reference picture `document`.
//
// `policy` is a JSON object that overrides defaults, such as {"fmr": 1e-5}, and may be NULL. Whose
// document the picture shows, or whether it shows one, is looked at where policy.document asks.
// VULTUS_ERROR_USAGE when it holds an unknown name, or an operating point that the pack's
// calibration does not support.
vultus_status vultus_engine_verify(const vultus_engine *engine,
                                   const vultus_image *selfie,
                                   const vultus_image *document,
                                   const char *policy,
                                   vultus_decision **decision,
                                   vultus_error **error);

// Decides whether the person of `selfie` is the one enrolled as `reference`. `policy` as for
// vultus_engine_verify().
vultus_status vultus_engine_verify_template(const vultus_engine *engine,
                                            const vultus_image *selfie,
                                            const vultus_template *reference,
                                            const char *policy,
                                            vultus_decision **decision,
                                            vultus_error **error);

// Makes a reference of a picture; `role` is one of VULTUS_ROLE_*. Without a face in it
// `*reference` stays NULL, which is a failure to acquire and no error. `sample`, which may be
// NULL, gets what is known of the picture.
vultus_status vultus_engine_enrol(const vultus_engine *engine,
                                  const vultus_image *image,
                                  int32_t role,
                                  vultus_template **reference,
                                  vultus_sample **sample,
                                  vultus_error **error);

// Examines one picture without comparing it with anything; `role` is one of VULTUS_ROLE_*.
vultus_status vultus_engine_examine(const vultus_engine *engine,
                                    const vultus_image *image,
                                    int32_t role,
                                    vultus_sample **sample,
                                    vultus_error **error);

// Compares two templates at the operating point of `policy`, which may be NULL. Fills
// `comparison`, of which the caller set `struct_size`.
vultus_status vultus_engine_compare(const vultus_engine *engine,
                                    const vultus_template *probe,
                                    const vultus_template *reference,
                                    const char *policy,
                                    vultus_comparison *comparison,
                                    vultus_error **error);

// Returns name and version of the model pack.
const char *vultus_engine_pack(const vultus_engine *engine);

// Returns what the pack says of each weight as JSON: origin, licence, hash.
const char *vultus_engine_models_json(const vultus_engine *engine);

// Frees an engine. No call on it may be running.
void vultus_engine_free(vultus_engine *engine);

// Reads the machine-readable zone of an identity document (ICAO Doc 9303), any way up. Whatever
// the picture shows is a document; VULTUS_ERROR_UNSUPPORTED with a pack that holds no networks for
// it. `today` is a date, "YYYY-MM-DD", that tells the century of dates; it may be NULL.
vultus_status vultus_engine_read_document(const vultus_engine *engine,
                                          const vultus_image *picture,
                                          const char *today,
                                          vultus_document **document,
                                          vultus_error **error);

// Returns how far the document is established, one of VULTUS_DOCUMENT_*.
int32_t vultus_document_level(const vultus_document *document);

// Returns what was found as JSON, without what stands in the zone.
const char *vultus_document_json(const vultus_document *document);

// Returns what stands in the zone as JSON, "null" without one: `lines`, `document_code`, `issuer`,
// `number`, `nationality`, `family_name`, `given_names`, `sex`, `birth_date`, `expiry_date`,
// `optional`. All of it is personal, and in doubt unless the level says otherwise. It is wiped
// with the document.
const char *vultus_document_personal_json(const vultus_document *document);

// Frees a document.
void vultus_document_free(vultus_document *document);

// Finds every face of a picture; `role` is one of VULTUS_ROLE_*. None found is no error.
vultus_status vultus_engine_detect(const vultus_engine *engine,
                                   const vultus_image *image,
                                   int32_t role,
                                   vultus_faces **faces,
                                   vultus_error **error);

// Returns how many faces there are. Those that the detector is surest of come first.
size_t vultus_faces_count(const vultus_faces *faces);

// Fills `face`, of which the caller set `struct_size`. VULTUS_ERROR_ABSENT when there is no face
// `index`.
vultus_status vultus_faces_get(const vultus_faces *faces,
                               size_t index,
                               vultus_face *face,
                               vultus_error **error);

// Frees faces.
void vultus_faces_free(vultus_faces *faces);

// Fills `face`, of which the caller set `struct_size`, with the face that was chosen.
// VULTUS_ERROR_ABSENT when none was found.
vultus_status vultus_sample_face(const vultus_sample *sample,
                                 vultus_face *face,
                                 vultus_error **error);

// Derives a challenge from a nonce of 16 to 64 unpredictable bytes, which is used once; `kinds` is
// a sum of VULTUS_CHALLENGE_*, asked in the order of their values. Equal nonces and kinds give
// equal challenges, so that a server need only keep the nonce.
vultus_status vultus_challenge_new(const uint8_t *nonce,
                                   size_t length,
                                   uint32_t kinds,
                                   vultus_challenge **challenge,
                                   vultus_error **error);

// Returns all that is to be shown and asked as JSON for the page or app that records. The nonce is
// not in it. Who has it can prepare the answer to the later steps: vultus_session_next_step()
// gives each out when it is due.
const char *vultus_challenge_json(const vultus_challenge *challenge);

// Frees a challenge.
void vultus_challenge_free(vultus_challenge *challenge);

// Returns the higher risk of a deepfake or an injected stream, one of VULTUS_RISK_*.
int32_t vultus_evidence_risk(const vultus_evidence *evidence);

// Returns the evidence as JSON, as it stands in the JSON of a decision.
const char *vultus_evidence_json(const vultus_evidence *evidence);

// Frees evidence.
void vultus_evidence_free(vultus_evidence *evidence);

// Returns a VULTUS_GUIDANCE_* as a sentence for people; NULL for another number. It lives for
// ever.
const char *vultus_guidance_text(int32_t code);

// Opens a session, which keeps the models of `engine` alive. `challenge` is what will be asked of
// the person; it may be NULL and is not kept.
vultus_status vultus_session_new(const vultus_engine *engine,
                                 const vultus_challenge *challenge,
                                 vultus_session **session,
                                 vultus_error **error);

// Takes a frame, and fills `guidance`, of which the caller set `struct_size`.
//
// Push each picture of the camera once, with its own time of capture: one that is pushed again is
// evidence of an injected stream. `timestamp_us` is that time in microseconds on the clock of the
// capture, as it comes: one that repeats or goes backward is evidence and no error. The frame must
// not be mirrored.
vultus_status vultus_session_push(vultus_session *session,
                                  const vultus_image *frame,
                                  uint64_t timestamp_us,
                                  vultus_guidance *guidance,
                                  vultus_error **error);

// Tells at which moment, on the clock of the frames, the first step of the challenge was shown.
// VULTUS_ERROR_USAGE without a challenge, or when it has begun already.
vultus_status vultus_session_begin_challenge(vultus_session *session,
                                             uint64_t timestamp_us,
                                             vultus_error **error);

// As vultus_session_push(), of a frame that came from elsewhere.
vultus_status vultus_session_push_arrival(vultus_session *session,
                                          const vultus_image *frame,
                                          const vultus_arrival *arrival,
                                          vultus_guidance *guidance,
                                          vultus_error **error);

// Gives out the step of the challenge that is due at `host_us`, a time in microseconds on the
// host's own clock, which must not go back; the first call begins the challenge. Fills `next`, of
// which the caller set `struct_size`.
//
// Show the step at once, and push the frames by vultus_session_push_arrival() on the same clock:
// the later steps stay here, so that whoever sends the frames cannot prepare the answer.
// VULTUS_ERROR_USAGE without a challenge, after vultus_session_begin_challenge(), or when the time
// goes back.
vultus_status vultus_session_next_step(vultus_session *session,
                                       uint64_t host_us,
                                       vultus_next_step *next,
                                       vultus_error **error);

// Fills `digest`, 32 bytes, with what the capturing device has to sign: SHA-256 over
// "vultus capture 1", the SHA-256 of the nonce, and that of every frame in the order in which they
// came. VULTUS_ERROR_USAGE without a challenge, or when a frame came without its hash.
vultus_status vultus_session_attestation_digest(const vultus_session *session,
                                                uint8_t *digest,
                                                vultus_error **error);

// Tells that the caller checked a signature of the capturing device, whose key it trusts, over
// `digest`, 32 bytes. It holds for the frames so far; one more takes it back. VULTUS_ERROR_USAGE
// where `digest` is not that of vultus_session_attestation_digest().
vultus_status vultus_session_attest(vultus_session *session,
                                    const uint8_t *digest,
                                    vultus_error **error);

// Returns what the frames so far tell, at any time.
vultus_status vultus_session_evidence(const vultus_session *session,
                                      vultus_evidence **evidence,
                                      vultus_error **error);

// Makes a reference of the best frames. When no frame held a face `*reference` stays NULL, which
// is a failure to acquire and no error.
vultus_status vultus_session_template(const vultus_session *session,
                                      vultus_template **reference,
                                      vultus_error **error);

// Decides whether the person of the frames is that of the reference picture `document`. `policy`
// as for vultus_engine_verify().
vultus_status vultus_session_verify(const vultus_session *session,
                                    const vultus_image *document,
                                    const char *policy,
                                    vultus_decision **decision,
                                    vultus_error **error);

// Decides whether the person of the frames is the one enrolled as `reference`. `policy` as for
// vultus_engine_verify().
vultus_status vultus_session_verify_template(const vultus_session *session,
                                             const vultus_template *reference,
                                             const char *policy,
                                             vultus_decision **decision,
                                             vultus_error **error);

// Frees a session.
void vultus_session_free(vultus_session *session);

// Makes an empty gallery for templates of `engine`, compared as the default policy compares. It
// does not need the engine any more.
vultus_status vultus_gallery_new(const vultus_engine *engine,
                                 vultus_gallery **gallery,
                                 vultus_error **error);

// Adds a copy of `reference` under the number `id`. VULTUS_ERROR_USAGE when the number is taken,
// or the template was made in another precision.
vultus_status vultus_gallery_insert(vultus_gallery *gallery,
                                    uint64_t id,
                                    const vultus_template *reference,
                                    vultus_error **error);

// Wipes and removes the reference with the number `id`; `removed` gets 1 when there was one, 0
// when not, which is no error.
vultus_status vultus_gallery_remove(vultus_gallery *gallery,
                                    uint64_t id,
                                    int32_t *removed,
                                    vultus_error **error);

// Returns how many references it holds.
size_t vultus_gallery_count(const vultus_gallery *gallery);

// Finds the `most` references that are most alike to `probe`, or all where it holds fewer; equal
// scores come in the order of their numbers. The scores are those of comparing one by one. Whether
// one of them is a match, vultus_engine_gallery_threshold() says.
vultus_status vultus_gallery_search(const vultus_gallery *gallery,
                                    const vultus_template *probe,
                                    size_t most,
                                    vultus_candidates **candidates,
                                    vultus_error **error);

// Wipes and frees a gallery.
void vultus_gallery_free(vultus_gallery *gallery);

// Fills `point`, of which the caller set `struct_size`, with the threshold for a search in a
// gallery of `size` references: scores from there on come up for a person who is not in it with
// the probability `fpir`, the false positive identification rate.
//
// VULTUS_ERROR_USAGE when the pack's calibration does not reach so far, which a larger `fpir` or
// fewer references cure.
vultus_status vultus_engine_gallery_threshold(const vultus_engine *engine,
                                              size_t size,
                                              double fpir,
                                              vultus_operating_point *point,
                                              vultus_error **error);

// Returns how many candidates there are.
size_t vultus_candidates_count(const vultus_candidates *candidates);

// Fills `candidate`, of which the caller set `struct_size`. VULTUS_ERROR_ABSENT when there is no
// candidate `index`.
vultus_status vultus_candidates_get(const vultus_candidates *candidates,
                                    size_t index,
                                    vultus_candidate *candidate,
                                    vultus_error **error);

// Frees candidates.
void vultus_candidates_free(vultus_candidates *candidates);

// Sends the log of the whole process to `callback`, with `user` as its first argument; NULL turns
// the log off, as it is at the start. When this returns, the callback set before is not running,
// unless it is the one that calls this, and will not be called again. No line holds pixels,
// features, scores or anything read off a document.
void vultus_set_log_callback(vultus_log_callback callback, void *user);

// Returns how many handles of all types exist now: 0 when all were freed, for tests that look for
// leaks.
size_t vultus_live_objects(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VULTUS_H */
