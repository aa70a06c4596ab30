/* session PACK PHOTOS: what sessions answer, and every argument wrong in turn. */

#include "check.h"
#include <pthread.h>

enum { FRAMES = 6, THREADS = 4 };

static vultus_engine *engine;
static vultus_image *holder, *other, *document, *blank;

static vultus_session *session_with(const vultus_image *frame, unsigned frames) {
    vultus_session *session = NULL;
    vultus_guidance guidance = {0};
    unsigned i;
    guidance.struct_size = sizeof guidance;
    ACCEPTED(vultus_session_new(engine, NULL, &session, &error));
    for (i = 0; i < frames; i++) {
        ACCEPTED(
            vultus_session_push(session, frame, 1000000 + 250000 * (uint64_t)i, &guidance, &error));
    }
    return session;
}

static void sessions(void) {
    vultus_session *session = NULL;
    vultus_challenge *challenge = NULL;
    vultus_guidance guidance = {0};
    vultus_evidence *evidence = NULL;
    vultus_template *reference = NULL, *enrolled = NULL;
    vultus_decision *decision = NULL;
    vultus_comparison comparison = {0};
    vultus_arrival arrival = {0};
    vultus_next_step next = {0};
    const uint8_t nonce[16] = "sixteen bytes ok";
    uint8_t digest[32];
    int32_t code;
    guidance.struct_size = sizeof guidance;
    comparison.struct_size = sizeof comparison;

    for (code = VULTUS_GUIDANCE_READY; code <= VULTUS_GUIDANCE_HOLD_STILL; code++) {
        CHECK(vultus_guidance_text(code) && strlen(vultus_guidance_text(code)) > 3);
    }
    CHECK(!vultus_guidance_text(0) && !vultus_guidance_text(VULTUS_GUIDANCE_HOLD_STILL + 1));

    ACCEPTED(vultus_challenge_new((const uint8_t *)"sixteen bytes ok", 16,
                                  VULTUS_CHALLENGE_HEAD_TURN, &challenge, &error));
    ACCEPTED(vultus_session_new(engine, challenge, &session, &error));
    vultus_challenge_free(challenge);
    ACCEPTED(vultus_session_push(session, blank, 0, &guidance, &error));
    CHECK(guidance.code == VULTUS_GUIDANCE_NO_FACE && guidance.frames == 0 && !guidance.has_face &&
          guidance.width == 0);
    reference = (vultus_template *)1;
    ACCEPTED(vultus_session_template(session, &reference, &error));
    CHECK(reference == NULL);
    ACCEPTED(vultus_session_verify(session, document, NULL, &decision, &error));
    CHECK(vultus_decision_outcome(decision) == VULTUS_OUTCOME_INCONCLUSIVE);
    vultus_decision_free(decision);
    ACCEPTED(vultus_session_begin_challenge(session, 40000, &error));
    REFUSED(vultus_session_begin_challenge(session, 50000, &error), VULTUS_ERROR_USAGE, "begun");
    /* Time that stands still is evidence, and no error. */
    ACCEPTED(vultus_session_push(session, holder, 0, &guidance, &error));
    CHECK(guidance.code != VULTUS_GUIDANCE_NO_FACE && guidance.has_face && guidance.width > 40 &&
          guidance.height > 40);
    ACCEPTED(vultus_session_evidence(session, &evidence, &error));
    CHECK(strstr(vultus_evidence_json(evidence), "\"frames\":2,") &&
          strstr(vultus_evidence_json(evidence), "\"not-possible\""));
    vultus_evidence_free(evidence);
    vultus_session_free(session);

    session = session_with(holder, FRAMES);
    REFUSED(vultus_session_begin_challenge(session, 0, &error), VULTUS_ERROR_USAGE, "challenge");
    ACCEPTED(vultus_session_evidence(session, &evidence, &error));
    CHECK(strstr(vultus_evidence_json(evidence), "\"frames\":6,") &&
          strstr(vultus_evidence_json(evidence), "\"not-asked\""));
    CHECK(vultus_evidence_risk(evidence) >= VULTUS_RISK_NONE &&
          vultus_evidence_risk(evidence) <= VULTUS_RISK_HIGH);
    vultus_evidence_free(evidence);
    ACCEPTED(vultus_session_template(session, &reference, &error));
    ACCEPTED(vultus_engine_enrol(engine, document, VULTUS_ROLE_DOCUMENT, &enrolled, NULL, &error));
    ACCEPTED(vultus_engine_compare(engine, reference, enrolled, NULL, &comparison, &error));
    CHECK(comparison.result == VULTUS_MATCH);
    vultus_template_free(reference);
    ACCEPTED(vultus_session_verify(session, document, "{\"fmr\": 1e-3}", &decision, &error));
    ACCEPTED(vultus_decision_comparison(decision, &comparison, &error));
    CHECK(comparison.result == VULTUS_MATCH && comparison.fmr == 1e-3 &&
          strstr(vultus_decision_json(decision), "\"frames\":6,"));
    vultus_decision_free(decision);
    ACCEPTED(vultus_session_verify_template(session, enrolled, NULL, &decision, &error));
    ACCEPTED(vultus_decision_comparison(decision, &comparison, &error));
    CHECK(comparison.result == VULTUS_MATCH &&
          strstr(vultus_decision_json(decision), "\"document\":null"));
    vultus_decision_free(decision);
    vultus_session_free(session);

    REFUSED(vultus_session_new(NULL, NULL, &session, &error), VULTUS_ERROR_NULL, "engine: ");
    CHECK(session == NULL);
    REFUSED(vultus_session_new(engine, (vultus_challenge *)engine, &session, &error),
            VULTUS_ERROR_HANDLE, "challenge: ");
    REFUSED(vultus_session_new(engine, NULL, NULL, &error), VULTUS_ERROR_NULL, "session: ");
    session = session_with(other, 1);
    REFUSED(vultus_session_push(NULL, holder, 0, &guidance, &error), VULTUS_ERROR_NULL,
            "session: ");
    CHECK(guidance.code == 0 && guidance.struct_size == sizeof guidance);
    REFUSED(vultus_session_push(session, NULL, 0, &guidance, &error), VULTUS_ERROR_NULL, "frame: ");
    REFUSED(vultus_session_push(session, holder, 0, NULL, &error), VULTUS_ERROR_NULL, "guidance: ");
    REFUSED(vultus_session_push((vultus_session *)engine, holder, 0, &guidance, &error),
            VULTUS_ERROR_HANDLE, "session: ");
    REFUSED(vultus_session_begin_challenge(NULL, 0, &error), VULTUS_ERROR_NULL, "session: ");
    REFUSED(vultus_session_evidence(NULL, &evidence, &error), VULTUS_ERROR_NULL, "session: ");
    CHECK(evidence == NULL);
    REFUSED(vultus_session_evidence(session, NULL, &error), VULTUS_ERROR_NULL, "evidence: ");
    REFUSED(vultus_session_template(NULL, &reference, &error), VULTUS_ERROR_NULL, "session: ");
    REFUSED(vultus_session_template(session, NULL, &error), VULTUS_ERROR_NULL, "reference: ");
    REFUSED(vultus_session_verify(NULL, document, NULL, &decision, &error), VULTUS_ERROR_NULL,
            "session: ");
    CHECK(decision == NULL);
    REFUSED(vultus_session_verify(session, NULL, NULL, &decision, &error), VULTUS_ERROR_NULL,
            "document: ");
    REFUSED(vultus_session_verify(session, document, NULL, NULL, &error), VULTUS_ERROR_NULL,
            "decision: ");
    REFUSED(vultus_session_verify(session, document, "{", &decision, &error), VULTUS_ERROR_USAGE,
            "policy: ");
    REFUSED(vultus_session_verify_template(NULL, enrolled, NULL, &decision, &error),
            VULTUS_ERROR_NULL, "session: ");
    REFUSED(vultus_session_verify_template(session, NULL, NULL, &decision, &error),
            VULTUS_ERROR_NULL, "reference: ");
    REFUSED(vultus_session_verify_template(session, enrolled, NULL, NULL, &error),
            VULTUS_ERROR_NULL, "decision: ");
    next.struct_size = sizeof next;
    arrival.struct_size = sizeof arrival;
    REFUSED(vultus_session_next_step(NULL, 0, &next, &error), VULTUS_ERROR_NULL, "session: ");
    REFUSED(vultus_session_next_step(session, 0, NULL, &error), VULTUS_ERROR_NULL, "next: ");
    REFUSED(vultus_session_next_step(session, 0, &next, &error), VULTUS_ERROR_USAGE, "challenge");
    CHECK(next.kind == 0 && next.struct_size == sizeof next);
    REFUSED(vultus_session_push_arrival(session, holder, NULL, &guidance, &error),
            VULTUS_ERROR_NULL, "arrival: ");
    arrival.has_arrived = 2;
    REFUSED(vultus_session_push_arrival(session, holder, &arrival, &guidance, &error),
            VULTUS_ERROR_USAGE, "has_arrived: is 2");
    REFUSED(vultus_session_attestation_digest(session, digest, &error), VULTUS_ERROR_USAGE,
            "nothing can be attested");
    REFUSED(vultus_session_attestation_digest(session, NULL, &error), VULTUS_ERROR_NULL,
            "digest: ");
    REFUSED(vultus_session_attest(session, NULL, &error), VULTUS_ERROR_NULL, "digest: ");
    REFUSED(vultus_session_attest(session, digest, &error), VULTUS_ERROR_USAGE,
            "nothing can be attested");
    vultus_session_free(session);

    ACCEPTED(vultus_challenge_new(nonce, sizeof nonce,
                                  VULTUS_CHALLENGE_FLASH | VULTUS_CHALLENGE_HEAD_MOVES, &challenge,
                                  &error));
    ACCEPTED(vultus_session_new(engine, challenge, &session, &error));
    ACCEPTED(vultus_session_next_step(session, 1000000, &next, &error));
    CHECK(next.kind == VULTUS_CHALLENGE_FLASH && next.duration_ms == 400 && next.wait_ms == 400 &&
          next.colour != 0 && next.colour <= 0xffffff && next.is_over == 0);
    ACCEPTED(vultus_session_next_step(session, 1000001, &next, &error));
    CHECK(next.kind == 0 && next.wait_ms == 400 && next.is_over == 0);
    arrival.has_arrived = arrival.has_sha256 = 1;
    arrival.arrived_us = 1100000;
    ACCEPTED(vultus_session_push_arrival(session, holder, &arrival, &guidance, &error));
    CHECK(guidance.has_face == 1);
    ACCEPTED(vultus_session_attestation_digest(session, digest, &error));
    ACCEPTED(vultus_session_attest(session, digest, &error));
    digest[0]++;
    REFUSED(vultus_session_attest(session, digest, &error), VULTUS_ERROR_USAGE, "digest");
    REFUSED(vultus_session_begin_challenge(session, 0, &error), VULTUS_ERROR_USAGE, "begun");
    vultus_challenge_free(challenge);
    CHECK(!vultus_evidence_json(NULL) && !vultus_evidence_risk(NULL));
    vultus_evidence_free(NULL);
    vultus_session_free(NULL);
    vultus_session_free(session);
    vultus_template_free(enrolled);
}

