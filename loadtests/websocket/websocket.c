// websocket: sends messages to a WebSocket that echoes them, and says how long the echoes took.
//
// The load is closed: each connection sends a message, waits for the whole of its echo, compares it octet by octet, and sends the
// next. With --rate it is open: message i is due at start + i / rate, on one connection after the other, and its latency runs from then; a
// connection whose echo is late has the next message wait, and be late too. Every message is another piece of a block of random octets, so that an echo of an earlier one is noticed.
//
// A connection is in one of these states; what comes and is not waited for is counted as wrong, and ends
// it:
//   OPENING      connect has not finished                     -> SHAKING
//   SHAKING      waits for the 101                            -> READY
//   READY        waits for the others' handshakes, or for its next message to be due   -> WAITING, or CLOSING when the time is over
//   WAITING      a message is out, its echo is not whole yet  -> WAITING, READY, or CLOSING when the time is over
//   CLOSING      our close frame is out, the server's is not  -> CLOSED
//   CLOSED

#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../client/loopback.h"
#include "frame.h"
#include "handshake.h"

enum {
    MAX_EVENTS = 256,
    MAX_CONNECTIONS = 60000,
    MAX_SIZE = 16 * 1024 * 1024,
    HEAD_SIZE = 2048,           // of the answer to the handshake
    HANDSHAKES = 256,           // at once: fewer than a listener's queue takes
    BLOCK = 64 * 1024,          // places in the random octets where a message can begin
    SHOWN_FAULTS = 10,
    LOG_ENTRY = 16,
};
static const uint64_t second = 1000000000u;
static const uint64_t patience = 10 * (uint64_t)1000000000;  // for handshakes, for the last echoes, and for closing

enum state { OPENING, SHAKING, READY, WAITING, CLOSING, CLOSED };

struct connection {
    enum state state;
    int fd;
    char key[KEY_LENGTH + 1];
    char *head;                 // while SHAKING
    size_t head_length;
    struct frame_reader reader;
    const uint8_t *expected;    // the message that is out
    size_t echoed;              // octets of it that have come back
    bool in_message;            // its first frame has begun
    uint64_t due, count;        // when the message that is out was due, or else sent
    uint64_t number;            // of the message that is out, and
    uint64_t owed;              // how many that are due wait for it; with --rate
    uint8_t control[MAX_CONTROL];
    size_t control_length;
    uint8_t *out;               // what has yet to be sent is [out_from, out_to)
    size_t out_from, out_to;
};

static struct {
    int port;
    size_t connections;
    double seconds, warmup;
    double rate;                // messages/s of all; 0: as many as come back
    size_t size;
    uint64_t messages;          // of each connection; 0: as many as there is time for
    const char *path;
} options = {.connections = 64, .seconds = 10, .warmup = 2, .size = 64, .path = "/ws"};

static int poller;
static struct connection *connections;
static size_t out_room;
static uint8_t *octets;         // BLOCK + size random ones
static size_t shaking, open_count, waiting, closing;
static uint64_t next_message;   // with --rate: the first that has not been due yet
static FILE *log_file;
static uint64_t start_time, measure_from, measure_to, random_state;
static uint64_t measured, wrong;

// ---- Latencies: a histogram whose buckets are 1/1024 of their value wide ----

enum { SUB = 10, BUCKETS = (64 - SUB) << SUB };
static uint64_t buckets[BUCKETS];
static uint64_t longest;

static size_t bucket_of(uint64_t ns) {
    if (ns < 1u << SUB)
        return (size_t)ns;
    int shift = 63 - __builtin_clzll(ns) - SUB;
    return ((size_t)(shift + 1) << SUB) + (size_t)((ns >> shift) - (1u << SUB));
}

static double milliseconds_of(size_t bucket) {
    size_t shift = bucket >> SUB;
    uint64_t ns = shift == 0 ? bucket : ((uint64_t)(1u << SUB) + (bucket & ((1u << SUB) - 1))) << (shift - 1);
    return (double)ns / 1e6;
}

