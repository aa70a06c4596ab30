/* What every test program uses: checks that are counted, files, pictures, and an end that looks for
 * leaks. */

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vultus.h>

static unsigned checks, failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        checks++;                                                                                  \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
        }                                                                                          \
    } while (0)

/* The call must fail with `status`, and its error must hold `part`. `error` is the variable that
 * the call filled. */
#define REFUSED(call, status, part)                                                                \
    do {                                                                                           \
        vultus_error *error = (vultus_error *)1;                                                   \
        CHECK((call) == (status));                                                                 \
        CHECK(vultus_error_code(error) == (status));                                               \
        CHECK(error && strstr(vultus_error_message(error), part));                                 \
        if (error && !strstr(vultus_error_message(error), part)) {                                 \
            fprintf(stderr, "    \"%s\" lacks \"%s\"\n", vultus_error_message(error), part);       \
        }                                                                                          \
        vultus_error_free(error);                                                                  \
    } while (0)

/* The call must succeed. */
#define ACCEPTED(call)                                                                             \
    do {                                                                                           \
        vultus_error *error = (vultus_error *)1;                                                   \
        CHECK((call) == VULTUS_OK);                                                                \
        CHECK(!error);                                                                             \
        if (error) {                                                                               \
            fprintf(stderr, "    %s\n", vultus_error_message(error));                              \
        }                                                                                          \
        vultus_error_free(error);                                                                  \
    } while (0)

typedef struct {
    uint8_t *bytes;
    size_t length;
} blob;

/* Reads a file of the folder, or ends the program. */
static inline blob slurp(const char *folder, const char *name) {
    char path[4096];
    blob read = {NULL, 0};
    FILE *file;
    long length;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) || (length = ftell(file)) <= 0 ||
        fseek(file, 0, SEEK_SET)) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(3);
    }
    read.length = (size_t)length;
    read.bytes = malloc(read.length);
    if (!read.bytes || fread(read.bytes, 1, read.length, file) != read.length) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(3);
    }
    fclose(file);
    return read;
}

/* Reads a picture of the folder. */
static inline vultus_image *load(const char *photos, const char *name) {
    blob file = slurp(photos, name);
    vultus_image *image = NULL;
    ACCEPTED(vultus_image_decode(file.bytes, file.length, NULL, &image, &error));
    free(file.bytes);
    return image;
}

/* A picture without a face. */
static inline vultus_image *grey(void) {
    static const uint8_t data[64 * 64];
    vultus_image *image = NULL;
    vultus_pixels view = {0};
    view.struct_size = sizeof view;
    view.data = data;
    view.data_length = sizeof data;
    view.stride = view.width = view.height = 64;
    view.format = VULTUS_PIXELS_GREY8;
    ACCEPTED(vultus_image_from_pixels(&view, &image, &error));
    return image;
}

static inline int finish(const char *name) {
    CHECK(vultus_live_objects() == 0);
    printf("%s: %u checks, %u failures, %u live objects\n", name, checks, failures,
           (unsigned)vultus_live_objects());
    return failures != 0;
}

#endif
