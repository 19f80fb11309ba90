// soak: everything that clients do to a server, at once and for a long time, with each answer checked.
//
// There are --connections clients, each with a connection of its own and a random sequence of its own. A client plays one
// act after another: it composes what to send, octet by octet, and the answers that have to come; sends it at some pace;
// reads and checks meanwhile; and ends the act as its fate says. Between acts it pauses, on an open connection or not.
//
//   PAUSED    waits for `wake`; fd may be an idle connection, or -1
//   OPENING   connect has not finished
//   ACTING    sends, up to `allowed`, and reads
//   DOOMED    as ACTING, but at `wake` the connection ends, whatever came by then
//
// What is wrong: an answer that differs from what was asked for or breaks HTTP, one that is missing although the client
// behaved, a connection closed without being announced, a malformed request answered as if it were none, and silence for
// half a minute. What a client that misbehaved does not get is not wrong; what it does get is still checked.

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
#include <sys/socket.h>
#include <unistd.h>

#include "../client/answer.h"
#include "../client/loopback.h"
#include "buffer.h"
#include "exchange.h"
#include "malformed.h"
#include "random.h"

enum {
    MAX_EVENTS = 256,
    MAX_EXCHANGES = 32,
    SMALL_BODY = 4096,
    MEDIUM_BODY = 64 * 1024,
    LARGE_BODY = 1024 * 1024,
    SHOWN_FAULTS = 20,
    MAX_CONNECT_FAILURES = 1000,    // in a row: the server is gone
};

static const uint64_t millisecond = 1000000;
static const uint64_t patience = 30u * 1000000000u;         // for the whole of an act
static const uint64_t continue_patience = 1000000000u;      // for 100 Continue
static const uint64_t silence = 300u * 1000000u;            // after half a request or random octets

enum act {
    SERIES,         // requests one after another on one connection
    BURST,          // pipelined
    DRIP,           // a few octets at a time
    UPLOAD,         // a body, plain or in chunks, sometimes waiting for 100 Continue
    HALF_CLOSE,     // no more to send, but the answers are read
    RESET,          // RST at a random moment
    CUT,            // plain close at a random moment
    TRUNCATED,      // a part of a request, and no more
    MALFORMED,      // a whole request that must be refused
    OCTETS,         // random ones
    ACTS,
};

static const char *const act_names[ACTS] = {"series",    "burst", "drip",      "upload",    "half_close",
                                            "reset",     "cut",   "truncated", "malformed", "octets"};
static const unsigned act_weights[ACTS] = {30, 15, 10, 15, 5, 8, 7, 4, 3, 3};  // of 100

enum state { PAUSED, OPENING, ACTING, DOOMED };

enum fate {
    ANSWERED,       // all answers come; the connection may be used again
    CLOSED,         // all answers come, the last says close, and the server closes
    DRAINED,        // answers may come until the server closes
    REFUSED,        // an error or a close has to come
    BROKEN_OFF,     // at doom_at octets sent, and a moment later, the client closes
    IGNORED,        // nothing has to come; the client closes when nothing has happened for a while
};

struct client {
    enum state state;
    int fd;
    struct random random;
    uint64_t wake;              // ns; UINT64_MAX: never
    uint64_t started, give_up;  // the act's, ns

    enum act act;
    enum fate fate;
    bool reset;                 // close with RST
    struct buffer out;
    size_t sent, allowed;       // octets of out
    size_t step;                // octets allowed more, about every `pace` ns
    uint64_t pace;
    bool gated;                 // waits for 100 Continue at `allowed`
    bool shut;                  // our side is shut down
    size_t doom_at;             // BROKEN_OFF: octets

    struct exchange exchanges[MAX_EXCHANGES];
    size_t exchange_count, answered;
    struct answer answer;
};

static struct {
    int port;
    uint64_t seconds;
    size_t connections;
    uint64_t pause;             // ms at most
    uint64_t seed;
} options = {.seconds = 60, .connections = 200, .pause = 100};

static int poller;
static struct client *clients;
static uint64_t end_time;
static uint64_t soonest;        // no client's wake or give_up is earlier
static size_t acting;           // clients that are not paused
static size_t connect_failures; // in a row

