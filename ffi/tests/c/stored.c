/* stored PACK FOLDER: all that an engine does without looking at a picture, on the templates that
 * `engine` left in FOLDER: comparisons, galleries, challenges, sessions without a frame, and every
 * argument wrong in turn. No network runs, which valgrind takes minutes for. */

#include "check.h"

static vultus_engine *engine;
static const char *folder;

static vultus_template *stored(const char *name) {
    blob file = slurp(folder, name);
    vultus_template *reference = NULL;
    ACCEPTED(vultus_template_read(engine, file.bytes, file.length, &reference, &error));
    free(file.bytes);
    return reference;
}

static void galleries(void) {
    vultus_template *person = stored("person.template"), *stranger = stored("stranger.template"),
                    *probe = stored("probe.template");
    vultus_gallery *gallery = NULL;
    vultus_candidates *found = NULL;
    vultus_candidate candidate = {0};
    vultus_operating_point point = {0}, stricter = {0};
    vultus_comparison comparison = {0};
    int32_t removed = 7;
    candidate.struct_size = sizeof candidate;
    point.struct_size = stricter.struct_size = sizeof point;
    comparison.struct_size = sizeof comparison;

    ACCEPTED(vultus_gallery_new(engine, &gallery, &error));
    CHECK(vultus_gallery_count(gallery) == 0);
    ACCEPTED(vultus_gallery_search(gallery, probe, 3, &found, &error));
    CHECK(found && vultus_candidates_count(found) == 0);
    vultus_candidates_free(found);
    ACCEPTED(vultus_gallery_insert(gallery, 7, stranger, &error));
    ACCEPTED(vultus_gallery_insert(gallery, UINT64_MAX, person, &error));
    REFUSED(vultus_gallery_insert(gallery, 7, person, &error), VULTUS_ERROR_USAGE, "id 7 already");
    CHECK(vultus_gallery_count(gallery) == 2);

    ACCEPTED(vultus_gallery_search(gallery, probe, 5, &found, &error));
    CHECK(vultus_candidates_count(found) == 2);
    ACCEPTED(vultus_candidates_get(found, 0, &candidate, &error));
    ACCEPTED(vultus_engine_compare(engine, probe, person, NULL, &comparison, &error));
    CHECK(candidate.id == UINT64_MAX && candidate.score == comparison.score &&
          comparison.result == VULTUS_MATCH);
    ACCEPTED(vultus_engine_gallery_threshold(engine, 2, 1e-3, &point, &error));
    CHECK(candidate.score >= point.threshold && point.fmr > 4.9e-4 && point.fmr < 5.1e-4 &&
          point.non_mated > 0);
    CHECK(point.fmr_low <= point.fmr_high && point.struct_size == sizeof point);
    ACCEPTED(vultus_candidates_get(found, 1, &candidate, &error));
    CHECK(candidate.id == 7 && candidate.score < point.threshold);
    REFUSED(vultus_candidates_get(found, 2, &candidate, &error), VULTUS_ERROR_ABSENT,
            "index: is 2, there are 2 candidates");
    CHECK(candidate.id == 0 && candidate.score == 0 && candidate.struct_size == sizeof candidate);
    ACCEPTED(vultus_engine_gallery_threshold(engine, 20, 1e-3, &stricter, &error));
    CHECK(stricter.threshold > point.threshold);

    /* The gallery holds copies, and answers what it held when it was asked. */
    vultus_template_free(stranger);
    ACCEPTED(vultus_gallery_remove(gallery, UINT64_MAX, &removed, &error));
    CHECK(removed == 1 && vultus_gallery_count(gallery) == 1 &&
          vultus_candidates_count(found) == 2);
    ACCEPTED(vultus_gallery_remove(gallery, UINT64_MAX, &removed, &error));
    CHECK(removed == 0);

    REFUSED(vultus_candidates_get(NULL, 0, &candidate, &error), VULTUS_ERROR_NULL, "candidates: ");
    REFUSED(vultus_candidates_get((vultus_candidates *)gallery, 0, &candidate, &error),
            VULTUS_ERROR_HANDLE, "candidates: ");
    REFUSED(vultus_candidates_get(found, 0, NULL, &error), VULTUS_ERROR_NULL, "candidate: ");
    candidate.struct_size = 1;
    REFUSED(vultus_candidates_get(found, 0, &candidate, &error), VULTUS_ERROR_USAGE,
            "struct_size is 1");
    vultus_candidates_free(found);

    REFUSED(vultus_gallery_search(NULL, probe, 1, &found, &error), VULTUS_ERROR_NULL, "gallery: ");
    CHECK(found == NULL);
    REFUSED(vultus_gallery_search(gallery, NULL, 1, &found, &error), VULTUS_ERROR_NULL, "probe: ");
    REFUSED(vultus_gallery_search(gallery, (vultus_template *)gallery, 1, &found, &error),
            VULTUS_ERROR_HANDLE, "probe: ");
    REFUSED(vultus_gallery_search(gallery, probe, 1, NULL, &error), VULTUS_ERROR_NULL,
            "candidates: ");
    REFUSED(vultus_gallery_insert(NULL, 1, person, &error), VULTUS_ERROR_NULL, "gallery: ");
    REFUSED(vultus_gallery_insert(gallery, 1, NULL, &error), VULTUS_ERROR_NULL, "reference: ");
    REFUSED(vultus_gallery_insert((vultus_gallery *)engine, 1, person, &error), VULTUS_ERROR_HANDLE,
            "gallery: ");
    REFUSED(vultus_gallery_remove(NULL, 1, &removed, &error), VULTUS_ERROR_NULL, "gallery: ");
    REFUSED(vultus_gallery_remove(gallery, 1, NULL, &error), VULTUS_ERROR_NULL, "removed: ");
    REFUSED(vultus_gallery_new(engine, NULL, &error), VULTUS_ERROR_NULL, "gallery: ");
    REFUSED(vultus_engine_gallery_threshold(NULL, 1, 0.01, &point, &error), VULTUS_ERROR_NULL,
            "engine: ");
    CHECK(point.threshold == 0 && point.struct_size == sizeof point);
    REFUSED(vultus_engine_gallery_threshold(engine, 1, 0.01, NULL, &error), VULTUS_ERROR_NULL,
            "point: ");
    REFUSED(vultus_engine_gallery_threshold(engine, 0, 0.01, &point, &error), VULTUS_ERROR_USAGE,
            "size 0");
    REFUSED(vultus_engine_gallery_threshold(engine, 1, 1, &point, &error), VULTUS_ERROR_USAGE,
            "fpir is 1");
    REFUSED(vultus_engine_gallery_threshold(engine, SIZE_MAX, 0.01, &point, &error),
            VULTUS_ERROR_USAGE, "is not supported by the calibration");
    CHECK(!vultus_gallery_count(NULL) && !vultus_gallery_count((vultus_gallery *)engine));
    CHECK(!vultus_candidates_count(NULL));
    vultus_gallery_free(NULL);
    vultus_candidates_free(NULL);
    vultus_gallery_free(gallery);
    REFUSED(vultus_gallery_new(NULL, &gallery, &error), VULTUS_ERROR_NULL, "engine: ");
    CHECK(gallery == NULL);
    vultus_template_free(probe);
    vultus_template_free(person);
}

