/* decide PACK json|time: reads lines, each with the paths of a document and of a selfie, or of the
 * frames of a session, and answers each with the JSON of its decision, behind that of a session's
 * evidence; or with the milliseconds from the files in memory to it, and how many of these the
 * stages of the engine took. */

#include "check.h"
#include <time.h>

enum { FILES = 64, LINE = 64 * 1024 };

static vultus_engine *engine;

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static vultus_image *decode(const blob *file) {
    vultus_image *image = NULL;
    ACCEPTED(vultus_image_decode(file->bytes, file->length, NULL, &image, &error));
    return image;
}

static vultus_decision *still(const vultus_image *document, const blob *selfie) {
    vultus_image *probe = decode(selfie);
    vultus_decision *decision = NULL;
    ACCEPTED(vultus_engine_verify(engine, probe, document, NULL, &decision, &error));
    vultus_image_free(probe);
    return decision;
}

static vultus_decision *recorded(const vultus_image *document, const blob *frames, size_t count,
                                 vultus_evidence **evidence) {
    vultus_challenge *challenge = NULL;
    vultus_session *session = NULL;
    vultus_guidance guidance = {0};
    vultus_decision *decision = NULL;
    size_t i;
    guidance.struct_size = sizeof guidance;
    ACCEPTED(vultus_challenge_new((const uint8_t *)"sixteen bytes ok", 16,
                                  VULTUS_CHALLENGE_FLASH | VULTUS_CHALLENGE_HEAD_TURN, &challenge,
                                  &error));
    ACCEPTED(vultus_session_new(engine, challenge, &session, &error));
    ACCEPTED(vultus_session_begin_challenge(session, 0, &error));
    for (i = 0; i < count; i++) {
        vultus_image *frame = decode(&frames[i]);
        ACCEPTED(vultus_session_push(session, frame, 500000 * (uint64_t)i, &guidance, &error));
        vultus_image_free(frame);
    }
    ACCEPTED(vultus_session_evidence(session, evidence, &error));
    ACCEPTED(vultus_session_verify(session, document, NULL, &decision, &error));
    vultus_session_free(session);
    vultus_challenge_free(challenge);
    return decision;
}

static void answer(const blob *files, size_t count, int timed) {
    double start = now_ms();
    vultus_evidence *evidence = NULL;
    vultus_image *document = decode(&files[0]);
    vultus_decision *decision = count == 2 ? still(document, &files[1])
                                           : recorded(document, files + 1, count - 1, &evidence);
    const char *json = vultus_decision_json(decision);
    double spent = now_ms() - start;
    if (timed) {
        double stages = 0;
        size_t i;
        for (i = 0; i < vultus_decision_stage_count(decision); i++) {
            stages += (double)vultus_decision_stage_ms(decision, i);
        }
        printf("%.4f %.4f\n", spent, stages);
    } else {
        printf("%s%s%s\n", evidence ? vultus_evidence_json(evidence) : "", evidence ? " " : "",
               json);
    }
    fflush(stdout);
    vultus_evidence_free(evidence);
    vultus_decision_free(decision);
    vultus_image_free(document);
}

int main(int argc, char **argv) {
    static char line[LINE];
    if (argc != 3) {
        fprintf(stderr, "usage: %s PACK json|time\n", argv[0]);
        return 3;
    }
    ACCEPTED(vultus_engine_open(argv[1], NULL, &engine, &error));
    while (fgets(line, sizeof line, stdin)) {
        blob files[FILES];
        size_t count = 0;
        char *path;
        for (path = strtok(line, " \n"); path && count < FILES; path = strtok(NULL, " \n")) {
            files[count++] = slurp("", path);
        }
        answer(files, count, strcmp(argv[2], "time") == 0);
        while (count) {
            free(files[--count].bytes);
        }
    }
    vultus_engine_free(engine);
    return failures != 0;
}
