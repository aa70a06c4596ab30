/* interface PHOTOS: all that needs no models: versions, images, errors, NULL, wrong handles, struct
 * sizes, the log. */

#include "check.h"

static void versions(void) {
    CHECK(vultus_abi_version() == VULTUS_ABI_VERSION);
    CHECK(strchr(vultus_version(), '.') != NULL);
}

static void pictures(const char *photos) {
    blob jpeg = slurp(photos, "obama2.jpg"), png = slurp(photos, "specimen-obama.png");
    const blob *files[2];
    vultus_image *image = NULL;
    vultus_limits limits = {0};
    uint8_t empty[1] = {0};
    size_t f, i, cuts[] = {0, 1, 2, 3, 8, 100, 1000, 100000};
    files[0] = &jpeg;
    files[1] = &png;
    ACCEPTED(vultus_image_decode(jpeg.bytes, jpeg.length, NULL, &image, &error));
    CHECK(vultus_image_width(image) > 100 && vultus_image_height(image) > 100);
    vultus_image_free(image);

    for (f = 0; f < 2; f++) {
        for (i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            /* An exact copy on the heap: a read past the cut is seen by valgrind and the
             * sanitizers. */
            uint8_t *cut = malloc(cuts[i] + 1);
            memcpy(cut, files[f]->bytes, cuts[i]);
            cut = realloc(cut, cuts[i] ? cuts[i] : 1);
            REFUSED(vultus_image_decode(cut, cuts[i], NULL, &image, &error), VULTUS_ERROR_INPUT,
                    "file: ");
            CHECK(image == NULL);
            free(cut);
        }
    }
    REFUSED(vultus_image_decode(empty, (size_t)-1, NULL, &image, &error), VULTUS_ERROR_USAGE,
            "file: ");

    limits.struct_size = sizeof limits;
    limits.max_pixels = 100;
    REFUSED(vultus_image_decode(jpeg.bytes, jpeg.length, &limits, &image, &error),
            VULTUS_ERROR_LIMIT, "the limit is 100");
    limits.max_pixels = 0;
    limits.max_bytes = 10;
    REFUSED(vultus_image_decode(jpeg.bytes, jpeg.length, &limits, &image, &error),
            VULTUS_ERROR_LIMIT, "the limit is 10");
    limits.max_aspect = 0.5f;
    REFUSED(vultus_image_decode(jpeg.bytes, jpeg.length, &limits, &image, &error),
            VULTUS_ERROR_USAGE, "limits.max_aspect");
    limits.struct_size = 3;
    REFUSED(vultus_image_decode(jpeg.bytes, jpeg.length, &limits, &image, &error),
            VULTUS_ERROR_USAGE, "struct_size is 3");

    REFUSED(vultus_image_decode(NULL, 1, NULL, &image, &error), VULTUS_ERROR_NULL, "file: ");
    REFUSED(vultus_image_decode(jpeg.bytes, jpeg.length, NULL, NULL, &error), VULTUS_ERROR_NULL,
            "image: ");
    CHECK(vultus_image_decode(NULL, 1, NULL, &image, NULL) == VULTUS_ERROR_NULL);
    free(jpeg.bytes);
    free(png.bytes);
}

static void pixels(void) {
    int32_t format;
    uint8_t *data = calloc(1, 8 * 8 * 4);
    vultus_image *image = NULL;
    vultus_pixels view = {0};
    view.struct_size = sizeof view;
    view.data = data;
    view.data_length = 8 * 8 * 4;
    view.stride = 8 * 4;
    view.width = 8;
    view.height = 4;
    for (format = 0; format <= 7; format++) {
        view.format = format;
        if (format >= VULTUS_PIXELS_RGB8 && format <= VULTUS_PIXELS_NV12) {
            ACCEPTED(vultus_image_from_pixels(&view, &image, &error));
            CHECK(vultus_image_width(image) == 8 && vultus_image_height(image) == 4);
            vultus_image_free(image);
        } else {
            REFUSED(vultus_image_from_pixels(&view, &image, &error), VULTUS_ERROR_USAGE,
                    "pixels.format: ");
            CHECK(image == NULL);
        }
    }
    view.format = VULTUS_PIXELS_RGBA8;
    view.height = 9;
    REFUSED(vultus_image_from_pixels(&view, &image, &error), VULTUS_ERROR_INPUT,
            "buffer holds 256 bytes");
    view.height = 0;
    REFUSED(vultus_image_from_pixels(&view, &image, &error), VULTUS_ERROR_INPUT, "8 x 0");
    view.height = 8;
    view.stride = 31;
    REFUSED(vultus_image_from_pixels(&view, &image, &error), VULTUS_ERROR_INPUT, "stride is 31");
    view.data = NULL;
    REFUSED(vultus_image_from_pixels(&view, &image, &error), VULTUS_ERROR_NULL, "pixels.data: ");
    view.struct_size = 0;
    REFUSED(vultus_image_from_pixels(&view, &image, &error), VULTUS_ERROR_USAGE,
            "struct_size is 0");
    REFUSED(vultus_image_from_pixels(NULL, &image, &error), VULTUS_ERROR_NULL, "pixels: ");
    REFUSED(vultus_image_from_pixels(&view, NULL, &error), VULTUS_ERROR_NULL, "image: ");
    free(data);
}

