/* engine PACK PHOTOS OUT: decisions, templates and comparisons, and every argument wrong in turn;
 * OUT gets templates for `stored`. */

#include "check.h"

static vultus_engine *engine;
static vultus_image *holder, *other, *document, *blank;

static int has_reason(const vultus_decision *decision, const char *code) {
    size_t i;
    for (i = 0; i < vultus_decision_reason_count(decision); i++) {
        if (strcmp(vultus_decision_reason_code(decision, i), code) == 0) {
            return 1;
        }
    }
    return 0;
}

static void decisions(void) {
    vultus_decision *decision = NULL;
    vultus_comparison comparison = {0};
    size_t count, i;
    comparison.struct_size = sizeof comparison;

    ACCEPTED(vultus_engine_verify(engine, holder, document, NULL, &decision, &error));
    CHECK(vultus_decision_outcome(decision) == VULTUS_OUTCOME_ACCEPT);
    CHECK(has_reason(decision, "match") && !has_reason(decision, "non-match"));
    count = vultus_decision_reason_count(decision);
    CHECK(count > 0 && !vultus_decision_reason_code(decision, count) &&
          !vultus_decision_reason_text(decision, count));
    CHECK(strlen(vultus_decision_reason_text(decision, 0)) > 0);
    CHECK(vultus_decision_reason_effect(decision, 0) == VULTUS_EFFECT_SUPPORT);
    CHECK(vultus_decision_reason_effect(decision, count) == 0 &&
          vultus_decision_reason_role(decision, count) == 0);
    count = vultus_decision_stage_count(decision);
    for (i = 0; i < count && strcmp(vultus_decision_stage_name(decision, i), "embed"); i++) {
    }
    CHECK(i < count && vultus_decision_stage_ms(decision, i) > 0);
    CHECK(!vultus_decision_stage_name(decision, count) &&
          vultus_decision_stage_ms(decision, count) == 0);
    CHECK(strncmp(vultus_decision_json(decision), "{\"format\":1,\"outcome\":\"accept\"", 30) == 0);
    ACCEPTED(vultus_decision_comparison(decision, &comparison, &error));
    CHECK(comparison.result == VULTUS_MATCH && comparison.score >= comparison.threshold &&
          comparison.score <= 1);
    CHECK(comparison.fmr == 1e-4 && comparison.fmr_low <= comparison.fmr_high &&
          comparison.non_mated > 0);
    REFUSED(vultus_decision_comparison(decision, NULL, &error), VULTUS_ERROR_NULL, "comparison: ");
    vultus_decision_free(decision);

    ACCEPTED(vultus_engine_verify(engine, other, document, "{\"fmr\": 1e-3}", &decision, &error));
    CHECK(vultus_decision_outcome(decision) == VULTUS_OUTCOME_REJECT);
    CHECK(vultus_decision_reason_effect(decision, 0) == VULTUS_EFFECT_REJECT);
    ACCEPTED(vultus_decision_comparison(decision, &comparison, &error));
    CHECK(comparison.result == VULTUS_NON_MATCH && comparison.score < comparison.threshold &&
          comparison.fmr == 1e-3);
    vultus_decision_free(decision);

    ACCEPTED(vultus_engine_verify(engine, blank, document, NULL, &decision, &error));
    CHECK(vultus_decision_outcome(decision) == VULTUS_OUTCOME_INCONCLUSIVE);
    CHECK(strcmp(vultus_decision_reason_code(decision, 0), "no-face") == 0);
    CHECK(vultus_decision_reason_role(decision, 0) == VULTUS_ROLE_SELFIE);
    REFUSED(vultus_decision_comparison(decision, &comparison, &error), VULTUS_ERROR_ABSENT,
            "a face was missing");
    CHECK(comparison.result == 0 && comparison.score == 0);
    vultus_decision_free(decision);
}

static void bad_arguments(void) {
    vultus_decision *decision = (vultus_decision *)1;
    REFUSED(vultus_engine_verify(NULL, holder, document, NULL, &decision, &error),
            VULTUS_ERROR_NULL, "engine: ");
    CHECK(decision == NULL);
    REFUSED(vultus_engine_verify(engine, NULL, document, NULL, &decision, &error),
            VULTUS_ERROR_NULL, "selfie: ");
    REFUSED(vultus_engine_verify(engine, holder, NULL, NULL, &decision, &error), VULTUS_ERROR_NULL,
            "document: ");
    REFUSED(vultus_engine_verify(engine, holder, document, NULL, NULL, &error), VULTUS_ERROR_NULL,
            "decision: ");
    CHECK(vultus_engine_verify(engine, NULL, document, NULL, &decision, NULL) == VULTUS_ERROR_NULL);
    REFUSED(vultus_engine_verify(engine, holder, document, "{", &decision, &error),
            VULTUS_ERROR_USAGE, "policy: ");
    REFUSED(vultus_engine_verify(engine, holder, document, "{\"far\":1}", &decision, &error),
            VULTUS_ERROR_USAGE, "policy: ");
    REFUSED(vultus_engine_verify(engine, holder, document, "\xff", &decision, &error),
            VULTUS_ERROR_USAGE, "not UTF-8");
    REFUSED(vultus_engine_verify(engine, holder, document, "{\"fmr\":1e-30}", &decision, &error),
            VULTUS_ERROR_USAGE, "is not supported by the calibration");
    REFUSED(vultus_engine_verify(engine, (vultus_image *)engine, document, NULL, &decision, &error),
            VULTUS_ERROR_HANDLE, "selfie: ");
    CHECK(decision == NULL);
}