static void challenges(void) {
    static const uint8_t nonce[65] = "sixteen bytes ok";
    vultus_challenge *challenge = NULL, *again = NULL;
    ACCEPTED(vultus_challenge_new(nonce, 16, VULTUS_CHALLENGE_FLASH | VULTUS_CHALLENGE_BLINK,
                                  &challenge, &error));
    CHECK(strncmp(vultus_challenge_json(challenge), "{", 1) == 0 &&
          strstr(vultus_challenge_json(challenge), "\"flash\""));
    CHECK(strstr(vultus_challenge_json(challenge), "\"blink\"") &&
          !strstr(vultus_challenge_json(challenge), "head-turn"));
    ACCEPTED(vultus_challenge_new(nonce, 16, VULTUS_CHALLENGE_FLASH | VULTUS_CHALLENGE_BLINK,
                                  &again, &error));
    CHECK(strcmp(vultus_challenge_json(challenge), vultus_challenge_json(again)) == 0);
    vultus_challenge_free(again);
    ACCEPTED(vultus_challenge_new(nonce, 17, VULTUS_CHALLENGE_FLASH | VULTUS_CHALLENGE_BLINK,
                                  &again, &error));
    CHECK(strcmp(vultus_challenge_json(challenge), vultus_challenge_json(again)) != 0);
    vultus_challenge_free(again);
    REFUSED(vultus_challenge_new(nonce, 15, VULTUS_CHALLENGE_FLASH, &again, &error),
            VULTUS_ERROR_USAGE, "nonce: ");
    CHECK(again == NULL);
    REFUSED(vultus_challenge_new(nonce, 65, VULTUS_CHALLENGE_FLASH, &again, &error),
            VULTUS_ERROR_USAGE, "nonce: ");
    REFUSED(vultus_challenge_new(nonce, 16, 0, &again, &error), VULTUS_ERROR_USAGE, "kinds: is 0");
    REFUSED(vultus_challenge_new(nonce, 16, 16, &again, &error), VULTUS_ERROR_USAGE,
            "kinds: is 16");
    REFUSED(vultus_challenge_new(NULL, 16, 1, &again, &error), VULTUS_ERROR_NULL, "nonce: ");
    REFUSED(vultus_challenge_new(nonce, 16, 1, NULL, &error), VULTUS_ERROR_NULL, "challenge: ");
    CHECK(vultus_challenge_json(NULL) == NULL &&
          vultus_challenge_json((vultus_challenge *)engine) == NULL);
    vultus_challenge_free(NULL);
    vultus_challenge_free(challenge);
}

