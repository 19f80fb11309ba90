// rate: asks for a path at a fixed rate, whether or not the answers keep up, and says how long they took.
//
// The load is open: request i is due at start + i / rate, and its latency runs from then, not from when it could be sent.
// A server that stalls is charged for every request that fell due meanwhile, as its users would be.
//
// Each connection carries one request at a time. A due request takes the connection that has been free the longest, or
// opens another while fewer than --connections are open; when there is none it waits, and so do those behind it. All
// connections are opened ahead, unless --open says fewer.
//
// With --post, the requests have content and the answers as much; with --close, each has a connection of its own, and the
// server closes it.
//
// With --mix, a part of the requests asks for another path, and the two are reported apart. Which ones is a function of
// the seed and the request's number.

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

#include "../client/answer.h"
#include "../client/loopback.h"
#include "channel.h"

enum { MAX_EVENTS = 256, MAX_CONNECTIONS = 60000, SHOWN_FAULTS = 10, LOG_ENTRY = 16 };
static const uint64_t second = 1000000000u;
static const uint64_t drain_time = 10 * (uint64_t)1000000000;  // for answers still out when the last request is sent

enum connection_state {
    CLOSED,
    OPENING,    // connect, or TLS's handshake, has not finished; may already hold a request
    FREE,       // in the ring of free ones
    BUSY,       // sends a request, and waits for its answer
    ENDING,     // the answer was the last one of this connection; waits for the server to close it
};

struct connection {
    enum connection_state state;
    struct channel channel;
    bool has_request;
    bool mixed;             // the request is for the mix path
    uint64_t due;           // when the request was due, ns
    size_t sent;            // octets of the request
    struct answer answer;
};

// One of the two paths and what came of it.
struct path {
    const char *name;       // in the report
    const char *target;
    char *request;
    size_t request_length;
    int64_t body_length;    // of every answer; -1 until the first has come
    uint64_t sent, wrong;
    uint64_t *latencies;    // ns
    size_t count, room;
};

static struct {
    int port;
    double rate;
    double seconds;
    double warmup;
    size_t connections;
    size_t open;
    double mix;             // part of the requests
    bool lifo;
    bool close;
    size_t post;            // octets of content in a request
    uint64_t seed;
} options = {.rate = 1000, .seconds = 10, .warmup = 2, .connections = 64, .open = SIZE_MAX, .seed = 1};

static struct path paths[2] = {{.name = "main", .target = "/plaintext", .body_length = -1},
                               {.name = "mix", .body_length = -1}};

static int poller;
static struct connection *connections;
static size_t *closed;      // stack
static size_t closed_count;
static size_t *ring;        // free connections, the longest free first
static size_t ring_head, ring_count;

static uint64_t start_time, measure_from, measure_to;
static uint64_t next_request, request_count;    // the number of the next one, and how many there are
static uint64_t outstanding, reconnects;
static uint64_t *send_lags;                     // from due to sent, ns
static size_t send_lag_count;
static FILE *record;                            // of --log

static uint64_t due_time(uint64_t request) {
    return start_time + (uint64_t)((double)request * (double)second / options.rate);
}

static bool is_mixed(uint64_t request) {
    uint64_t x = request + options.seed * 0x9e3779b97f4a7c15u;  // SplitMix64's mixing function
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return (double)(x >> 11) * 0x1p-53 < options.mix;
}

static void complain(const struct path *path, const char *what, int status) {
    static int shown;
    if (shown++ < SHOWN_FAULTS)
        fprintf(stderr, "rate: %s: %s (status %d)\n", path->target, what, status);
}

static void close_connection(struct connection *c) {
    channel_close(&c->channel);
    c->state = CLOSED;
    closed[closed_count++] = (size_t)(c - connections);
}

static void make_free(struct connection *c) {
    size_t place = (ring_head + ring_count) % options.connections;
    if (options.lifo)
        place = ring_head = (ring_head + options.connections - 1) % options.connections;
    ring[place] = (size_t)(c - connections);
    ring_count++;
    c->state = FREE;
}