static struct {
    uint64_t acts[ACTS];
    uint64_t answers[ROUTES];
    uint64_t refusals, connections, resets, cuts, missing, echoed, wrong;
} counts;

static void wrong(struct client *c, const char *what) {
    if (counts.wrong++ < SHOWN_FAULTS) {
        const char *route = c->answered < c->exchange_count ? route_names[c->exchanges[c->answered].route] : "-";
        fprintf(stderr, "soak: %s: answer %zu of %zu (%s, status %d): %s\n", act_names[c->act], c->answered + 1,
                c->exchange_count, route, c->answer.status, what);
    }
}

static void wake_at(struct client *c, uint64_t when) {
    c->wake = when;
    if (when < soonest)
        soonest = when;
}

static void drop(struct client *c) {
    if (c->reset)
        loopback_reset(c->fd);
    else
        close(c->fd);
    c->fd = -1;
}

static void pause_client(struct client *c, uint64_t now) {
    c->state = PAUSED;
    acting--;
    buffer_clear(&c->out);
    wake_at(c, now + random_below(&c->random, options.pause * millisecond + 1));
}

static void end_act(struct client *c, bool keep) {
    if (!keep)
        drop(c);
    pause_client(c, now_ns());
}

static void end_wrong(struct client *c, const char *what) {
    wrong(c, what);
    end_act(c, false);
}

// --- composing an act

static uint64_t largest_body(struct client *c) {
    return random_chance(&c->random, 10) ? LARGE_BODY : MEDIUM_BODY;
}

static size_t add_exchange(struct client *c, struct exchange e, unsigned flags) {
    if (random_chance(&c->random, 50))
        flags |= CHUNKED;
    c->exchanges[c->exchange_count++] = e;
    return exchange_write(&e, &c->out, &c->random, flags);
}

static void add_exchanges(struct client *c, size_t count, uint64_t largest, bool close_last) {
    for (size_t i = 0; i < count; i++)
        add_exchange(c, exchange_choose(&c->random, largest), close_last && i == count - 1 ? CLOSE : 0);
}

static void compose_upload(struct client *c) {
    bool expect = random_chance(&c->random, 25);
    size_t head = add_exchange(c, exchange_choose_echo(&c->random, largest_body(c)), expect ? EXPECT : 0);
    if (expect && head < c->out.length) {
        c->gated = true;
        c->allowed = head;
        wake_at(c, c->started + continue_patience);
    }
}

static void compose_drip(struct client *c) {
    add_exchange(c, exchange_choose(&c->random, SMALL_BODY), 0);
    c->step = c->out.length / random_between(&c->random, 5, 50) + 1;
    c->pace = random_between(&c->random, 1, 20) * millisecond;
    c->allowed = c->step;
    wake_at(c, c->started + c->pace);
}

static void compose_break(struct client *c) {
    add_exchanges(c, random_between(&c->random, 1, 4), largest_body(c), false);
    c->fate = BROKEN_OFF;
    c->doom_at = random_between(&c->random, 0, c->out.length);
    c->allowed = random_chance(&c->random, 50) ? c->doom_at : c->out.length;
}

static void compose_truncated(struct client *c) {
    struct exchange e = exchange_choose(&c->random, SMALL_BODY);
    exchange_write(&e, &c->out, &c->random, random_chance(&c->random, 50) ? CHUNKED : 0);
    c->out.length = random_between(&c->random, 1, c->out.length - 1);
    c->fate = random_chance(&c->random, 50) ? IGNORED : DRAINED;
    c->reset = random_chance(&c->random, 25);
}

static enum act choose_act(struct client *c) {
    unsigned roll = (unsigned)random_below(&c->random, 100);
    enum act act = SERIES;
    while (roll >= act_weights[act])
        roll -= act_weights[act++];
    return act;
}

