/* decide PACK LIST [REPEATS]: prints the JSON of the decision on every pair of LIST, which has the paths of a selfie and a
 * document a line; with REPEATS instead the least time in milliseconds from two files in memory to the JSON. */

#include "check.h"
#include <time.h>

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

int main(int argc, char **argv) {
    vultus_engine *engine = NULL;
    FILE *list = argc == 3 || argc == 4 ? fopen(argv[2], "r") : NULL;
    int repeats = argc == 4 ? atoi(argv[3]) : 1;
    char selfie_path[2048], document_path[2048];
    if (!list) {
        fprintf(stderr, "usage: %s PACK LIST [REPEATS]\n", argv[0]);
        return 3;
    }
    ACCEPTED(vultus_engine_open(argv[1], NULL, &engine, &error));
    while (fscanf(list, "%2047s %2047s", selfie_path, document_path) == 2) {
        blob selfie_file = slurp("", selfie_path), document_file = slurp("", document_path);
        double least = 1e9;
        int i;
        for (i = 0; i < repeats; i++) {
            double start = now_ms(), spent;
            vultus_image *selfie = NULL, *document = NULL;
            vultus_decision *decision = NULL;
            const char *json;
            ACCEPTED(vultus_image_decode(selfie_file.bytes, selfie_file.length, NULL, &selfie, &error));
            ACCEPTED(vultus_image_decode(document_file.bytes, document_file.length, NULL, &document, &error));
            ACCEPTED(vultus_engine_verify(engine, selfie, document, NULL, &decision, &error));
            json = vultus_decision_json(decision);
            spent = now_ms() - start;
            least = spent < least ? spent : least;
            if (argc == 3) {
                puts(json);
            }
            vultus_decision_free(decision);
            vultus_image_free(document);
            vultus_image_free(selfie);
        }
        if (argc == 4) {
            printf("%.4f\n", least);
        }
        free(selfie_file.bytes);
        free(document_file.bytes);
    }
    fclose(list);
    vultus_engine_free(engine);
    return failures != 0;
}
