/* faulty leak|overflow|undefined: does what valgrind or the sanitizers must find. */

#include "check.h"

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "leak") == 0) {
        static const uint8_t grey[4];
        vultus_image *image = NULL;
        vultus_pixels view = {0};
        view.struct_size = sizeof view;
        view.data = grey;
        view.data_length = 4;
        view.stride = view.width = view.height = 2;
        view.format = VULTUS_PIXELS_GREY8;
        CHECK(vultus_image_from_pixels(&view, &image, NULL) == VULTUS_OK);
        image = NULL;
        return vultus_live_objects() != 1;
    }
    if (argc == 2 && strcmp(argv[1], "overflow") == 0) {
        volatile size_t length = 5;
        uint8_t *bytes = malloc(4);
        int found;
        memset(bytes, 1, length);
        found = bytes[3];
        free(bytes);
        return found;
    }
    if (argc == 2 && strcmp(argv[1], "undefined") == 0) {
        volatile int most = 2147483647;
        return most + 1 != 0;
    }
    fprintf(stderr, "usage: %s leak|overflow|undefined\n", argv[0]);
    return 3;
}
