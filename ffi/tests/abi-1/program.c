/* program PACK PHOTOS: built against the first header of ABI 1, which lies beside it, and run with
 * the library of today: its structs are shorter, and nothing behind their end is written. */

#include "../c/check.h"

int main(int argc, char **argv) {
    struct {
        vultus_engine_options options;
        uint64_t behind;
    } engine_options = {{0}, 0x5a5a5a5a5a5a5a5a};
    struct {
        vultus_comparison comparison;
        uint64_t behind;
    } compared = {{0}, 0x5a5a5a5a5a5a5a5a};
    struct {
        vultus_guidance guidance;
        uint64_t behind;
    } guided = {{0}, 0x5a5a5a5a5a5a5a5a};
    vultus_engine *engine = NULL;
    vultus_session *session = NULL;
    vultus_decision *decision = NULL;
    vultus_image *holder, *document;
    if (argc != 3) {
        fprintf(stderr, "usage: %s PACK PHOTOS\n", argv[0]);
        return 3;
    }
    engine_options.options.struct_size = sizeof engine_options.options;
    engine_options.options.precision = VULTUS_PRECISION_FAST;
    compared.comparison.struct_size = sizeof compared.comparison;
    guided.guidance.struct_size = sizeof guided.guidance;
    ACCEPTED(vultus_engine_open(argv[1], &engine_options.options, &engine, &error));
    holder = load(argv[2], "obama2.jpg");
    document = load(argv[2], "specimen-obama.png");
    ACCEPTED(vultus_engine_verify(engine, holder, document, NULL, &decision, &error));
    CHECK(vultus_decision_outcome(decision) == VULTUS_OUTCOME_ACCEPT);
    ACCEPTED(vultus_decision_comparison(decision, &compared.comparison, &error));
    CHECK(compared.comparison.result == VULTUS_MATCH);
    ACCEPTED(vultus_session_new(engine, NULL, &session, &error));
    ACCEPTED(vultus_session_push(session, holder, 0, &guided.guidance, &error));
    CHECK(guided.guidance.has_face == 1);
    CHECK(engine_options.behind == 0x5a5a5a5a5a5a5a5a && compared.behind == engine_options.behind &&
          guided.behind == engine_options.behind);
    vultus_session_free(session);
    vultus_decision_free(decision);
    vultus_image_free(document);
    vultus_image_free(holder);
    vultus_engine_free(engine);
    CHECK(vultus_live_objects() == 0);
    return finish("abi-1");
}