// The server closed a connection that was free. Rare, so the ring is simply written anew without it.
static void drop_from_ring(struct connection *c) {
    size_t index = (size_t)(c - connections);
    for (size_t i = 0, kept = 0; i < ring_count; i++) {
        size_t entry = ring[(ring_head + i) % options.connections];
        if (entry != index)
            ring[(ring_head + kept++) % options.connections] = entry;
    }
    ring_count--;
}

// The request on c failed: it is counted and its connection closed.
static void fail_request(struct connection *c, const char *what) {
    struct path *path = &paths[c->mixed];
    complain(path, what, c->answer.status);
    path->wrong++;
    outstanding--;
    c->has_request = false;
    close_connection(c);
}

// Sends what the system takes; EPOLLOUT tells when it takes more.
static void continue_request(struct connection *c) {
    struct path *path = &paths[c->mixed];
    while (c->sent < path->request_length) {
        ssize_t n = channel_send(&c->channel, path->request + c->sent, path->request_length - c->sent);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            fail_request(c, "could not be sent");
            return;
        }
        c->sent += (size_t)n;
    }
}

static void send_request(struct connection *c) {
    c->state = BUSY;
    c->sent = 0;
    answer_start(&c->answer);
    if (c->due >= measure_from)
        send_lags[send_lag_count++] = now_ns() - c->due;
    continue_request(c);
}

static void open_connection(struct connection *c) {
    if (channel_open(&c->channel, options.port) < 0)
        fail("connect");
    c->state = OPENING;
    c->has_request = false;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->channel.fd, &event) < 0)
        fail("epoll_ctl");
}

static bool any_connection(void) {
    return ring_count > 0 || closed_count > 0;
}

static void dispatch(uint64_t request) {
    struct connection *c;
    if (ring_count > 0) {
        c = &connections[ring[ring_head]];
        ring_head = (ring_head + 1) % options.connections;
        ring_count--;
    } else {
        c = &connections[closed[--closed_count]];
        open_connection(c);
    }
    c->has_request = true;
    c->mixed = is_mixed(request);
    c->due = due_time(request);
    paths[c->mixed].sent++;
    outstanding++;
    if (c->state == FREE)
        send_request(c);
}

static void finish_request(struct connection *c, uint64_t now) {
    struct path *path = &paths[c->mixed];
    struct answer *a = &c->answer;
    if (path->body_length < 0 && a->status == 200)
        path->body_length = (int64_t)a->body;
    if (a->status != 200 || (int64_t)a->body != path->body_length) {
        complain(path, a->status != 200 ? "wrong status" : "wrong length of the body", a->status);
        path->wrong++;
    } else if (c->due >= measure_from && path->count < path->room) {
        uint64_t latency = now - c->due;
        path->latencies[path->count++] = latency;
        if (record != NULL && path == &paths[0])
            fwrite((uint64_t[2]){c->due - measure_from, latency}, LOG_ENTRY, 1, record);
    }
    outstanding--;
    c->has_request = false;
    if (a->close) {
        reconnects++;
        c->state = ENDING;
    } else {
        make_free(c);
    }
}

static void on_closed(struct connection *c) {
    if (c->state == BUSY) {
        if (answer_end(&c->answer)) {
            c->answer.close = true;
            finish_request(c, now_ns());
            close_connection(c);
        } else {
            fail_request(c, c->answer.fault != NULL ? c->answer.fault : "closed before the answer");
        }
        return;
    }
    if (c->state == FREE) {
        drop_from_ring(c);
        reconnects++;
    }
    close_connection(c);
}

