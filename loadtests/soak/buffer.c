#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../client/loopback.h"

enum { FIRST_ROOM = 4096, KEPT_ROOM = 64 * 1024 };

char *buffer_extend(struct buffer *b, size_t length) {
    if (b->room - b->length < length) {
        size_t room = b->room > 0 ? b->room : FIRST_ROOM;
        while (room - b->length < length)
            room *= 2;
        b->data = realloc(b->data, room);
        if (b->data == NULL)
            fail("realloc");
        b->room = room;
    }
    b->length += length;
    return b->data + b->length - length;
}

void buffer_print(struct buffer *b, const char *format, ...) {
    char text[BUFFER_PRINT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text)
        abort();
    memcpy(buffer_extend(b, (size_t)length), text, (size_t)length);
}

void buffer_clear(struct buffer *b) {
    b->length = 0;
    if (b->room > KEPT_ROOM) {
        free(b->data);
        *b = (struct buffer){0};
    }
}
