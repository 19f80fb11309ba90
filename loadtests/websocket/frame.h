// frame: the frames of a WebSocket as a client writes and reads them (RFC 6455, section 5).

#ifndef WEBSOCKET_FRAME_H
#define WEBSOCKET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

enum { FRAME_OVERHEAD = 14, MAX_CONTROL = 125 };

// Reads frames in pieces of any size.
struct frame_reader {
    uint8_t head[10];
    size_t head_length;     // octets of it read; the head is complete when `in_content`
    bool in_content;
    bool final;
    enum opcode opcode;
    uint64_t left;          // of the content
    const char *fault;      // NULL, or what is wrong: nothing more is read then
};

// Writes a whole frame with its mask; returns its length, which is that of the content and FRAME_OVERHEAD at most.
size_t frame_write(uint8_t *to, enum opcode opcode, const uint8_t *content, size_t length, uint32_t mask);

// Takes one piece: sets *content and *content_length to what it has of a frame's content, and returns how much of data that took.
// Returns 0 on a fault. When `in_content` and `left` is 0, the frame has ended: frame_next is due.
size_t frame_read(struct frame_reader *reader, const uint8_t *data, size_t length, const uint8_t **content, size_t *content_length);

// Makes ready for the next frame.
void frame_next(struct frame_reader *reader);

#endif