static char *evidence_of(vultus_session *session) {
    vultus_evidence *evidence = NULL;
    char *json = NULL;
    if (vultus_session_evidence(session, &evidence, NULL) == VULTUS_OK) {
        json = malloc(strlen(vultus_evidence_json(evidence)) + 1);
        strcpy(json, vultus_evidence_json(evidence));
    }
    vultus_evidence_free(evidence);
    return json;
}

/* Each thread has a session of its own over the engine that all share. */
static void *record(void *unused) {
    vultus_session *session = NULL;
    vultus_guidance guidance = {0};
    char *json = NULL;
    unsigned i;
    (void)unused;
    guidance.struct_size = sizeof guidance;
    if (vultus_session_new(engine, NULL, &session, NULL) == VULTUS_OK) {
        for (i = 0; i < 2; i++) {
            vultus_session_push(session, holder, 1000000 + 250000 * (uint64_t)i, &guidance, NULL);
        }
        json = evidence_of(session);
    }
    vultus_session_free(session);
    return json;
}

static void threads(void) {
    pthread_t running[THREADS];
    vultus_session *session = session_with(holder, 2);
    char *expected = evidence_of(session);
    unsigned i;
    vultus_session_free(session);
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&running[i], NULL, record, NULL) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        void *json = NULL;
        CHECK(pthread_join(running[i], &json) == 0);
        CHECK(json && strcmp(json, expected) == 0);
        free(json);
    }
    free(expected);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s PACK PHOTOS\n", argv[0]);
        return 3;
    }
    ACCEPTED(vultus_engine_open(argv[1], NULL, &engine, &error));
    holder = load(argv[2], "obama2.jpg");
    other = load(argv[2], "biden.jpg");
    document = load(argv[2], "specimen-obama.png");
    blank = grey();
    sessions();
    threads();
    CHECK(vultus_live_objects() == 5);
    vultus_image_free(blank);
    vultus_image_free(document);
    vultus_image_free(other);
    vultus_image_free(holder);
    vultus_engine_free(engine);
    return finish("session");
}
