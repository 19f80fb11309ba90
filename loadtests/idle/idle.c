// idle: what a keep-alive connection costs a server while nothing happens on it.
//
// Warms the server up over a few connections and closes them; reads the server's memory; opens many connections, with one
// request on each; leaves them idle and reads the memory again; then asks once more on every one, because a server that
// had dropped them would be the cheapest of all. One connection is busy at a time, so what is measured is idle connections
// and not the buffers of a burst.

#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../client/answer.h"
#include "../client/loopback.h"

static const char expected[] = "Hello, World!";
static const int answer_limit_ms = 10000;

static struct {
    int port;
    int pid;
    size_t connections;
    size_t warmup_connections;
    size_t warmup_requests;
    unsigned settle;    // seconds
} options = {.connections = 10000, .warmup_connections = 100, .warmup_requests = 5000, .settle = 5};

// In KiB.
struct memory {
    long resident, proportional, private;
};

static long field_of(const char *file, const char *name) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/%s", options.pid, file);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail(path);
    long value = -1;
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    fclose(f);
    if (value < 0) {
        fprintf(stderr, "idle: no %s in %s\n", name, path);
        exit(1);
    }
    return value;
}

static struct memory read_memory(void) {
    return (struct memory){.resident = field_of("status", "VmRSS:"),
                           .proportional = field_of("smaps_rollup", "Pss:"),
                           .private = field_of("smaps_rollup", "Private_Clean:")
                                      + field_of("smaps_rollup", "Private_Dirty:")};
}

static bool wait_for(int fd, short events) {
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int ready;
    do
        ready = poll(&poll_fd, 1, answer_limit_ms);
    while (ready < 0 && errno == EINTR);
    return ready == 1;
}

struct body {
    size_t length;
    bool wrong;
};

static void check_body(void *context, const char *data, size_t length) {
    struct body *body = context;
    if (body->length + length > sizeof expected - 1 || memcmp(expected + body->length, data, length) != 0)
        body->wrong = true;
    body->length += length;
}

// One request and its answer. Returns NULL, or what went wrong.
static const char *ask(int fd) {
    static char request[128];
    if (request[0] == '\0')
        snprintf(request, sizeof request, "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", options.port);
    if (!wait_for(fd, POLLOUT))
        return "did not connect in time";
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        return "could not be sent";

    static struct answer a;
    struct body body = {0};
    char data[4096];
    answer_start(&a);
    while (a.state != ANSWER_DONE) {
        if (!wait_for(fd, POLLIN))
            return "no answer in time";
        ssize_t n = recv(fd, data, sizeof data, 0);
        if (n <= 0)
            return "closed before the answer";
        if (answer_read(&a, data, (size_t)n, check_body, &body) < (size_t)n && a.state == ANSWER_DONE)
            return "more than one answer";
        if (a.state == ANSWER_BAD)
            return a.fault;
    }
    if (a.status != 200)
        return "wrong status";
    if (body.wrong || body.length != sizeof expected - 1)
        return "wrong body";
    return a.close ? "the server closes the connection" : NULL;
}

static int open_one(void) {
    int fd = loopback_open(options.port);
    if (fd < 0)
        fail("connect");
    return fd;
}

static void ask_or_fail(int fd, const char *when) {
    const char *fault = ask(fd);
    if (fault != NULL) {
        fprintf(stderr, "idle: %s: %s\n", when, fault);
        exit(1);
    }
}

static void warm_up(int *fds) {
    for (size_t i = 0; i < options.warmup_connections; i++)
        fds[i] = open_one();
    for (size_t i = 0; i < options.warmup_requests; i++)
        ask_or_fail(fds[i % options.warmup_connections], "warm-up");
    for (size_t i = 0; i < options.warmup_connections; i++)
        close(fds[i]);
}

static void report(const char *name, long before, long idle) {
    printf("%s_before %.1f MiB\n", name, (double)before / 1024);
    printf("%s_idle %.1f MiB\n", name, (double)idle / 1024);
    printf("%s_per_connection %.0f B\n", name, (double)(idle - before) * 1024 / (double)options.connections);
}

static void usage(FILE *to) {
    fputs("usage: idle --port P --pid PID [options]\n"
          "\n"
          "  --connections N          held open (10000)\n"
          "  --warmup-connections N   before that, closed again (100)\n"
          "  --warmup-requests N      over those (5000)\n"
          "  --settle S               seconds before memory is read (5)\n"
          "\n"
          "Prints the memory of process PID as `name value unit` lines: resident (VmRSS), proportional (Pss) and private\n"
          "(Private_Clean + Private_Dirty). Exits with 1 when an answer was wrong or missing.\n",
          to);
}

static void parse_options(int argc, char **argv) {
    enum { PORT = 1, PID, CONNECTIONS, WARMUP_CONNECTIONS, WARMUP_REQUESTS, SETTLE, HELP };
    static const struct option known[] = {{"port", required_argument, NULL, PORT},
                                          {"pid", required_argument, NULL, PID},
                                          {"connections", required_argument, NULL, CONNECTIONS},
                                          {"warmup-connections", required_argument, NULL, WARMUP_CONNECTIONS},
                                          {"warmup-requests", required_argument, NULL, WARMUP_REQUESTS},
                                          {"settle", required_argument, NULL, SETTLE},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case PORT: options.port = (int)parse_number("port", optarg, 1, 65535); break;
        case PID: options.pid = (int)parse_number("pid", optarg, 1, INT32_MAX); break;
        case CONNECTIONS: options.connections = parse_number("connections", optarg, 1, 60000); break;
        case WARMUP_CONNECTIONS:
            options.warmup_connections = parse_number("warmup-connections", optarg, 1, 60000);
            break;
        case WARMUP_REQUESTS:
            options.warmup_requests = parse_number("warmup-requests", optarg, 1, 100000000);
            break;
        case SETTLE: options.settle = (unsigned)parse_number("settle", optarg, 0, 3600); break;
        case HELP: usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    }
    if (options.port == 0 || options.pid == 0 || optind != argc) {
        usage(stderr);
        exit(2);
    }
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    size_t most = options.connections > options.warmup_connections ? options.connections : options.warmup_connections;
    int *fds = calloc(most, sizeof *fds);
    if (fds == NULL)
        fail("calloc");

    warm_up(fds);
    sleep(options.settle);
    struct memory before = read_memory();

    for (size_t i = 0; i < options.connections; i++) {
        fds[i] = open_one();
        ask_or_fail(fds[i], "first request on a connection");
    }
    sleep(options.settle);
    struct memory idle = read_memory();

    for (size_t i = 0; i < options.connections; i++)
        ask_or_fail(fds[i], "request after the idle time");

    printf("connections %zu connections\n", options.connections);
    report("resident", before.resident, idle.resident);
    report("proportional", before.proportional, idle.proportional);
    report("private", before.private, idle.private);
    printf("answered_after_idle %zu connections\n", options.connections);
}
