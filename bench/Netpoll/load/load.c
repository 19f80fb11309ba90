// load: keeps one message outstanding on each connection to an echo server, or one connection under way in each place, for a
// fixed time, and says how many there were and what processor time the server took for them.
//
// A message is a stretch of a table of random bytes that begins somewhere else for each message, so that what comes back is
// compared where it was sent from, and one connection's bytes are not another's. No more is read than compared: a recv asks for
// one byte more than is due, so that a byte too many is seen.
//
// With --reconnect the server closes each connection, after one echo or, with --size 0, at once; the place is then free for the
// next one. Since the server closes first, the client's port never enters TIME_WAIT: the ephemeral ports do not run out.
//
// One thread, one epoll, edge-triggered. A connection is
//
//   sending    sent < size: waits for EPOLLOUT, after connect as well as in the middle of a message; echoes come in meanwhile
//   receiving  sent == size, received < size: waits for EPOLLIN
//   ending     received == size, with --reconnect: waits for the end of the stream
//   free       after the last message
//
// The server's processor time is that of its CPU-time clock: user and system, all threads, as in /proc/PID/stat, but in ns.

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
#include <time.h>
#include <unistd.h>

#include "../../../loadtests/client/loopback.h"

enum { MAX_EVENTS = 256, MAX_CONNECTIONS = 15000, MAX_SIZE = 64 * 1024, TABLE_STARTS = 64 * 1024 };

static const uint64_t second = 1000000000u;
static const uint64_t drain_time = 10 * (uint64_t)1000000000;  // for echoes still out when the time is over

struct connection {
    int fd;
    const char *message;
    size_t sent, received;
    bool free;
};

static struct {
    int port;
    int pid;
    size_t connections;
    size_t size;
    uint64_t warmup, seconds;
    bool reconnect;
} options = {.connections = 1, .size = 64, .warmup = 4, .seconds = 2};

static char table[TABLE_STARTS + MAX_SIZE];
static struct connection *connections;
static int poller;
static uint64_t started, finished;  // messages, or connections with --reconnect
static bool stopping;

static _Noreturn void wrong(const char *what) {
    fprintf(stderr, "load: %s, after %llu of %zu bytes each\n", what, (unsigned long long)finished, options.size);
    exit(1);
}

static void fill_table(void) {
    uint64_t x = 88172645463325252u;  // Marsaglia's xorshift
    for (size_t i = 0; i < sizeof table; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        table[i] = (char)(x >> 32);
    }
}

static uint64_t server_cpu_ns(void) {
    clockid_t clock;
    struct timespec t;
    errno = clock_getcpuclockid(options.pid, &clock);
    if (errno != 0 || clock_gettime(clock, &t) < 0)
        fail("the server's CPU-time clock");
    return (uint64_t)t.tv_sec * second + (uint64_t)t.tv_nsec;
}

static void send_rest(struct connection *c) {
    while (c->sent < options.size) {
        ssize_t n = send(c->fd, c->message + c->sent, options.size - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            wrong("a message could not be sent");
        c->sent += (size_t)n;
    }
}

// Begins a message, on a new connection with --reconnect. A connect on loopback has most often succeeded when it returns.
static void begin(struct connection *c) {
    c->message = table + started++ * 40503u % TABLE_STARTS;  // odd, so all starts have their turn
    c->sent = c->received = 0;
    if (c->fd < 0) {
        c->fd = loopback_open(options.port);
        if (c->fd < 0)
            fail("connect");
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0)
            fail("epoll_ctl");
    }
    send_rest(c);
}

static void finish(struct connection *c) {
    finished++;
    if (options.reconnect) {
        close(c->fd);
        c->fd = -1;
    }
    if (stopping)
        c->free = true;
    else
        begin(c);
}

