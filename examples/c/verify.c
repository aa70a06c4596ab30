/* verify PACK SELFIE DOCUMENT: is the person of the selfie the holder of the document? Exits with 0
 * for accept, 1 for reject, 2 for inconclusive and 3 for an error. */

#include <stdio.h>
#include <stdlib.h>
#include <vultus.h>

/* Returns the picture in a file, or NULL after a message. */
static vultus_image *load(const char *path) {
    vultus_image *image = NULL;
    vultus_error *error = NULL;
    uint8_t *bytes = NULL;
    long length = -1;
    FILE *file = fopen(path, "rb");
    if (file && fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) > 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        bytes = malloc((size_t)length);
    }
    if (!bytes || fread(bytes, 1, (size_t)length, file) != (size_t)length) {
        fprintf(stderr, "%s cannot be read\n", path);
    } else if (vultus_image_decode(bytes, (size_t)length, NULL, &image, &error) != VULTUS_OK) {
        fprintf(stderr, "%s: %s\n", path, vultus_error_message(error));
    }
    vultus_error_free(error);
    free(bytes);
    if (file) {
        fclose(file);
    }
    return image;
}

static int report(const vultus_decision *decision) {
    vultus_comparison comparison = {0};
    size_t i;
    int32_t outcome = vultus_decision_outcome(decision);
    puts(outcome == VULTUS_OUTCOME_ACCEPT   ? "accept"
         : outcome == VULTUS_OUTCOME_REJECT ? "reject"
                                            : "inconclusive");
    for (i = 0; i < vultus_decision_reason_count(decision); i++) {
        printf("  %s: %s\n", vultus_decision_reason_code(decision, i),
               vultus_decision_reason_text(decision, i));
    }
    comparison.struct_size = sizeof comparison;
    if (vultus_decision_comparison(decision, &comparison, NULL) == VULTUS_OK) {
        printf("  score %.3f, threshold %.3f\n", comparison.score, comparison.threshold);
    }
    return outcome == VULTUS_OUTCOME_ACCEPT ? 0 : outcome == VULTUS_OUTCOME_REJECT ? 1 : 2;
}

int main(int argc, char **argv) {
    vultus_engine *engine = NULL;
    vultus_image *selfie = NULL, *document = NULL;
    vultus_decision *decision = NULL;
    vultus_error *error = NULL;
    int code = 3;
    if (argc != 4) {
        fprintf(stderr, "usage: %s PACK SELFIE DOCUMENT\n", argv[0]);
        return code;
    }
    if (vultus_abi_version() != VULTUS_ABI_VERSION) {
        fprintf(stderr, "the header is of ABI %d, the library of %d\n", (int)VULTUS_ABI_VERSION,
                (int)vultus_abi_version());
        return code;
    }
    if (vultus_engine_open(argv[1], NULL, &engine, &error) != VULTUS_OK) {
        fprintf(stderr, "%s\n", vultus_error_message(error));
    } else if ((selfie = load(argv[2])) && (document = load(argv[3]))) {
        if (vultus_engine_verify(engine, selfie, document, NULL, &decision, &error) == VULTUS_OK) {
            code = report(decision);
        } else {
            fprintf(stderr, "%s\n", vultus_error_message(error));
        }
    }
    vultus_error_free(error);
    vultus_decision_free(decision);
    vultus_image_free(document);
    vultus_image_free(selfie);
    vultus_engine_free(engine);
    return code;
}