static void record(uint64_t due, uint64_t ns) {
    if (log_file != NULL)
        fwrite((uint64_t[2]){due - measure_from, ns}, LOG_ENTRY, 1, log_file);
    buckets[bucket_of(ns)]++;
    measured++;
    if (ns > longest)
        longest = ns;
}

static double percentile(double part) {
    double wanted = part * (double)measured;
    uint64_t seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += buckets[i];
        if (buckets[i] > 0 && (double)seen >= wanted)
            return milliseconds_of(i);
    }
    return 0;
}

// ---- Connections ----

static uint64_t next_random(void) {  // xorshift64*
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}

static void close_connection(struct connection *c) {
    shaking -= c->state == OPENING || c->state == SHAKING;
    waiting -= c->state == WAITING;
    closing -= c->state == CLOSING;
    close(c->fd);
    free(c->head);
    c->head = NULL;
    c->state = CLOSED;
}

static void go_wrong(struct connection *c, const char *what) {
    static int shown;
    if (shown++ < SHOWN_FAULTS)
        fprintf(stderr, "websocket: connection %zu, message %llu: %s\n", (size_t)(c - connections), (unsigned long long)c->count, what);
    wrong++;
    close_connection(c);
}

static void flush(struct connection *c) {
    while (c->out_from < c->out_to) {
        ssize_t n = send(c->fd, c->out + c->out_from, c->out_to - c->out_from, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN)
                go_wrong(c, "could not be sent");
            return;
        }
        c->out_from += (size_t)n;
    }
    c->out_from = c->out_to = 0;
}

static void send_frame(struct connection *c, enum opcode opcode, const uint8_t *content, size_t length) {
    if (out_room - c->out_to < length + FRAME_OVERHEAD)
        return;  // only a pong can find no room, and only the last of several is owed
    c->out_to += frame_write(c->out + c->out_to, opcode, content, length, (uint32_t)(next_random() >> 32));
    flush(c);
}

static void send_message(struct connection *c, uint64_t due) {
    c->expected = octets + next_random() % BLOCK;
    c->echoed = 0;
    c->in_message = false;
    c->due = due;
    send_frame(c, BINARY, c->expected, options.size);
}

static void send_close(struct connection *c) {
    static const uint8_t normal[2] = {1000 >> 8, 1000 & 255};
    waiting -= c->state == WAITING;
    c->state = CLOSING;
    closing++;
    send_frame(c, CLOSE, normal, sizeof normal);
}

// ---- A fixed rate: the connections have the messages in turn ----

static uint64_t due_time(uint64_t message) {
    return start_time + (uint64_t)((double)message * (double)second / options.rate);
}

static bool more_due(void) {
    return options.rate > 0 && due_time(next_message) < measure_to;
}

static void send_numbered(struct connection *c, uint64_t message) {
    if (c->state == READY)
        waiting++;
    c->state = WAITING;
    c->number = message;
    send_message(c, due_time(message));
}

static void send_due(uint64_t now) {
    for (; more_due() && due_time(next_message) <= now; next_message++) {
        struct connection *c = &connections[next_message % options.connections];
        if (c->state == READY)
            send_numbered(c, next_message);
        else if (c->state == WAITING)
            c->owed++;
    }
}

static void send_owed(struct connection *c) {
    if (c->owed == 0) {
        c->state = READY;
        waiting--;
        return;
    }
    c->owed--;
    send_numbered(c, c->number + options.connections);
}

static void open_connection(struct connection *c) {
    uint8_t nonce[16];
    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = (uint8_t)(next_random() >> 56);
    handshake_key(c->key, nonce);
    c->fd = loopback_open(options.port);
    if (c->fd < 0)
        fail("connect");
    c->out = malloc(out_room);
    c->head = malloc(HEAD_SIZE);
    if (c->out == NULL || c->head == NULL)
        fail("malloc");
    c->out_to = (size_t)snprintf((char *)c->out, out_room,
                                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
                                 options.path, options.port, c->key);
    c->state = OPENING;
    shaking++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0)
        fail("epoll_ctl");
}

// ---- What comes ----

