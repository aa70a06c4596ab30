/* decide PACK PICTURE...: prints the JSON of the decision on every pair of pictures, a line each. Paths are absolute. */

#include "check.h"

int main(int argc, char **argv) {
    vultus_engine *engine = NULL;
    vultus_image **images = calloc((size_t)argc, sizeof *images);
    int i, j;
    if (argc < 3) {
        fprintf(stderr, "usage: %s PACK PICTURE...\n", argv[0]);
        return 3;
    }
    ACCEPTED(vultus_engine_open(argv[1], NULL, &engine, &error));
    for (i = 2; i < argc; i++) {
        blob file = slurp("", argv[i]);
        ACCEPTED(vultus_image_decode(file.bytes, file.length, NULL, &images[i], &error));
        free(file.bytes);
    }
    for (i = 2; i < argc; i++) {
        for (j = 2; j < argc; j++) {
            vultus_decision *decision = NULL;
            ACCEPTED(vultus_engine_verify(engine, images[i], images[j], NULL, &decision, &error));
            puts(vultus_decision_json(decision));
            vultus_decision_free(decision);
        }
    }
    for (i = 2; i < argc; i++) {
        vultus_image_free(images[i]);
    }
    free(images);
    vultus_engine_free(engine);
    return failures != 0;
}