static void compose(struct client *c, uint64_t now) {
    struct random *r = &c->random;
    c->act = choose_act(c);
    c->fate = random_chance(r, 20) ? CLOSED : ANSWERED;
    c->reset = c->gated = c->shut = false;
    c->sent = c->step = 0;
    c->allowed = SIZE_MAX;
    c->exchange_count = c->answered = 0;
    c->started = now;
    c->give_up = now + patience;
    wake_at(c, UINT64_MAX);
    answer_start(&c->answer);

    switch (c->act) {
    case SERIES:
        // The rest of the series is added as the answers come.
        add_exchanges(c, 1, largest_body(c), c->fate == CLOSED);
        break;
    case BURST:
        add_exchanges(c, random_between(r, 2, MAX_EXCHANGES), SMALL_BODY, c->fate == CLOSED);
        break;
    case DRIP:
        c->fate = ANSWERED;
        compose_drip(c);
        break;
    case UPLOAD:
        c->fate = ANSWERED;
        compose_upload(c);
        break;
    case HALF_CLOSE:
        c->fate = DRAINED;
        add_exchanges(c, random_between(r, 1, 4), SMALL_BODY, false);
        break;
    case RESET:
    case CUT:
        compose_break(c);
        c->reset = c->act == RESET;
        break;
    case TRUNCATED:
        compose_truncated(c);
        break;
    case MALFORMED:
        c->fate = REFUSED;
        malformed_request(&c->out, r);
        break;
    default:
        c->fate = IGNORED;
        c->reset = random_chance(r, 50);
        malformed_octets(&c->out, r);
        break;
    }
    counts.acts[c->act]++;
}

// --- playing it

static bool all_sent(const struct client *c) {
    return c->sent == c->out.length;
}

// Sends what may be sent now. When the connection turns out to be gone, reading will tell what came of it.
static void send_some(struct client *c, uint64_t now) {
    size_t most = c->allowed < c->out.length ? c->allowed : c->out.length;
    while (c->sent < most) {
        ssize_t n = send(c->fd, c->out.data + c->sent, most - c->sent, MSG_NOSIGNAL);
        if (n < 0)
            break;
        c->sent += (size_t)n;
    }
    if (c->fate == BROKEN_OFF && c->state == ACTING && c->sent >= c->doom_at) {
        c->state = DOOMED;
        wake_at(c, now + random_below(&c->random, 20 * millisecond));
    } else if (c->fate == IGNORED && c->state == ACTING && all_sent(c)) {
        c->state = DOOMED;
        wake_at(c, now + silence);
    } else if (c->fate == DRAINED && all_sent(c) && !c->shut) {
        c->shut = true;
        shutdown(c->fd, SHUT_WR);
    }
}

static void start_act(struct client *c, uint64_t now) {
    acting++;
    compose(c, now);
    if (c->fd >= 0) {
        c->state = ACTING;
        send_some(c, now);
        return;
    }
    c->state = OPENING;
    c->fd = loopback_open(options.port);
    if (c->fd < 0)
        fail("connect");
    counts.connections++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0)
        fail("epoll_ctl");
}

// The answers that had to come are here.
static void all_answered(struct client *c, uint64_t now) {
    if (c->act == SERIES && now < end_time && c->exchange_count < MAX_EXCHANGES && c->fate == ANSWERED
        && random_chance(&c->random, 80)) {
        buffer_clear(&c->out);
        c->sent = 0;
        c->fate = random_chance(&c->random, 10) ? CLOSED : ANSWERED;
        add_exchanges(c, 1, largest_body(c), c->fate == CLOSED);
        c->started = now;
        c->give_up = now + patience;
        send_some(c, now);
    } else if (c->fate == ANSWERED) {
        if (!all_sent(c))
            end_wrong(c, "answered before all was sent");
        else
            end_act(c, random_chance(&c->random, 70));
    }
}

// One answer is complete. Returns whether the act goes on.
static bool take_answer(struct client *c, uint64_t now) {
    struct answer *a = &c->answer;
    if (c->answered == c->exchange_count) {
        // Nothing that was sent is a request: only a refusal may come.
        if (a->status < 400) {
            end_wrong(c, "what is no request was answered");
            return false;
        }
        counts.refusals++;
        end_act(c, false);
        return false;
    }
    struct exchange *e = &c->exchanges[c->answered];
    const char *fault = exchange_verdict(e, a, (now - c->started) / millisecond);
    bool last = c->answered + 1 == c->exchange_count;
    if (fault == NULL && a->close && (c->fate == ANSWERED || (c->fate == CLOSED && !last)))
        fault = "the server closes the connection unasked";
    if (fault == NULL && c->fate == CLOSED && last && !a->close)
        fault = "Connection: close not confirmed";
    if (fault != NULL) {
        end_wrong(c, fault);
        return false;
    }
    counts.answers[e->route]++;
    counts.echoed += e->route == ECHO ? e->length : 0;
    c->answered++;
    answer_start(a);
    if (c->answered == c->exchange_count)
        all_answered(c, now);
    return c->state != PAUSED;
}