static void sessions(void) {
    vultus_challenge *challenge = NULL;
    vultus_session *session = NULL;
    vultus_evidence *evidence = NULL;
    vultus_template *reference = (vultus_template *)1, *person = stored("person.template");
    vultus_decision *decision = NULL;
    ACCEPTED(vultus_challenge_new((const uint8_t *)"sixteen bytes ok", 16, VULTUS_CHALLENGE_BLINK,
                                  &challenge, &error));
    ACCEPTED(vultus_session_new(engine, challenge, &session, &error));
    vultus_challenge_free(challenge);
    ACCEPTED(vultus_session_begin_challenge(session, 0, &error));
    ACCEPTED(vultus_session_evidence(session, &evidence, &error));
    CHECK(vultus_evidence_risk(evidence) == VULTUS_RISK_NONE &&
          strstr(vultus_evidence_json(evidence), "\"frames\":0,"));
    vultus_evidence_free(evidence);
    ACCEPTED(vultus_session_template(session, &reference, &error));
    CHECK(reference == NULL);
    ACCEPTED(vultus_session_verify_template(session, person, NULL, &decision, &error));
    CHECK(vultus_decision_outcome(decision) == VULTUS_OUTCOME_INCONCLUSIVE);
    vultus_decision_free(decision);
    vultus_session_free(session);
    vultus_template_free(person);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s PACK FOLDER\n", argv[0]);
        return 3;
    }
    folder = argv[2];
    ACCEPTED(vultus_engine_open(argv[1], NULL, &engine, &error));
    galleries();
    challenges();
    sessions();
    CHECK(vultus_live_objects() == 1);
    vultus_engine_free(engine);
    return finish("stored");
}
