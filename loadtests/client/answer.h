// answer: reads HTTP/1.1 answers as they arrive, in pieces of any size, and finds fault with what RFC 9112 does not allow.

#ifndef CLIENT_ANSWER_H
#define CLIENT_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum answer_state {
    ANSWER_STATUS,          // waits for the status line
    ANSWER_FIELDS,          // reads field lines
    ANSWER_BODY,            // reads Content-Length octets, or to the end of the stream
    ANSWER_CHUNK_SIZE,
    ANSWER_CHUNK_DATA,
    ANSWER_CHUNK_END,       // the line end after a chunk's data
    ANSWER_TRAILERS,
    ANSWER_DONE,            // complete
    ANSWER_BAD,             // `fault` says what is wrong
};

enum { ANSWER_LINE_SIZE = 1024 };

struct answer {
    enum answer_state state;
    int status;
    int interim;            // 1xx answers seen before this one
    bool chunked;
    bool has_length;
    bool close;             // the server says it will close the connection
    bool has_server, has_date, has_type;
    uint64_t left;          // octets of the body, or of the chunk, still to come
    uint64_t body;          // octets of the body seen
    const char *fault;
    size_t line_length;
    char line[ANSWER_LINE_SIZE];
};

// Takes a piece of the body.
typedef void answer_sink(void *context, const char *data, size_t length);

// Makes ready for the next answer. `line` needs no clearing, so this is cheap.
void answer_start(struct answer *a);

// Reads from data up to the end of the answer; returns how much it took. Stops at ANSWER_DONE or ANSWER_BAD. sink may be NULL.
size_t answer_read(struct answer *a, const char *data, size_t length, answer_sink *sink, void *context);

// The stream has ended. Returns whether that completed the answer; if not, the state is ANSWER_BAD, unless nothing of the
// answer had come.
bool answer_end(struct answer *a);

// Whether any octet of the answer has been read.
bool answer_begun(const struct answer *a);

#endif
