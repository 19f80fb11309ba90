// malformed: what no server may take for a request.

#ifndef SOAK_MALFORMED_H
#define SOAK_MALFORMED_H

#include "buffer.h"
#include "random.h"

// Appends one that is complete: a server has to refuse it, or close, without waiting for more.
void malformed_request(struct buffer *b, struct random *r);

// Appends random octets. A server may well wait for more of them.
void malformed_octets(struct buffer *b, struct random *r);

#endif
