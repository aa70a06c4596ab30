/* faulty leak|overflow|undefined: does what valgrind or the sanitizers must find. */

#include "check.h"

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "leak") == 0) {
        /* A handle is a number, which no tool can lose sight of: the programs count them. */
        volatile uint8_t *lost = malloc(4);
        lost[0] = 1;
        lost = NULL;
        return 0;
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