// Returns how much of data belongs to the head.
static size_t read_handshake(struct connection *c, const uint8_t *data, size_t length) {
    size_t before = c->head_length;
    size_t taken = length < HEAD_SIZE - 1 - before ? length : HEAD_SIZE - 1 - before;
    memcpy(c->head + before, data, taken);
    c->head_length += taken;
    c->head[c->head_length] = '\0';
    char *end = memmem(c->head, c->head_length, "\r\n\r\n", 4);
    if (end == NULL) {
        if (c->head_length == HEAD_SIZE - 1)
            go_wrong(c, "the head of the answer is too long");
        return taken;
    }
    end[4] = '\0';
    taken = (size_t)(end + 4 - c->head) - before;
    const char *fault = handshake_check(c->head, c->key);
    if (fault != NULL) {
        go_wrong(c, fault);
        return taken;
    }
    free(c->head);
    c->head = NULL;
    c->state = READY;
    shaking--;
    open_count++;
    return taken;
}

static void on_echo(struct connection *c) {
    uint64_t now = now_ns();
    c->count++;
    if (c->due >= measure_from && (now <= measure_to || options.rate > 0))
        record(c->due, now - c->due);
    if (options.rate > 0)
        send_owed(c);
    else if (now < measure_to && (options.messages == 0 || c->count < options.messages))
        send_message(c, now);
    else
        send_close(c);
}

// A piece of a message's frame. Returns what is wrong with it, or NULL.
static const char *on_content(struct connection *c, const uint8_t *content, size_t length) {
    if (c->state != WAITING)
        return "a message that nothing asked for";
    if (length > options.size - c->echoed)
        return "the echo is too long";
    if (memcmp(content, c->expected + c->echoed, length) != 0)
        return "the echo is another message";
    c->echoed += length;
    return NULL;
}

static void end_frame(struct connection *c) {
    struct frame_reader frame = c->reader;
    frame_next(&c->reader);
    if (frame.opcode == PING) {
        send_frame(c, PONG, c->control, c->control_length);
    } else if (frame.opcode == CLOSE) {
        // RFC 6455, section 5.5.1: a close is answered with its own status.
        if (c->state != CLOSING)
            go_wrong(c, "the server closes");
        else if (c->control_length < 2 || c->control[0] != 1000 >> 8 || c->control[1] != (1000 & 255))
            go_wrong(c, "the server closes with another status");
        else
            close_connection(c);
    } else if (frame.opcode < CLOSE && frame.final) {
        if (c->state != WAITING)
            go_wrong(c, "a message that nothing asked for");
        else if (c->echoed < options.size)
            go_wrong(c, "the echo is too short");
        else
            on_echo(c);
    }
    c->control_length = 0;
}

static const char *begin_frame(struct connection *c) {
    switch (c->reader.opcode) {
    case BINARY:
    case CONTINUATION:
        if ((c->reader.opcode == CONTINUATION) != c->in_message)
            return "a frame in the middle of a message begins another, or one continues none";
        c->in_message = !c->reader.final;
        return NULL;
    case CLOSE:
    case PING:
    case PONG: return NULL;
    case TEXT: return "the echo of a binary message is text";
    default: return "an opcode that there is not";
    }
}

static void read_frames(struct connection *c, const uint8_t *data, size_t length) {
    while (length > 0 && c->state != CLOSED) {
        bool began = c->reader.in_content;
        const uint8_t *content;
        size_t content_length;
        size_t taken = frame_read(&c->reader, data, length, &content, &content_length);
        const char *fault = c->reader.fault;
        if (fault == NULL && !began && c->reader.in_content)
            fault = begin_frame(c);
        if (fault == NULL && content_length > 0) {
            if (c->reader.opcode < CLOSE) {
                fault = on_content(c, content, content_length);
            } else {
                memcpy(c->control + c->control_length, content, content_length);
                c->control_length += content_length;
            }
        }
        if (fault != NULL) {
            go_wrong(c, fault);
            return;
        }
        data += taken;
        length -= taken;
        if (c->reader.in_content && c->reader.left == 0)
            end_frame(c);
    }
}

