#include "exchange.h"

#include <stdio.h>
#include <string.h>

const char *const route_names[ROUTES] = {"plaintext", "json", "users", "echo", "sleep", "block"};

static const char plaintext_body[] = "Hello, World!";
static const char json_body[] = "{\"message\":\"Hello, World!\"}";

// A timer that goes by the kernel's coarse clock, as .NET's do, may end this much early.
static const uint64_t early_ms = 5;

struct exchange exchange_choose_echo(struct random *r, uint64_t largest) {
    return (struct exchange){.route = ECHO, .number = random_next(r), .length = random_size(r, largest)};
}

struct exchange exchange_choose(struct random *r, uint64_t largest) {
    uint64_t roll = random_below(r, 100);
    if (roll < 30)
        return (struct exchange){.route = PLAINTEXT};
    if (roll < 50)
        return (struct exchange){.route = JSON};
    if (roll < 70)
        return (struct exchange){.route = USERS, .number = random_next(r) >> random_below(r, 64)};
    if (roll < 90)
        return exchange_choose_echo(r, largest);
    if (roll < 98)
        return (struct exchange){.route = SLEEP, .number = random_below(r, 100)};
    return (struct exchange){.route = BLOCK, .number = random_below(r, 20)};
}

// Octets 8i to 8i + 7 of a body. They look random, and any of them can be had without those before.
static uint64_t body_word(const struct exchange *e, uint64_t i) {
    return random_mix(e->number + i * 0x9e3779b97f4a7c15u);
}

static void write_body(const struct exchange *e, uint64_t from, char *to, size_t length) {
    for (size_t done = 0; done < length;) {
        uint64_t word = body_word(e, (from + done) / 8);
        size_t skip = (from + done) % 8;
        size_t size = 8 - skip < length - done ? 8 - skip : length - done;
        memcpy(to + done, (const char *)&word + skip, size);
        done += size;
    }
}

static void write_chunks(const struct exchange *e, struct buffer *b, struct random *r) {
    for (uint64_t from = 0; from < e->length;) {
        uint64_t left = e->length - from;
        size_t size = (size_t)(1 + random_size(r, left < 65536 ? left - 1 : 65535));
        buffer_print(b, random_chance(r, 50) ? "%zx" : "%zX", size);
        if (random_chance(r, 5))
            buffer_print(b, ";name=value");
        buffer_print(b, "\r\n");
        write_body(e, from, buffer_extend(b, size), size);
        buffer_print(b, "\r\n");
        from += size;
    }
    buffer_print(b, "0\r\n");
    if (random_chance(r, 10))
        buffer_print(b, "X-Trailer: value\r\n");
    buffer_print(b, "\r\n");
}

// Fields that mean nothing, so that heads differ in size and in where they are cut.
static void write_fields(struct buffer *b, struct random *r) {
    uint64_t count = random_chance(r, 50) ? random_below(r, 4) : random_below(r, 20);
    for (uint64_t i = 0; i < count; i++)
        buffer_print(b, "X-Field-%llu: %0*llx\r\n", (unsigned long long)i, (int)random_between(r, 1, 120),
                     (unsigned long long)random_next(r));
}

size_t exchange_write(const struct exchange *e, struct buffer *b, struct random *r, unsigned flags) {
    unsigned long long number = e->number;
    switch (e->route) {
    case PLAINTEXT: buffer_print(b, "GET /plaintext HTTP/1.1\r\n"); break;
    case JSON: buffer_print(b, "GET /json HTTP/1.1\r\n"); break;
    case USERS: buffer_print(b, "GET /users/%llx HTTP/1.1\r\n", number); break;
    case ECHO: buffer_print(b, "POST /echo HTTP/1.1\r\n"); break;
    case SLEEP: buffer_print(b, "GET /sleep?ms=%llu HTTP/1.1\r\n", number); break;
    default: buffer_print(b, "GET /block?ms=%llu HTTP/1.1\r\n", number); break;
    }
    buffer_print(b, random_chance(r, 80) ? "Host: localhost\r\n" : "host:localhost\r\n");
    write_fields(b, r);
    if ((flags & CLOSE) != 0)
        buffer_print(b, "Connection: close\r\n");
    if (e->route == ECHO) {
        if ((flags & EXPECT) != 0)
            buffer_print(b, "Expect: 100-continue\r\n");
        if ((flags & CHUNKED) != 0)
            buffer_print(b, "Transfer-Encoding: chunked\r\n");
        else
            buffer_print(b, "Content-Length: %llu\r\n", (unsigned long long)e->length);
    }
    buffer_print(b, "\r\n");

    size_t head = b->length;
    if (e->route == ECHO) {
        if ((flags & CHUNKED) != 0)
            write_chunks(e, b, r);
        else
            write_body(e, 0, buffer_extend(b, e->length), e->length);
    }
    return head;
}

static void check_text(struct exchange *e, const char *text, const char *data, size_t length) {
    if (e->checked + length > strlen(text) || memcmp(text + e->checked, data, length) != 0)
        e->differs = true;
}

void exchange_check(void *exchange, const char *data, size_t length) {
    struct exchange *e = exchange;
    char id[32], expected[1024];
    switch (e->route) {
    case PLAINTEXT:
        check_text(e, plaintext_body, data, length);
        break;
    case JSON:
        check_text(e, json_body, data, length);
        break;
    case USERS:
        snprintf(id, sizeof id, "%llx", (unsigned long long)e->number);
        check_text(e, id, data, length);
        break;
    case ECHO:
        for (size_t done = 0; done < length;) {
            size_t size = length - done < sizeof expected ? length - done : sizeof expected;
            write_body(e, e->checked + done, expected, size);
            if (memcmp(expected, data + done, size) != 0)
                e->differs = true;
            done += size;
        }
        break;
    default:
        break;
    }
    e->checked += length;
}

const char *exchange_verdict(const struct exchange *e, const struct answer *a, uint64_t elapsed) {
    if (a->status != 200)
        return "wrong status";
    char id[32];
    uint64_t length;
    switch (e->route) {
    case PLAINTEXT:
        if (!a->has_length || !a->has_server || !a->has_date)
            return "no Content-Length, Server or Date";
        length = strlen(plaintext_body);
        break;
    case JSON: length = strlen(json_body); break;
    case USERS: length = (uint64_t)snprintf(id, sizeof id, "%llx", (unsigned long long)e->number); break;
    case ECHO: length = e->length; break;
    default:
        return elapsed + early_ms < e->number ? "answered too early" : NULL;
    }
    if (e->differs)
        return "wrong body";
    return a->body != length ? "wrong length of the body" : NULL;
}