static void templates(void) {
    vultus_template *reference = NULL, *again = NULL, *probe = NULL;
    vultus_sample *sample = NULL;
    vultus_decision *decision = NULL;
    vultus_comparison comparison = {0};
    size_t length = 0, i;
    const uint8_t *bytes;
    uint8_t *damaged;
    comparison.struct_size = sizeof comparison;

    ACCEPTED(
        vultus_engine_enrol(engine, document, VULTUS_ROLE_DOCUMENT, &reference, &sample, &error));
    CHECK(vultus_sample_has_face(sample) == 1 && vultus_sample_json(sample)[0] == '{');
    CHECK(vultus_template_role(reference) == VULTUS_ROLE_DOCUMENT);
    CHECK(vultus_template_quality(reference) > 0 && vultus_template_quality(reference) <= 100);
    vultus_sample_free(sample);
    bytes = vultus_template_bytes(reference, &length);
    CHECK(bytes && length > 100 && memcmp(bytes, "VULT", 4) == 0);
    ACCEPTED(vultus_template_read(engine, bytes, length, &again, &error));
    ACCEPTED(vultus_engine_verify_template(engine, holder, again, NULL, &decision, &error));
    CHECK(vultus_decision_outcome(decision) == VULTUS_OUTCOME_ACCEPT);
    vultus_decision_free(decision);

    ACCEPTED(vultus_engine_enrol(engine, other, VULTUS_ROLE_SELFIE, &probe, NULL, &error));
    ACCEPTED(vultus_engine_compare(engine, probe, again, NULL, &comparison, &error));
    CHECK(comparison.result == VULTUS_NON_MATCH);
    ACCEPTED(vultus_engine_compare(engine, again, reference, NULL, &comparison, &error));
    CHECK(comparison.result == VULTUS_MATCH && comparison.score > 0.999f);
    vultus_template_free(probe);

    damaged = malloc(length);
    for (i = 0; i < length; i += 97) {
        memcpy(damaged, bytes, length);
        damaged[i] ^= 1;
        CHECK(vultus_template_read(engine, damaged, length, &probe, NULL) != VULTUS_OK &&
              probe == NULL);
        CHECK(vultus_template_read(engine, bytes, i, &probe, NULL) == VULTUS_ERROR_INPUT &&
              probe == NULL);
    }
    memcpy(damaged, bytes, length);
    damaged[4] = 99;
    REFUSED(vultus_template_read(engine, damaged, length, &probe, &error), VULTUS_ERROR_UNSUPPORTED,
            "stored: ");
    free(damaged);

    REFUSED(vultus_template_read(NULL, bytes, length, &probe, &error), VULTUS_ERROR_NULL,
            "engine: ");
    REFUSED(vultus_template_read(engine, NULL, length, &probe, &error), VULTUS_ERROR_NULL,
            "stored: ");
    REFUSED(vultus_template_read(engine, bytes, length, NULL, &error), VULTUS_ERROR_NULL,
            "reference: ");
    REFUSED(vultus_engine_verify_template(NULL, holder, again, NULL, &decision, &error),
            VULTUS_ERROR_NULL, "engine: ");
    REFUSED(vultus_engine_verify_template(engine, NULL, again, NULL, &decision, &error),
            VULTUS_ERROR_NULL, "selfie: ");
    REFUSED(vultus_engine_verify_template(engine, holder, NULL, NULL, &decision, &error),
            VULTUS_ERROR_NULL, "reference: ");
    REFUSED(vultus_engine_verify_template(engine, holder, again, NULL, NULL, &error),
            VULTUS_ERROR_NULL, "decision: ");
    REFUSED(vultus_engine_compare(NULL, again, again, NULL, &comparison, &error), VULTUS_ERROR_NULL,
            "engine: ");
    CHECK(comparison.result == 0);
    REFUSED(vultus_engine_compare(engine, NULL, again, NULL, &comparison, &error),
            VULTUS_ERROR_NULL, "probe: ");
    REFUSED(vultus_engine_compare(engine, again, NULL, NULL, &comparison, &error),
            VULTUS_ERROR_NULL, "reference: ");
    REFUSED(vultus_engine_compare(engine, again, again, NULL, NULL, &error), VULTUS_ERROR_NULL,
            "comparison: ");
    REFUSED(vultus_engine_enrol(NULL, holder, VULTUS_ROLE_SELFIE, &probe, &sample, &error),
            VULTUS_ERROR_NULL, "engine: ");
    REFUSED(vultus_engine_enrol(engine, NULL, VULTUS_ROLE_SELFIE, &probe, &sample, &error),
            VULTUS_ERROR_NULL, "image: ");
    REFUSED(vultus_engine_enrol(engine, holder, 0, &probe, &sample, &error), VULTUS_ERROR_USAGE,
            "role: is 0");
    REFUSED(vultus_engine_enrol(engine, holder, VULTUS_ROLE_SELFIE, NULL, &sample, &error),
            VULTUS_ERROR_NULL, "reference: ");
    CHECK(sample == NULL);
    REFUSED(vultus_engine_examine(NULL, holder, VULTUS_ROLE_SELFIE, &sample, &error),
            VULTUS_ERROR_NULL, "engine: ");
    REFUSED(vultus_engine_examine(engine, NULL, VULTUS_ROLE_SELFIE, &sample, &error),
            VULTUS_ERROR_NULL, "image: ");
    REFUSED(vultus_engine_examine(engine, holder, 9, &sample, &error), VULTUS_ERROR_USAGE,
            "role: is 9");
    REFUSED(vultus_engine_examine(engine, holder, VULTUS_ROLE_SELFIE, NULL, &error),
            VULTUS_ERROR_NULL, "sample: ");

    probe = (vultus_template *)1;
    ACCEPTED(vultus_engine_enrol(engine, blank, VULTUS_ROLE_SELFIE, &probe, &sample, &error));
    CHECK(probe == NULL && vultus_sample_has_face(sample) == 0);
    vultus_sample_free(sample);
    ACCEPTED(vultus_engine_examine(engine, holder, VULTUS_ROLE_SELFIE, &sample, &error));
    CHECK(vultus_sample_has_face(sample) == 1);
    vultus_sample_free(sample);
    vultus_template_free(again);
    vultus_template_free(reference);
}