static void on_event(struct connection *c, uint32_t events) {
    if (c->state == CLOSED)
        return;
    if (c->state == OPENING) {
        if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
            fprintf(stderr, "websocket: 127.0.0.1:%d does not accept connections\n", options.port);
            exit(1);
        }
        if ((events & EPOLLOUT) == 0)
            return;
        c->state = SHAKING;
    }
    if ((events & EPOLLOUT) != 0)
        flush(c);
    if ((events & ~(uint32_t)EPOLLOUT) == 0)
        return;

    static uint8_t data[64 * 1024];
    while (c->state != CLOSED) {
        ssize_t n = recv(c->fd, data, sizeof data, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            go_wrong(c, "the connection ended without a close frame");
            return;
        }
        size_t taken = c->state == SHAKING ? read_handshake(c, data, (size_t)n) : 0;
        read_frames(c, data + taken, (size_t)n - taken);
        if ((size_t)n < sizeof data && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0)
            return;
    }
}

static void wait_for_events(uint64_t until) {
    static struct epoll_event events[MAX_EVENTS];
    uint64_t now = now_ns();
    uint64_t left = until <= now ? 0 : until - now < second / 20 ? until - now : second / 20;
    struct timespec timeout = {.tv_nsec = (long)left};
    int ready = epoll_pwait2(poller, events, MAX_EVENTS, &timeout, NULL);
    if (ready < 0 && errno != EINTR)
        fail("epoll_pwait2");
    for (int i = 0; i < ready; i++)
        on_event(events[i].data.ptr, events[i].events);
}

static void give_up(enum state state, const char *what) {
    for (size_t i = 0; i < options.connections; i++)
        if (connections[i].state == state)
            go_wrong(&connections[i], what);
}

static void run(void) {
    uint64_t limit = now_ns() + patience;
    for (size_t next = 0; next < options.connections || shaking > 0;) {
        while (next < options.connections && shaking < HANDSHAKES)
            open_connection(&connections[next++]);
        wait_for_events(limit);
        if (wrong > 0)
            return;
        if (now_ns() > limit) {
            give_up(OPENING, "did not connect in time");
            give_up(SHAKING, "no answer to the handshake in time");
            return;
        }
    }

    start_time = now_ns();
    measure_from = start_time + (uint64_t)(options.warmup * (double)second);
    measure_to = measure_from + (uint64_t)(options.seconds * (double)second);
    for (size_t i = 0; options.rate == 0 && i < options.connections; i++) {
        if (connections[i].state != READY)
            continue;
        connections[i].state = WAITING;
        waiting++;
        send_message(&connections[i], now_ns());
    }
    for (uint64_t now; (now = now_ns()) < measure_to + patience && (waiting > 0 || more_due());) {
        if (options.rate > 0)
            send_due(now);
        wait_for_events(more_due() ? due_time(next_message) : measure_to + patience);
    }
    for (size_t i = 0; i < options.connections; i++)
        if (connections[i].state == READY)
            send_close(&connections[i]);
    give_up(WAITING, "no echo in time");
    if (options.messages > 0 && now_ns() < measure_to)
        measure_to = now_ns();
    for (limit = now_ns() + patience; closing > 0 && now_ns() < limit;)
        wait_for_events(limit);
    give_up(CLOSING, "no close frame in time");
}

static int report(void) {
    double seconds = measure_to > measure_from ? (double)(measure_to - measure_from) / 1e9 : 0;
    printf("connections %zu connections\n", open_count);
    printf("messages %llu messages\n", (unsigned long long)measured);
    if (measured > 0 && seconds > 0) {
        printf("rate %.0f messages/s\n", (double)measured / seconds);
        printf("p50 %.3f ms\n", percentile(0.5));
        printf("p90 %.3f ms\n", percentile(0.9));
        printf("p99 %.3f ms\n", percentile(0.99));
        printf("p999 %.3f ms\n", percentile(0.999));
        printf("max %.3f ms\n", (double)longest / 1e6);
    }
    printf("wrong %llu connections\n", (unsigned long long)wrong);
    if (measured == 0 && wrong == 0)
        fputs("websocket: no echo in the time that was measured\n", stderr);
    return wrong > 0 || measured == 0 ? 1 : 0;
}