static void opening(void) {
    vultus_engine *engine = (vultus_engine *)1;
    vultus_engine_options options = {0};
    const char *none[] = {NULL};
    options.struct_size = sizeof options;
    REFUSED(vultus_engine_open("/nowhere", NULL, &engine, &error), VULTUS_ERROR_MODEL, "pack: ");
    CHECK(engine == NULL);
    REFUSED(vultus_engine_open(NULL, NULL, &engine, &error), VULTUS_ERROR_NULL, "pack: ");
    REFUSED(vultus_engine_open("/nowhere", NULL, NULL, &error), VULTUS_ERROR_NULL, "engine: ");
    options.precision = 3;
    REFUSED(vultus_engine_open("/nowhere", &options, &engine, &error), VULTUS_ERROR_USAGE,
            "options.precision: is 3");
    options.precision = VULTUS_PRECISION_FAST;
    options.accepted_licences_count = 1;
    REFUSED(vultus_engine_open("/nowhere", &options, &engine, &error), VULTUS_ERROR_NULL,
            "options.accepted_licences: ");
    options.accepted_licences = none;
    REFUSED(vultus_engine_open("/nowhere", &options, &engine, &error), VULTUS_ERROR_NULL,
            "options.accepted_licences: ");
    options.parallel = 2;
    REFUSED(vultus_engine_open("/nowhere", &options, &engine, &error), VULTUS_ERROR_USAGE,
            "options.parallel: is 2, allowed are 0 and 1");
    options.parallel = 0;
    options.accepted_licences_count = 65;
    REFUSED(vultus_engine_open("/nowhere", &options, &engine, &error), VULTUS_ERROR_USAGE,
            "options.accepted_licences_count: is 65, at most 64");
    options.struct_size = offsetof(vultus_engine_options, expected_pack) - 1;
    REFUSED(vultus_engine_open("/nowhere", &options, &engine, &error), VULTUS_ERROR_USAGE,
            "options: struct_size");
    REFUSED(vultus_engine_open("/nowhere",
                               (vultus_engine_options *)(void *)((char *)&options + 1), &engine,
                               &error),
            VULTUS_ERROR_USAGE, "options: its address is no multiple of");
}

/* Accessors take NULL and give zero; frees take NULL. */
static void null_handles(void) {
    size_t length = 7;
    vultus_comparison comparison = {0};
    CHECK(vultus_decision_outcome(NULL) == VULTUS_OUTCOME_NONE);
    CHECK(vultus_decision_outcome(NULL) != VULTUS_OUTCOME_ACCEPT);
    CHECK(vultus_decision_reason_count(NULL) == 0);
    CHECK(!vultus_decision_stage_count(NULL) && !vultus_decision_stage_name(NULL, 0) &&
          vultus_decision_stage_ms(NULL, 0) == 0);
    CHECK(!vultus_decision_reason_code(NULL, 0) && !vultus_decision_reason_text(NULL, 0));
    CHECK(!vultus_decision_reason_effect(NULL, 0) && !vultus_decision_reason_role(NULL, 0));
    CHECK(!vultus_decision_json(NULL) && !vultus_sample_json(NULL) &&
          !vultus_sample_has_face(NULL));
    CHECK(!vultus_engine_pack(NULL) && !vultus_engine_models_json(NULL));
    CHECK(!vultus_error_code(NULL) && !vultus_error_message(NULL) && !vultus_error_stage(NULL));
    CHECK(!vultus_image_width(NULL) && !vultus_image_height(NULL));
    CHECK(!vultus_template_bytes(NULL, &length) && length == 0);
    CHECK(!vultus_template_bytes(NULL, NULL));
    CHECK(!vultus_faces_count(NULL));
    CHECK(!vultus_template_role(NULL) && !vultus_template_quality(NULL));
    REFUSED(vultus_decision_comparison(NULL, &comparison, &error), VULTUS_ERROR_USAGE,
            "struct_size is 0");
    comparison.struct_size = sizeof comparison;
    REFUSED(vultus_decision_comparison(NULL, &comparison, &error), VULTUS_ERROR_NULL, "decision: ");
    CHECK(comparison.struct_size == sizeof comparison && comparison.result == 0);
    vultus_decision_free(NULL);
    vultus_engine_free(NULL);
    vultus_error_free(NULL);
    vultus_faces_free(NULL);
    vultus_image_free(NULL);
    vultus_sample_free(NULL);
    vultus_template_free(NULL);
}