static void on_event(struct connection *c, uint32_t events) {
    if (c->state == OPENING) {
        bool has_failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
        if (!has_failed && (events & EPOLLOUT) == 0)
            return;
        // One that is connected has room for a handshake: EPOLLOUT comes with each event.
        int shaken = has_failed ? -1 : channel_shake(&c->channel);
        if (shaken < 0) {
            if (!c->has_request) {
                fprintf(stderr, "rate: 127.0.0.1:%d does not accept connections%s\n", options.port, channel_has_tls() ? " with TLS" : "");
                exit(1);
            }
            fail_request(c, "could not connect");
            return;
        }
        if (shaken == 0)
            return;
        if (c->has_request)
            send_request(c);
        else
            make_free(c);
    }
    if (c->state == BUSY && (events & EPOLLOUT) != 0)
        continue_request(c);
    if (c->state == CLOSED || (events & ~(uint32_t)EPOLLOUT) == 0)
        return;

    static char data[64 * 1024];
    for (;;) {
        ssize_t n = channel_receive(&c->channel, data, sizeof data);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            on_closed(c);
            return;
        }
        if (c->state == FREE || c->state == ENDING) {
            if (c->state == FREE)
                drop_from_ring(c);
            complain(&paths[c->mixed], "an answer that nothing asked for", 0);
            paths[c->mixed].wrong++;
            close_connection(c);
            return;
        }
        size_t taken = answer_read(&c->answer, data, (size_t)n, NULL, NULL);
        if (c->answer.state == ANSWER_BAD || taken < (size_t)n) {
            fail_request(c, c->answer.fault != NULL ? c->answer.fault : "more than one answer");
            return;
        }
        if (c->answer.state == ANSWER_DONE && c->sent < paths[c->mixed].request_length) {
            fail_request(c, "answered before all of the request was sent");
            return;
        }
        if (c->answer.state == ANSWER_DONE)
            finish_request(c, now_ns());
        if (c->state == CLOSED || ((size_t)n < sizeof data && !channel_has_tls() && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0))
            return;
    }
}

static void wait_for_events(uint64_t until) {
    static struct epoll_event events[MAX_EVENTS];
    uint64_t now = now_ns();
    uint64_t left = until > now ? until - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / second), .tv_nsec = (long)(left % second)};
    int ready = epoll_pwait2(poller, events, MAX_EVENTS, &timeout, NULL);
    if (ready < 0 && errno != EINTR)
        fail("epoll_pwait2");
    for (int i = 0; i < ready; i++)
        on_event(events[i].data.ptr, events[i].events);
}

static void run(void) {
    for (size_t i = 0; i < options.open; i++)
        open_connection(&connections[closed[--closed_count]]);
    for (uint64_t limit = now_ns() + drain_time; ring_count < options.open && now_ns() < limit;)
        wait_for_events(limit);

    start_time = now_ns() + second / 100;
    measure_from = start_time + (uint64_t)(options.warmup * (double)second);
    measure_to = measure_from + (uint64_t)(options.seconds * (double)second);
    while (next_request < request_count || outstanding > 0) {
        uint64_t now = now_ns();
        if (now > measure_to + drain_time)
            break;
        while (next_request < request_count && any_connection() && due_time(next_request) <= now)
            dispatch(next_request++);
        bool can_send = next_request < request_count && any_connection();
        wait_for_events(can_send ? due_time(next_request) : now + second / 10);
    }
}

static int compare(const void *left, const void *right) {
    uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;
    return (l > r) - (l < r);
}

// The smallest latency that no more than 1 - part of them exceed. Sorted before.
static double percentile(const uint64_t *sorted, size_t count, double part) {
    double rank = part * (double)count;
    size_t index = (size_t)rank;
    if ((double)index == rank && index > 0)
        index--;
    return (double)sorted[index < count ? index : count - 1] / 1e6;
}