static void usage(FILE *to) {
    fputs("usage: websocket --port P [options]\n"
          "\n"
          "  --connections N     (64)\n"
          "  --seconds S         measured for so long (10)\n"
          "  --warmup W          after so many seconds of the same (2)\n"
          "  --size N            octets in a message (64)\n"
          "  --rate R            messages/s over all connections, each due at its time (as many as come back)\n"
          "  --log FILE          for each measured message two numbers of 8 octets: when it was due (without --rate: sent), counted from the\n"
          "                      end of the warm-up, and its latency, both in ns\n"
          "  --messages N        of each connection at the most, without a warm-up (as many as there is time for)\n"
          "  --path PATH         of the WebSocket (/ws)\n"
          "\n"
          "Each connection sends a binary message, waits for its echo, and sends the next; at the end it closes, and waits for the\n"
          "server's close frame. Prints `name value unit` lines; latency runs from the sending of a message, or from when it was due, to\n"
          "the last octet of its echo. Exits with 1 when a handshake, an echo or a close was wrong or missing.\n",
          to);
}

static void parse_options(int argc, char **argv) {
    enum { PORT = 1, CONNECTIONS, SECONDS, WARMUP, RATE, LOG, SIZE, MESSAGES, PATH, HELP };
    static const struct option known[] = {{"port", required_argument, NULL, PORT},
                                          {"connections", required_argument, NULL, CONNECTIONS},
                                          {"seconds", required_argument, NULL, SECONDS},
                                          {"warmup", required_argument, NULL, WARMUP},
                                          {"rate", required_argument, NULL, RATE},
                                          {"log", required_argument, NULL, LOG},
                                          {"size", required_argument, NULL, SIZE},
                                          {"messages", required_argument, NULL, MESSAGES},
                                          {"path", required_argument, NULL, PATH},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case PORT: options.port = (int)parse_number("port", optarg, 1, 65535); break;
        case CONNECTIONS: options.connections = parse_number("connections", optarg, 1, MAX_CONNECTIONS); break;
        case SECONDS: options.seconds = parse_decimal("seconds", optarg, 0.01, 86400); break;
        case WARMUP: options.warmup = parse_decimal("warmup", optarg, 0, 3600); break;
        case RATE: options.rate = parse_decimal("rate", optarg, 1, 1e6); break;
        case LOG:
            log_file = fopen(optarg, "wb");
            if (log_file == NULL)
                fail(optarg);
            break;
        case SIZE: options.size = parse_number("size", optarg, 0, MAX_SIZE); break;
        case MESSAGES: options.messages = parse_number("messages", optarg, 1, UINT64_MAX); break;
        case PATH: options.path = optarg; break;
        case HELP: usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    }
    if (options.port == 0 || optind != argc || options.path[0] != '/' || strlen(options.path) > 512) {
        usage(stderr);
        exit(2);
    }
    if (options.messages > 0 && options.rate > 0) {
        fputs("websocket: --messages and --rate exclude each other\n", stderr);
        exit(2);
    }
    if (options.messages > 0)
        options.warmup = 0;
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    prctl(PR_SET_TIMERSLACK, 1ul);  // else the kernel may wake us 50 us late
    random_state = now_ns() | 1;
    // A message, a pong and the close frame can wait at the same time; the handshake needs as much as its path.
    out_room = options.size + 1024;
    octets = malloc(BLOCK + options.size);
    connections = calloc(options.connections, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (octets == NULL || connections == NULL || poller < 0)
        fail("start");
    for (size_t i = 0; i < BLOCK + options.size; i++)
        octets[i] = (uint8_t)(next_random() >> 56);
    if (log_file != NULL && options.rate > 0) {
        // All of the log stays in memory until the end: a write waits, now and then, for the disk, and the messages would with it.
        size_t room = (size_t)(options.rate * options.seconds + 1) * LOG_ENTRY;
        char *log = malloc(room);
        if (log == NULL)
            fail("malloc");
        setvbuf(log_file, log, _IOFBF, room);
    }
    run();
    if (log_file != NULL && fclose(log_file) != 0)
        fail("the log");
    return report();
}