static void wrong_handles(void) {
    uint8_t grey[4] = {0};
    vultus_image *image = NULL, *stale;
    vultus_decision *decision = NULL;
    vultus_pixels view = {0};
    view.struct_size = sizeof view;
    view.data = grey;
    view.data_length = 4;
    view.stride = view.width = view.height = 2;
    view.format = VULTUS_PIXELS_GREY8;
    ACCEPTED(vultus_image_from_pixels(&view, &image, &error));
    REFUSED(vultus_engine_verify((vultus_engine *)image, image, image, NULL, &decision, &error),
            VULTUS_ERROR_HANDLE, "engine: ");
    CHECK(vultus_decision_outcome((vultus_decision *)image) == VULTUS_OUTCOME_NONE);
    /* Freed as another type it stays alive. */
    vultus_engine_free((vultus_engine *)image);
    CHECK(vultus_live_objects() == 1);
    vultus_image_free(image);

    /* A handle that was freed is known as such, whatever was made since; one that never was too. */
    stale = image;
    ACCEPTED(vultus_image_from_pixels(&view, &image, &error));
    CHECK(image != stale && vultus_image_width(stale) == 0 && vultus_image_width(image) == 2);
    vultus_image_free(stale);
    CHECK(vultus_live_objects() == 1 && vultus_image_width(image) == 2);
    CHECK(vultus_image_width((vultus_image *)16) == 0);
    vultus_image_free((vultus_image *)16);
    vultus_image_free(image);
    CHECK(vultus_live_objects() == 0);
}

typedef struct {
    unsigned lines;
    int32_t level;
    char last[512];
} sink;

static void take_line(void *user, int32_t level, const char *message) {
    sink *log = user;
    log->lines++;
    log->level = level;
    snprintf(log->last, sizeof log->last, "%s", message);
}

/* Turns the log off, and calls the library. */
static void take_one_line(void *user, int32_t level, const char *message) {
    vultus_image *image = NULL;
    take_line(user, level, message);
    CHECK(vultus_image_decode(NULL, 0, NULL, &image, NULL) == VULTUS_ERROR_NULL);
    vultus_set_log_callback(NULL, NULL);
}

static void logging(void) {
    sink log = {0, 0, ""};
    vultus_image *image = NULL;
    vultus_set_log_callback(take_line, &log);
    CHECK(vultus_image_decode(NULL, 0, NULL, &image, NULL) == VULTUS_ERROR_NULL);
    CHECK(log.lines == 1 && log.level == VULTUS_LOG_ERROR);
    CHECK(strcmp(log.last, "vultus_image_decode: file: is NULL, which is not allowed") == 0);
    vultus_set_log_callback(NULL, NULL);
    CHECK(vultus_image_decode(NULL, 0, NULL, &image, NULL) == VULTUS_ERROR_NULL);
    CHECK(log.lines == 1);
    vultus_set_log_callback(take_one_line, &log);
    CHECK(vultus_image_decode(NULL, 0, NULL, &image, NULL) == VULTUS_ERROR_NULL);
    CHECK(vultus_image_decode(NULL, 0, NULL, &image, NULL) == VULTUS_ERROR_NULL);
    CHECK(log.lines == 2);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s PHOTOS\n", argv[0]);
        return 3;
    }
    versions();
    pictures(argv[1]);
    pixels();
    opening();
    null_handles();
    wrong_handles();
    logging();
    return finish("interface");
}