// The server closed, or the connection broke.
static void on_end(struct client *c) {
    if (c->state == PAUSED) {
        wrong(c, "closed while idle");
        drop(c);
        return;
    }
    bool complete = answer_end(&c->answer);
    switch (c->fate) {
    case ANSWERED:
        end_wrong(c, c->answer.fault != NULL ? c->answer.fault : "closed before the answer");
        return;
    case CLOSED:
        if (c->answered < c->exchange_count) {
            end_wrong(c, c->answer.fault != NULL ? c->answer.fault : "closed before the answer");
            return;
        }
        break;
    case REFUSED:
    case IGNORED:
        if (complete && !take_answer(c, now_ns()))
            return;
        counts.refusals++;
        break;
    default:
        counts.missing += c->exchange_count - c->answered;
        break;
    }
    end_act(c, false);
}

static void open_gate(struct client *c) {
    c->gated = false;
    c->allowed = SIZE_MAX;
    c->wake = UINT64_MAX;
}

static void on_event(struct client *c, uint32_t events) {
    uint64_t now = now_ns();
    if (c->state == OPENING) {
        if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
            end_wrong(c, "could not connect");
            if (++connect_failures == MAX_CONNECT_FAILURES)
                end_time = now;
            return;
        }
        if ((events & EPOLLOUT) == 0)
            return;
        c->state = ACTING;
        connect_failures = 0;
    }
    if (c->state != PAUSED)
        send_some(c, now);

    static char data[64 * 1024];
    for (;;) {
        ssize_t n = recv(c->fd, data, sizeof data, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            on_end(c);
            return;
        }
        if (c->state == PAUSED) {
            wrong(c, "an answer that nothing asked for");
            drop(c);
            return;
        }
        for (size_t taken = 0; taken < (size_t)n;) {
            bool expected = c->answered < c->exchange_count;
            if (!expected && c->fate == CLOSED) {
                end_wrong(c, "more answers than requests");
                return;
            }
            taken += answer_read(&c->answer, data + taken, (size_t)n - taken, expected ? exchange_check : NULL,
                                 expected ? &c->exchanges[c->answered] : NULL);
            if (c->answer.state == ANSWER_BAD) {
                end_wrong(c, c->answer.fault);
                return;
            }
            if (c->gated && c->answer.interim > 0) {
                open_gate(c);
                send_some(c, now);
            }
            if (c->answer.state == ANSWER_DONE && !take_answer(c, now_ns())) {
                if (c->fd < 0)
                    return;
                // Kept for the next act: it must have nothing more to say. The outer loop looks whether it is still open.
                if (taken < (size_t)n) {
                    wrong(c, "more answers than requests");
                    drop(c);
                    return;
                }
                break;
            }
        }
    }
}

static void on_wake(struct client *c, uint64_t now) {
    c->wake = UINT64_MAX;
    switch (c->state) {
    case PAUSED:
        if (now < end_time)
            start_act(c, now);
        else if (c->fd >= 0)
            drop(c);
        break;
    case DOOMED:
        counts.missing += c->exchange_count - c->answered;
        counts.resets += c->reset;
        counts.cuts += !c->reset;
        end_act(c, false);
        break;
    case ACTING:
        if (c->gated) {
            open_gate(c);
        } else {
            c->allowed += c->step;
            if (c->allowed < c->out.length)
                wake_at(c, now + random_below(&c->random, 2 * c->pace + 1));
        }
        send_some(c, now);
        break;
    case OPENING:
        wake_at(c, now + millisecond);
        break;
    }
}

