#include "malformed.h"

// Only what every target refuses: Go 1.19, for one, passes over a field without a name.
static const char *const requests[] = {
    // no Host, two of them
    "GET /plaintext HTTP/1.1\r\n\r\n",
    "GET /plaintext HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    // request lines
    "GET\r\n\r\n",
    "GET /plaintext\r\nHost: a\r\n\r\n",
    "GET /plaintext HTTP/9.9\r\nHost: a\r\n\r\n",
    "GET /plaintext HTTP/1.1 more\r\nHost: a\r\n\r\n",
    "G(T /plaintext HTTP/1.1\r\nHost: a\r\n\r\n",
    // fields
    "GET /plaintext HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
    "GET /plaintext HTTP/1.1\r\nHost: a\r\nSpace Before: colon\r\n\r\n",
    // lengths that could be read in two ways
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: unheard-of\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n\r\n",
};

void malformed_request(struct buffer *b, struct random *r) {
    buffer_print(b, "%s", requests[random_below(r, sizeof requests / sizeof *requests)]);
}

void malformed_octets(struct buffer *b, struct random *r) {
    size_t length = (size_t)(1 + random_size(r, 8191));
    char *octets = buffer_extend(b, length);
    for (size_t i = 0; i < length; i++)
        octets[i] = (char)random_next(r);
}
