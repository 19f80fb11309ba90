#include "frame.h"

#include <string.h>

size_t frame_write(uint8_t *to, enum opcode opcode, const uint8_t *content, size_t length, uint32_t mask) {
    uint8_t *at = to;
    *at++ = (uint8_t)(0x80 | opcode);
    int octets = length < 126 ? 0 : length < 65536 ? 2 : 8;
    *at++ = (uint8_t)(0x80 | (octets == 0 ? length : octets == 2 ? 126 : 127));
    for (int i = octets - 1; i >= 0; i--)
        *at++ = (uint8_t)((uint64_t)length >> (8 * i));
    memcpy(at, &mask, sizeof mask);
    at += sizeof mask;

    uint64_t twice = (uint64_t)mask << 32 | mask;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, content + i, 8);
        word ^= twice;
        memcpy(at + i, &word, 8);
    }
    for (; i < length; i++)
        at[i] = content[i] ^ ((const uint8_t *)&mask)[i % 4];
    return (size_t)(at - to) + length;
}

// The octets that the head has, as far as its first ones tell.
static size_t head_size(const struct frame_reader *reader) {
    if (reader->head_length < 2)
        return 2;
    unsigned length = reader->head[1] & 127;
    return length == 126 ? 4 : length == 127 ? 10 : 2;
}

static const char *read_head(struct frame_reader *reader) {
    const uint8_t *head = reader->head;
    if ((head[0] & 0x70) != 0)
        return "a reserved bit is set";
    if ((head[1] & 0x80) != 0)
        return "the server masks";
    reader->final = (head[0] & 0x80) != 0;
    reader->opcode = head[0] & 15;
    reader->left = head[1] & 127;
    size_t size = head_size(reader);
    if (size > 2) {
        reader->left = 0;
        for (size_t i = 2; i < size; i++)
            reader->left = reader->left << 8 | head[i];
        if (reader->left < (size == 4 ? 126 : 65536))
            return "the length is longer than it need be";
    }
    if (reader->opcode >= CLOSE && (!reader->final || reader->left > MAX_CONTROL))
        return "a control frame in pieces, or too long";
    return NULL;
}

size_t frame_read(struct frame_reader *reader, const uint8_t *data, size_t length, const uint8_t **content, size_t *content_length) {
    size_t taken = 0;
    *content_length = 0;
    if (reader->fault != NULL)
        return 0;
    while (!reader->in_content) {
        if (taken == length)
            return taken;
        reader->head[reader->head_length++] = data[taken++];
        if (reader->head_length == head_size(reader)) {
            reader->fault = read_head(reader);
            if (reader->fault != NULL)
                return 0;
            reader->in_content = true;
        }
    }
    size_t piece = reader->left < length - taken ? (size_t)reader->left : length - taken;
    *content = data + taken;
    *content_length = piece;
    reader->left -= piece;
    return taken + piece;
}

void frame_next(struct frame_reader *reader) {
    reader->in_content = false;
    reader->head_length = 0;
}
