/* threads PACK PHOTOS: eight threads on one engine and the same pictures give the answers of one
 * thread. */

#include "check.h"
#include <pthread.h>

enum { THREADS = 8, PAIRS = 2 };

static vultus_engine *engine;
static vultus_image *selfies[PAIRS], *document;
static char *expected[PAIRS];

typedef struct {
    size_t start;
    unsigned wrong;
} task;

static void *work(void *argument) {
    task *mine = argument;
    size_t i;
    for (i = 0; i < PAIRS; i++) {
        size_t pair = (mine->start + i) % PAIRS;
        vultus_decision *decision = NULL;
        vultus_status status =
            vultus_engine_verify(engine, selfies[pair], document, NULL, &decision, NULL);
        mine->wrong +=
            status != VULTUS_OK || strcmp(vultus_decision_json(decision), expected[pair]) != 0;
        vultus_decision_free(decision);
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    task tasks[THREADS] = {{0, 0}};
    size_t i;
    vultus_decision *decision = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: %s PACK PHOTOS\n", argv[0]);
        return 3;
    }
    ACCEPTED(vultus_engine_open(argv[1], NULL, &engine, &error));
    selfies[0] = load(argv[2], "obama2.jpg");
    selfies[1] = load(argv[2], "biden.jpg");
    document = load(argv[2], "specimen-obama.png");
    for (i = 0; i < PAIRS; i++) {
        ACCEPTED(vultus_engine_verify(engine, selfies[i], document, NULL, &decision, &error));
        expected[i] = malloc(strlen(vultus_decision_json(decision)) + 1);
        strcpy(expected[i], vultus_decision_json(decision));
        vultus_decision_free(decision);
    }
    CHECK(strcmp(expected[0], expected[1]) != 0);
    for (i = 0; i < THREADS; i++) {
        tasks[i].start = i;
        CHECK(pthread_create(&threads[i], NULL, work, &tasks[i]) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(tasks[i].wrong == 0);
    }
    for (i = 0; i < PAIRS; i++) {
        free(expected[i]);
        vultus_image_free(selfies[i]);
    }
    vultus_image_free(document);
    vultus_engine_free(engine);
    return finish("threads");
}