static void report_path(struct path *path) {
    printf("%s_count %zu requests\n", path->name, path->count);
    if (path->count == 0)
        return;
    qsort(path->latencies, path->count, sizeof *path->latencies, compare);
    printf("%s_p50 %.3f ms\n", path->name, percentile(path->latencies, path->count, 0.5));
    printf("%s_p90 %.3f ms\n", path->name, percentile(path->latencies, path->count, 0.9));
    printf("%s_p99 %.3f ms\n", path->name, percentile(path->latencies, path->count, 0.99));
    printf("%s_p999 %.3f ms\n", path->name, percentile(path->latencies, path->count, 0.999));
    printf("%s_max %.3f ms\n", path->name, (double)path->latencies[path->count - 1] / 1e6);
}

static int report(void) {
    uint64_t unanswered = outstanding + (request_count - next_request);
    uint64_t wrong = paths[0].wrong + paths[1].wrong;
    report_path(&paths[0]);
    if (options.mix > 0)
        report_path(&paths[1]);
    printf("rate_asked %.1f requests/s\n", options.rate);
    printf("rate_achieved %.1f requests/s\n", (double)(paths[0].count + paths[1].count) / options.seconds);
    if (send_lag_count > 0) {
        qsort(send_lags, send_lag_count, sizeof *send_lags, compare);
        printf("send_lag_p99 %.3f ms\n", percentile(send_lags, send_lag_count, 0.99));
    }
    printf("connections %zu connections\n", options.connections - closed_count);
    printf("reconnects %llu connections\n", (unsigned long long)reconnects);
    printf("wrong %llu answers\n", (unsigned long long)wrong);
    printf("unanswered %llu requests\n", (unsigned long long)unanswered);
    return wrong + unanswered > 0 ? 1 : 0;
}

static void usage(FILE *to) {
    fputs("usage: rate --port P [options]\n"
          "\n"
          "  --rate R              requests/s over all connections (1000)\n"
          "  --seconds S           measured for so long (10)\n"
          "  --warmup W            after so many seconds at the same rate (2)\n"
          "  --connections C       at most so many (64)\n"
          "  --open N              of which so many are opened ahead (all)\n"
          "  --path PATH           what is asked for (/plaintext)\n"
          "  --length N            octets in each answer to it (13 for /plaintext, else as the first answer's)\n"
          "  --post N              POST with N octets of content, which the answer gives back\n"
          "  --tls                 OPENSSL_CONF says what is offered; the server's certificate is not looked at\n"
          "  --close               a connection for each request (implies --open 0)\n"
          "  --log FILE            for each measured answer but those of --mix, two numbers of 8 octets: when it was due, counted\n"
          "                        from the end of the warm-up, and its latency, both in ns\n"
          "  --mix PATH:FRACTION   what a part of the requests asks for in its place, such as /block?ms=50:0.01\n"
          "  --lifo                take the connection used last, not the one that has been free the longest\n"
          "  --seed N              chooses which requests are mixed in (1)\n"
          "\n"
          "Prints `name value unit` lines. Latency is measured from when a request was due. Exits with 1 when an answer was\n"
          "wrong or missing.\n",
          to);
}

