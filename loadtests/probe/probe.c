// probe --port P --seconds S [--bound MS] [--interval MS]: a normal client. Each interval (100 ms) it asks GET /json on a new connection and
// again on one that it keeps, and prints how long the answers took. A request is due at a time that does not depend on earlier answers, and
// its latency runs from then. Fails when one was not answered with 200, or not within the bound (100 ms). SIGTERM ends it early.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../client/answer.h"
#include "../client/loopback.h"

enum { NS_PER_MS = 1000 * 1000, PATIENCE_MS = 10 * 1000 };

struct series {
    const char *name;
    size_t count, failed, late;
    uint64_t *latencies;
};

static volatile sig_atomic_t stopped;
static const char request_text[] = "GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n";

static void stop(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

// False when SIGTERM has come.
static bool sleep_until(uint64_t due) {
    struct timespec when = { .tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000) };
    while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
    return !stopped;
}

// Waits for the events; false when they do not come, or something else does.
static bool await(int fd, short events) {
    struct pollfd p = { .fd = fd, .events = events };
    int n;
    do
        n = poll(&p, 1, PATIENCE_MS);
    while (n < 0 && errno == EINTR);
    return n == 1 && (p.revents & events);
}

static bool ask(int fd) {
    if (!await(fd, POLLOUT))
        return false;
    if (send(fd, request_text, sizeof request_text - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof request_text - 1))
        return false;
    struct answer answer;
    answer_start(&answer);
    while (answer.state != ANSWER_DONE && answer.state != ANSWER_BAD) {
        char buffer[4096];
        if (!await(fd, POLLIN))
            return false;
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0)
            return false;
        answer_read(&answer, buffer, (size_t)n, NULL, NULL);
    }
    return answer.state == ANSWER_DONE && answer.status == 200;
}

static void note(struct series *s, uint64_t due, bool answered, uint64_t bound) {
    uint64_t took = now_ns() - due;
    s->latencies[s->count++] = took;
    if (!answered)
        s->failed++;
    else if (took > bound)
        s->late++;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Returns whether all was well.
static bool report(struct series *s) {
    if (s->count == 0) {
        printf("%s: no request\n", s->name);
        return false;
    }
    qsort(s->latencies, s->count, sizeof *s->latencies, compare);
    printf("%s: requests %zu failed %zu late %zu p50 %.2f ms p99 %.2f ms max %.2f ms\n", s->name, s->count, s->failed, s->late,
        (double)s->latencies[s->count / 2] / NS_PER_MS, (double)s->latencies[s->count * 99 / 100] / NS_PER_MS,
        (double)s->latencies[s->count - 1] / NS_PER_MS);
    return s->failed == 0 && s->late == 0;
}

int main(int argc, char **argv) {
    uint64_t port = 0, seconds = 0, bound = 100, interval = 100;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t *value = !strcmp(argv[i], "--port") ? &port : !strcmp(argv[i], "--seconds") ? &seconds
            : !strcmp(argv[i], "--bound") ? &bound : !strcmp(argv[i], "--interval") ? &interval : NULL;
        if (value == NULL) {
            fprintf(stderr, "probe: %s is not understood\n", argv[i]);
            return 2;
        }
        *value = parse_number(argv[i], argv[i + 1], 1, 1000000);
    }
    if (port == 0 || seconds == 0 || argc % 2 == 0) {
        fprintf(stderr, "usage: probe --port P --seconds S [--bound MS] [--interval MS]\n");
        return 2;
    }
    signal(SIGTERM, stop);
    size_t most = seconds * 1000 / interval + 1;
    struct series fresh = { .name = "new", .latencies = calloc(most, sizeof(uint64_t)) };
    struct series kept = { .name = "kept", .latencies = calloc(most, sizeof(uint64_t)) };
    if (fresh.latencies == NULL || kept.latencies == NULL)
        return 2;
    int connection = loopback_open((int)port);
    uint64_t due = now_ns();
    for (size_t i = 0; i < most - 1 && sleep_until(due); i++) {
        int fd = loopback_open((int)port);
        bool answered = fd >= 0 && ask(fd);
        note(&fresh, due, answered, bound * NS_PER_MS);
        if (fd >= 0)
            close(fd);
        due += interval * NS_PER_MS / 2;
        if (!sleep_until(due))
            break;
        answered = connection >= 0 && ask(connection);
        note(&kept, due, answered, bound * NS_PER_MS);
        if (!answered && connection >= 0) {
            close(connection);
            connection = loopback_open((int)port);
        }
        due += interval * NS_PER_MS / 2;
    }
    bool well = report(&fresh);
    well = report(&kept) && well;
    free(fresh.latencies);
    free(kept.latencies);
    return well ? 0 : 1;
}