static void receive(struct connection *c, bool at_end) {
    static char data[MAX_SIZE + 1];
    while (c->received < options.size) {
        ssize_t n = recv(c->fd, data, options.size - c->received + 1, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            wrong(n == 0 ? "the server closed before the echo" : "the server reset a connection");
        if (c->received + (size_t)n > c->sent)
            wrong("more came back than was sent");
        if (memcmp(data, c->message + c->received, (size_t)n) != 0)
            wrong("something else came back than was sent");
        c->received += (size_t)n;
    }
    if (!options.reconnect) {
        finish(c);
    } else if (at_end) {
        if (recv(c->fd, data, 1, 0) != 0)
            wrong("more came back than was sent");
        finish(c);
    }
}

static void on_event(struct connection *c, uint32_t events) {
    if ((events & EPOLLERR) != 0)
        wrong("a connection failed");
    if (c->free && (events & EPOLLIN) != 0)
        wrong("something came on a connection that waits for nothing");
    if (c->free)
        return;
    send_rest(c);
    if ((events & (EPOLLIN | EPOLLRDHUP)) != 0)
        receive(c, (events & EPOLLRDHUP) != 0);
}

static void wait_for_events(void) {
    static struct epoll_event events[MAX_EVENTS];
    int ready = epoll_wait(poller, events, MAX_EVENTS, 100);
    if (ready < 0 && errno != EINTR)
        fail("epoll_wait");
    for (int i = 0; i < ready; i++)
        on_event(events[i].data.ptr, events[i].events);
}

// Returns when it is over.
static uint64_t run_until(uint64_t end) {
    uint64_t now;
    while ((now = now_ns()) < end)
        wait_for_events();
    return now;
}

static void run(void) {
    for (size_t i = 0; i < options.connections; i++) {
        connections[i].fd = -1;
        begin(&connections[i]);
    }
    uint64_t from = run_until(now_ns() + options.warmup * second);
    uint64_t cpu = server_cpu_ns(), count = finished;
    uint64_t to = run_until(from + options.seconds * second);
    cpu = server_cpu_ns() - cpu;
    count = finished - count;

    stopping = true;
    for (uint64_t limit = to + drain_time; finished < started && now_ns() < limit;)
        wait_for_events();
    if (finished < started)
        wrong("some never came back");
    if (count == 0)
        wrong("none came back in time");

    printf("count %llu %s\n", (unsigned long long)count, options.reconnect ? "connections" : "messages");
    printf("seconds %.6f s\n", (double)(to - from) / (double)second);
    printf("server_cpu %.6f s\n", (double)cpu / (double)second);
}

static void usage(FILE *to) {
    fputs("usage: load --port P --pid PID [options]\n"
          "\n"
          "  --connections N   (1)\n"
          "  --size N          bytes in a message (64)\n"
          "  --reconnect       a connection for each message; the server closes it. With --size 0 it does so at once\n"
          "  --warmup S        seconds before counting (4)\n"
          "  --seconds S       of counting (2)\n"
          "\n"
          "Prints `name value unit` lines. Exits with 1 when an echo was wrong or missing.\n",
          to);
}

static void parse_options(int argc, char **argv) {
    enum { PORT = 1, PID, CONNECTIONS, SIZE, RECONNECT, WARMUP, SECONDS, HELP };
    static const struct option known[] = {{"port", required_argument, NULL, PORT},
                                          {"pid", required_argument, NULL, PID},
                                          {"connections", required_argument, NULL, CONNECTIONS},
                                          {"size", required_argument, NULL, SIZE},
                                          {"reconnect", no_argument, NULL, RECONNECT},
                                          {"warmup", required_argument, NULL, WARMUP},
                                          {"seconds", required_argument, NULL, SECONDS},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case PORT: options.port = (int)parse_number("port", optarg, 1, 65535); break;
        case PID: options.pid = (int)parse_number("pid", optarg, 1, INT32_MAX); break;
        case CONNECTIONS: options.connections = parse_number("connections", optarg, 1, MAX_CONNECTIONS); break;
        case SIZE: options.size = parse_number("size", optarg, 0, MAX_SIZE); break;
        case RECONNECT: options.reconnect = true; break;
        case WARMUP: options.warmup = parse_number("warmup", optarg, 0, 3600); break;
        case SECONDS: options.seconds = parse_number("seconds", optarg, 1, 3600); break;
        case HELP: usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    }
    if (options.port == 0 || options.pid == 0 || optind != argc || (options.size == 0 && !options.reconnect)) {
        usage(stderr);
        exit(2);
    }
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    fill_table();
    connections = calloc(options.connections, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || poller < 0)
        fail("start");
    run();
}
