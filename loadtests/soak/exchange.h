// exchange: a request to one of the routes but /ws, and what its answer must be.

#ifndef SOAK_EXCHANGE_H
#define SOAK_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../client/answer.h"
#include "buffer.h"
#include "random.h"

enum route { PLAINTEXT, JSON, USERS, ECHO, SLEEP, BLOCK, ROUTES };

extern const char *const route_names[ROUTES];

struct exchange {
    enum route route;
    uint64_t number;    // USERS: the id. ECHO: the seed of the body. SLEEP and BLOCK: ms
    uint64_t length;    // ECHO: octets of the body
    uint64_t checked;   // octets of the answer's body compared so far
    bool differs;       // one of them was not the expected one
};

enum {
    CLOSE = 1,          // ask for the connection to be closed
    CHUNKED = 2,        // send a body in chunks
    EXPECT = 4,         // send Expect: 100-continue
};

// Any route, with a body of at most `largest` octets.
struct exchange exchange_choose(struct random *r, uint64_t largest);

// POST /echo with a body of at most `largest` octets.
struct exchange exchange_choose_echo(struct random *r, uint64_t largest);

// Appends the request to b. Returns how much of b is sent before the body.
size_t exchange_write(const struct exchange *e, struct buffer *b, struct random *r, unsigned flags);

// An answer_sink; the context is the exchange.
void exchange_check(void *exchange, const char *data, size_t length);

// NULL, or what is wrong with an answer that is complete, `elapsed` ms after its request was sent at the earliest.
const char *exchange_verdict(const struct exchange *e, const struct answer *a, uint64_t elapsed);

#endif
