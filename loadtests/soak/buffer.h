// buffer: octets to be sent.

#ifndef SOAK_BUFFER_H
#define SOAK_BUFFER_H

#include <stddef.h>

struct buffer {
    char *data;
    size_t length, room;
};

// Makes the buffer longer by `length` octets and returns where they are.
char *buffer_extend(struct buffer *b, size_t length);

enum { BUFFER_PRINT_SIZE = 1024 };

// Appends a text of less than BUFFER_PRINT_SIZE octets.
__attribute__((format(printf, 2, 3))) void buffer_print(struct buffer *b, const char *format, ...);

// Empties it, and gives the memory back when it is large.
void buffer_clear(struct buffer *b);

#endif