static void parse_options(int argc, char **argv) {
    enum { PORT = 1, RATE, SECONDS, WARMUP, CONNECTIONS, OPEN, PATH, LENGTH, MIX, LIFO, POST, CLOSE, TLS, LOG, SEED, HELP };
    static const struct option known[] = {{"port", required_argument, NULL, PORT},
                                          {"rate", required_argument, NULL, RATE},
                                          {"seconds", required_argument, NULL, SECONDS},
                                          {"warmup", required_argument, NULL, WARMUP},
                                          {"connections", required_argument, NULL, CONNECTIONS},
                                          {"open", required_argument, NULL, OPEN},
                                          {"path", required_argument, NULL, PATH},
                                          {"length", required_argument, NULL, LENGTH},
                                          {"mix", required_argument, NULL, MIX},
                                          {"lifo", no_argument, NULL, LIFO},
                                          {"post", required_argument, NULL, POST},
                                          {"close", no_argument, NULL, CLOSE},
                                          {"tls", no_argument, NULL, TLS},
                                          {"log", required_argument, NULL, LOG},
                                          {"seed", required_argument, NULL, SEED},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case PORT: options.port = (int)parse_number("port", optarg, 1, 65535); break;
        case RATE: options.rate = parse_decimal("rate", optarg, 1, 1e6); break;
        case SECONDS: options.seconds = parse_decimal("seconds", optarg, 0.1, 86400); break;
        case WARMUP: options.warmup = parse_decimal("warmup", optarg, 0, 3600); break;
        case CONNECTIONS: options.connections = parse_number("connections", optarg, 1, MAX_CONNECTIONS); break;
        case OPEN: options.open = parse_number("open", optarg, 0, MAX_CONNECTIONS); break;
        case PATH: paths[0].target = optarg; break;
        case LENGTH: paths[0].body_length = (int64_t)parse_number("length", optarg, 0, 1u << 30); break;
        case LIFO: options.lifo = true; break;
        case POST: options.post = parse_number("post", optarg, 1, 1u << 30); break;
        case CLOSE: options.close = true; break;
        case TLS:
            if (!channel_use_tls()) {
                fputs("rate: --tls: it was built without OpenSSL (libssl-dev), or that does not start\n", stderr);
                exit(2);
            }
            break;
        case LOG:
            record = fopen(optarg, "wb");
            if (record == NULL)
                fail(optarg);
            break;
        case SEED: options.seed = parse_number("seed", optarg, 0, UINT64_MAX); break;
        case MIX: {
            char *colon = strrchr(optarg, ':');
            if (colon == NULL || optarg[0] != '/') {
                fputs("--mix must be PATH:FRACTION\n", stderr);
                exit(2);
            }
            *colon = '\0';
            paths[1].target = optarg;
            options.mix = parse_decimal("mix", colon + 1, 0, 1);
            break;
        }
        case HELP: usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    }
    if (options.port == 0 || optind != argc) {
        usage(stderr);
        exit(2);
    }
    if (paths[0].body_length < 0 && strcmp(paths[0].target, "/plaintext") == 0)
        paths[0].body_length = (int64_t)strlen("Hello, World!");
    if (options.post > 0)
        paths[0].body_length = (int64_t)options.post;
    if (options.close)
        options.open = 0;
    if (options.open > options.connections)
        options.open = options.connections;
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL)
        fail("calloc");
    return memory;
}

static void make_request(struct path *path, size_t content) {
    char length[64] = "";
    if (content > 0)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", content);
    char *head;
    int head_length = asprintf(&head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n", content > 0 ? "POST" : "GET", path->target,
                               options.port, length, options.close ? "Connection: close\r\n" : "");
    if (head_length < 0)
        fail("asprintf");
    path->request_length = (size_t)head_length + content;
    path->request = allocate(path->request_length, 1);
    memcpy(path->request, head, (size_t)head_length);
    memset(path->request + head_length, 'x', content);
    free(head);
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    prctl(PR_SET_TIMERSLACK, 1ul);  // else the kernel may wake us 50 us late

    request_count = (uint64_t)((options.warmup + options.seconds) * options.rate);
    for (size_t i = 0; i < 2; i++) {
        struct path *path = &paths[i];
        if (path->target == NULL)
            continue;
        make_request(path, i == 0 ? options.post : 0);
        path->room = request_count;
        path->latencies = allocate(request_count, sizeof *path->latencies);
    }
    // All of the log stays in memory until the end: a write waits, now and then, for the disk, and the requests would with it.
    if (record != NULL)
        setvbuf(record, allocate(request_count, LOG_ENTRY), _IOFBF, request_count * LOG_ENTRY);
    send_lags = allocate(request_count, sizeof *send_lags);
    connections = allocate(options.connections, sizeof *connections);
    ring = allocate(options.connections, sizeof *ring);
    closed = allocate(options.connections, sizeof *closed);
    for (size_t i = options.connections; i > 0; i--)
        closed[closed_count++] = i - 1;
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        fail("epoll_create1");
    run();
    if (record != NULL && fclose(record) != 0)
        fail("the log");
    return report();
}