static void wake_clients(uint64_t now) {
    soonest = UINT64_MAX;
    for (size_t i = 0; i < options.connections; i++) {
        struct client *c = &clients[i];
        if (c->wake <= now)
            on_wake(c, now);
        if (c->state != PAUSED && c->give_up <= now)
            end_wrong(c, "silence");
        if (c->wake < soonest)
            soonest = c->wake;
        if (c->state != PAUSED && c->give_up < soonest)
            soonest = c->give_up;
    }
}

static bool over(uint64_t now) {
    if (now < end_time || acting > 0)
        return false;
    for (size_t i = 0; i < options.connections; i++)
        if (clients[i].fd >= 0)
            return false;
    return true;
}

static void run(void) {
    static struct epoll_event events[MAX_EVENTS];
    for (uint64_t now = now_ns(); !over(now); now = now_ns()) {
        if (soonest <= now)
            wake_clients(now);
        uint64_t wait = soonest > now ? (soonest - now) / millisecond + 1 : 0;
        int ready = epoll_wait(poller, events, MAX_EVENTS, wait < 1000 ? (int)wait : 1000);
        if (ready < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            struct client *c = events[i].data.ptr;
            if (c->fd >= 0)
                on_event(c, events[i].events);
        }
    }
}

// --- the command line

static void report(void) {
    for (size_t i = 0; i < ACTS; i++)
        printf("acts_%s %llu acts\n", act_names[i], (unsigned long long)counts.acts[i]);
    for (size_t i = 0; i < ROUTES; i++)
        printf("answers_%s %llu answers\n", route_names[i], (unsigned long long)counts.answers[i]);
    printf("echoed %.1f MiB\n", (double)counts.echoed / (1 << 20));
    printf("refusals %llu answers\n", (unsigned long long)counts.refusals);
    printf("connections %llu connections\n", (unsigned long long)counts.connections);
    printf("resets %llu connections\n", (unsigned long long)counts.resets);
    printf("cuts %llu connections\n", (unsigned long long)counts.cuts);
    printf("forgone %llu answers\n", (unsigned long long)counts.missing);
    printf("wrong %llu answers\n", (unsigned long long)counts.wrong);
}

static void usage(FILE *to) {
    fputs("usage: soak --port P [options]\n"
          "\n"
          "  --seconds S       how long (60)\n"
          "  --connections N   at most at once (200)\n"
          "  --pause MS        a client rests at most so long between acts (100)\n"
          "  --seed N          of all that is random (the clock)\n"
          "\n"
          "Prints `name value unit` lines, the seed first. Exits with 1 when an answer was wrong.\n",
          to);
}

static void parse_options(int argc, char **argv) {
    enum { PORT = 1, SECONDS, CONNECTIONS, PAUSE, SEED, HELP };
    static const struct option known[] = {{"port", required_argument, NULL, PORT},
                                          {"seconds", required_argument, NULL, SECONDS},
                                          {"connections", required_argument, NULL, CONNECTIONS},
                                          {"pause", required_argument, NULL, PAUSE},
                                          {"seed", required_argument, NULL, SEED},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    options.seed = now_ns() % 1000000007u;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case PORT: options.port = (int)parse_number("port", optarg, 1, 65535); break;
        case SECONDS: options.seconds = parse_number("seconds", optarg, 1, 1u << 24); break;
        case CONNECTIONS: options.connections = parse_number("connections", optarg, 1, 10000); break;
        case PAUSE: options.pause = parse_number("pause", optarg, 0, 10000); break;
        case SEED: options.seed = parse_number("seed", optarg, 0, UINT64_MAX); break;
        case HELP: usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    }
    if (options.port == 0 || optind != argc) {
        usage(stderr);
        exit(2);
    }
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    printf("seed %llu number\n", (unsigned long long)options.seed);
    fflush(stdout);

    clients = calloc(options.connections, sizeof *clients);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (clients == NULL || poller < 0)
        fail("start");
    uint64_t now = now_ns();
    end_time = now + options.seconds * 1000 * millisecond;
    soonest = UINT64_MAX;
    for (size_t i = 0; i < options.connections; i++) {
        struct client *c = &clients[i];
        c->fd = -1;
        c->random.state = random_mix(options.seed * 0x9e3779b97f4a7c15u + i);
        wake_at(c, now + random_below(&c->random, options.pause * millisecond + 1));
    }
    run();
    report();
    return counts.wrong > 0 ? 1 : 0;
}