/* Writes the template of a picture to a file, for `stored`. */
static void keep(const char *folder, const char *name, const vultus_image *image, int32_t role) {
    vultus_template *reference = NULL;
    char path[4096];
    FILE *file;
    size_t length = 0;
    const uint8_t *bytes;
    ACCEPTED(vultus_engine_enrol(engine, image, role, &reference, NULL, &error));
    bytes = vultus_template_bytes(reference, &length);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
    vultus_template_free(reference);
}

static void faces(void) {
    vultus_faces *found = NULL;
    vultus_sample *sample = NULL;
    vultus_face face = {0}, chosen = {0};
    face.struct_size = chosen.struct_size = sizeof face;
    ACCEPTED(vultus_engine_detect(engine, holder, VULTUS_ROLE_SELFIE, &found, &error));
    CHECK(vultus_faces_count(found) == 1);
    ACCEPTED(vultus_faces_get(found, 0, &face, &error));
    CHECK(face.width > 40 && face.height > 40 && face.score > 0.5f && face.score <= 1);
    CHECK(face.x < face.left_eye_x && face.left_eye_x < face.right_eye_x &&
          face.right_eye_x < face.x + face.width);
    CHECK(face.y < face.left_eye_y && face.right_eye_y < face.y + face.height);
    ACCEPTED(vultus_engine_examine(engine, holder, VULTUS_ROLE_SELFIE, &sample, &error));
    ACCEPTED(vultus_sample_face(sample, &chosen, &error));
    CHECK(memcmp(&face, &chosen, sizeof face) == 0);
    REFUSED(vultus_sample_face(NULL, &chosen, &error), VULTUS_ERROR_NULL, "sample: ");
    CHECK(chosen.width == 0 && chosen.struct_size == sizeof chosen);
    REFUSED(vultus_sample_face(sample, NULL, &error), VULTUS_ERROR_NULL, "face: ");
    vultus_sample_free(sample);
    REFUSED(vultus_faces_get(found, 1, &face, &error), VULTUS_ERROR_ABSENT,
            "index: is 1, there are 1 faces");
    CHECK(face.width == 0 && face.struct_size == sizeof face);
    REFUSED(vultus_faces_get(NULL, 0, &face, &error), VULTUS_ERROR_NULL, "faces: ");
    REFUSED(vultus_faces_get((vultus_faces *)engine, 0, &face, &error), VULTUS_ERROR_HANDLE,
            "faces: ");
    REFUSED(vultus_faces_get(found, 0, NULL, &error), VULTUS_ERROR_NULL, "face: ");
    vultus_faces_free(found);
    REFUSED(vultus_engine_detect(NULL, holder, VULTUS_ROLE_SELFIE, &found, &error),
            VULTUS_ERROR_NULL, "engine: ");
    CHECK(found == NULL);
    REFUSED(vultus_engine_detect(engine, NULL, VULTUS_ROLE_SELFIE, &found, &error),
            VULTUS_ERROR_NULL, "image: ");
    REFUSED(vultus_engine_detect(engine, holder, 7, &found, &error), VULTUS_ERROR_USAGE,
            "role: is 7");
    REFUSED(vultus_engine_detect(engine, holder, VULTUS_ROLE_SELFIE, NULL, &error),
            VULTUS_ERROR_NULL, "faces: ");

    ACCEPTED(vultus_engine_detect(engine, blank, VULTUS_ROLE_DOCUMENT, &found, &error));
    CHECK(found && vultus_faces_count(found) == 0);
    vultus_faces_free(found);
    ACCEPTED(vultus_engine_examine(engine, blank, VULTUS_ROLE_SELFIE, &sample, &error));
    REFUSED(vultus_sample_face(sample, &chosen, &error), VULTUS_ERROR_ABSENT, "no face");
    vultus_sample_free(sample);
}

static void count_line(void *user, int32_t level, const char *message) {
    (void)message;
    ((unsigned *)user)[level]++;
}

static void documents(void) {
    vultus_document *read = NULL;
    ACCEPTED(vultus_engine_read_document(engine, document, "2026-12-01", &read, &error));
    CHECK(vultus_document_level(read) == VULTUS_DOCUMENT_READ);
    CHECK(strstr(vultus_document_json(read), "\"seen\":\"mrz\"") &&
          !strstr(vultus_document_json(read), "SPECIMEN"));
    CHECK(strstr(vultus_document_personal_json(read), "\"birth_date\":\"1975-03-14\""));
    vultus_document_free(read);
    ACCEPTED(vultus_engine_read_document(engine, document, NULL, &read, &error));
    CHECK(strstr(vultus_document_personal_json(read), "\"birth_date\":\"750314\""));
    vultus_document_free(read);
    REFUSED(vultus_engine_read_document(engine, document, "yesterday", &read, &error),
            VULTUS_ERROR_USAGE, "today: must be a date");
    CHECK(read == NULL);
    REFUSED(vultus_engine_read_document(NULL, document, NULL, &read, &error), VULTUS_ERROR_NULL,
            "engine: ");
    REFUSED(vultus_engine_read_document(engine, NULL, NULL, &read, &error), VULTUS_ERROR_NULL,
            "picture: ");
    REFUSED(vultus_engine_read_document(engine, document, NULL, NULL, &error), VULTUS_ERROR_NULL,
            "document: ");
    CHECK(!vultus_document_level(NULL) && !vultus_document_json(NULL) &&
          !vultus_document_personal_json(NULL));
    vultus_document_free(NULL);
}

int main(int argc, char **argv) {
    unsigned lines[5] = {0};
    if (argc != 4) {
        fprintf(stderr, "usage: %s PACK PHOTOS OUT\n", argv[0]);
        return 3;
    }
    vultus_set_log_callback(count_line, lines);
    ACCEPTED(vultus_engine_open(argv[1], NULL, &engine, &error));
    CHECK(strlen(vultus_engine_pack(engine)) > 0);
    CHECK(strstr(vultus_engine_models_json(engine), "mobilefacenet"));
    holder = load(argv[2], "obama2.jpg");
    other = load(argv[2], "biden.jpg");
    document = load(argv[2], "specimen-obama.png");
    blank = grey();
    CHECK(vultus_live_objects() == 5);

    decisions();
    bad_arguments();
    templates();
    faces();
    documents();
    keep(argv[3], "person.template", document, VULTUS_ROLE_DOCUMENT);
    keep(argv[3], "stranger.template", other, VULTUS_ROLE_SELFIE);
    keep(argv[3], "probe.template", holder, VULTUS_ROLE_SELFIE);

    CHECK(vultus_live_objects() == 5);
    vultus_image_free(blank);
    vultus_image_free(document);
    vultus_image_free(other);
    vultus_image_free(holder);
    vultus_engine_free(engine);
    vultus_set_log_callback(NULL, NULL);
    CHECK(lines[VULTUS_LOG_INFO] == 1 && lines[VULTUS_LOG_DEBUG] == 4 &&
          lines[VULTUS_LOG_ERROR] > 20);
    return finish("engine");
}
