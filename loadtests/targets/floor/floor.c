// floor: what a request costs when a server does nothing with it.
//
// One thread, one epoll, edge-triggered. A request is never looked at, except that the blank lines that end requests are
// counted, so that pipelined requests get as many answers, and that a request long enough to carry more than a Host
// field is searched for "Connection: close". The answer is the same bytes each time. Whatever another server costs above
// this, on the same machine under the same load, is its own doing.
//
// A connection is one of
//   reading   remaining == 0: waits for an edge of EPOLLIN (or EPOLLRDHUP, EPOLLHUP, EPOLLERR)
//   writing   remaining > 0 or closing: the socket's buffer is full, EPOLLOUT is asked for and nothing is read meanwhile
// A read that does not fill the buffer has emptied the socket, so the recv that would say EAGAIN is left out. What comes
// later makes a new edge, an end of stream too. Only when the event itself says EPOLLRDHUP is the end already there and
// read for, because no other edge will tell of it.
//
// What it does not do: request bodies, any path, a "Connection: close" that is split over two reads or that ends a burst
// of short requests.

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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../client/loopback.h"

enum {
    MAX_EVENTS = 256,
    RECEIVE_SIZE = 16 * 1024,
    BLOCK_ANSWERS = 1024,   // answers that one send can carry
    CARRY = 3,              // bytes of "\r\n\r\n" that an earlier read can have ended with
    PLAIN_REQUEST = 60,     // a request with no field but Host is shorter
};

struct connection {
    size_t remaining;           // bytes of ordinary answers still to be sent
    size_t closing_remaining;   // bytes of the last answer still to be sent
    bool closing;               // the last answer says Connection: close
    bool wants_out;             // EPOLLOUT is registered
    uint8_t matched;            // bytes of "\r\n\r\n" at the end of what was read
};

static const char end_of_request[] = "\r\n\r\n";
static const char connection_close[] = "Connection: close";

static int poller;
static int listener;
static struct connection *connections;  // by descriptor
static size_t connection_limit;

static char *block;             // the answer, BLOCK_ANSWERS times
static size_t answer_length;
static char closing_answer[512];
static size_t closing_length;

static char received[CARRY + RECEIVE_SIZE];

static void make_answers(bool json) {
    const char *type = json ? "application/json" : "text/plain";
    const char *body = json ? "{\"message\":\"Hello, World!\"}" : "Hello, World!";
    char date[64];
    time_t now = time(NULL);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));

    char answer[512];
    static const char format[] =
        "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: %s\r\n%sContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s";
    answer_length = (size_t)snprintf(answer, sizeof answer, format, date, "", type, strlen(body), body);
    closing_length = (size_t)snprintf(closing_answer, sizeof closing_answer, format, date, "Connection: close\r\n", type,
                                      strlen(body), body);

    block = malloc(answer_length * BLOCK_ANSWERS);
    if (block == NULL)
        fail("malloc");
    for (size_t i = 0; i < BLOCK_ANSWERS; i++)
        memcpy(block + i * answer_length, answer, answer_length);
}

static void accept_all(void) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN)
                return;
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            fail("accept4");
        }
        if ((size_t)fd >= connection_limit) {
            close(fd);
            continue;
        }
        connections[fd] = (struct connection){0};
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
            fail("epoll_ctl");
    }
}

// The number of requests that end in [data, data + length). An octet above '\r' cannot be part of the end of a request,
// so three of four octets are never looked at. `after` is where the last one found ended.
static size_t count_requests(const char *data, size_t length, size_t *after) {
    size_t count = 0;
    size_t i = 3;
    *after = 0;
    while (i < length) {
        if ((unsigned char)data[i] > '\r') {
            i += 4;
        } else if (data[i] == '\n' && memcmp(data + i - 3, end_of_request, 4) == 0) {
            count++;
            *after = i + 1;
            i += 4;
        } else {
            i++;
        }
    }
    return count;
}

static uint8_t matched_at_end(const char *data, size_t length) {
    for (size_t n = length < CARRY ? length : CARRY; n > 0; n--)
        if (memcmp(data + length - n, end_of_request, n) == 0)
            return (uint8_t)n;
    return 0;
}

enum outcome { GO_ON, WAIT, GONE };

// Sends what is owed. GO_ON: all is sent. WAIT: the socket takes no more now.
static enum outcome send_owed(int fd, struct connection *c) {
    while (c->remaining > 0) {
        size_t offset = (answer_length - c->remaining % answer_length) % answer_length;
        size_t room = answer_length * BLOCK_ANSWERS - offset;
        size_t size = c->remaining < room ? c->remaining : room;
        ssize_t sent = send(fd, block + offset, size, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN ? WAIT : GONE;
        c->remaining -= (size_t)sent;
    }
    while (c->closing_remaining > 0) {
        ssize_t sent = send(fd, closing_answer + closing_length - c->closing_remaining, c->closing_remaining, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN ? WAIT : GONE;
        c->closing_remaining -= (size_t)sent;
    }
    return c->closing ? GONE : GO_ON;
}

static void want_out(int fd, struct connection *c, bool wanted) {
    if (c->wants_out == wanted)
        return;
    c->wants_out = wanted;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (wanted ? EPOLLOUT : 0u), .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event) < 0)
        fail("epoll_ctl");
}

static enum outcome serve(int fd, struct connection *c, bool at_end) {
    if (c->remaining > 0 || c->closing) {
        enum outcome outcome = send_owed(fd, c);
        if (outcome != GO_ON)
            return outcome;
        want_out(fd, c, false);
        at_end = true;  // edges of EPOLLIN and EPOLLRDHUP may have passed meanwhile
    }
    for (;;) {
        char *data = received + CARRY;
        ssize_t n = recv(fd, data, RECEIVE_SIZE, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN ? WAIT : GONE;
        bool filled = n == RECEIVE_SIZE;
        size_t length = (size_t)n;
        if (c->matched > 0) {
            data -= c->matched;
            length += c->matched;
            memcpy(data, end_of_request, c->matched);
        }

        size_t after;
        size_t count = count_requests(data, length, &after);
        c->matched = after == length ? 0 : matched_at_end(data + after, length - after);
        if (count > 0) {
            if (length >= PLAIN_REQUEST * count
                && memmem(data, length, connection_close, sizeof connection_close - 1) != NULL) {
                c->closing = true;
                c->closing_remaining = closing_length;
                count--;
            }
            c->remaining = count * answer_length;
            enum outcome outcome = send_owed(fd, c);
            if (outcome == WAIT)
                want_out(fd, c, true);
            if (outcome != GO_ON)
                return outcome;
        }
        if (!filled && !at_end)
            return WAIT;
    }
}

static void run(void) {
    static struct epoll_event events[MAX_EVENTS];
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = listener};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0)
        fail("epoll_ctl");
    for (;;) {
        int ready = epoll_wait(poller, events, MAX_EVENTS, -1);
        if (ready < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_all();
            else if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0
                     || serve(fd, &connections[fd], (events[i].events & EPOLLRDHUP) != 0) == GONE)
                close(fd);
        }
    }
}

static void usage(FILE *to) {
    fputs("usage: floor PORT [--json]\n"
          "\n"
          "Answers every request on 127.0.0.1:PORT with the same bytes, without parsing it: the answer to GET /plaintext,\n"
          "or with --json the one to GET /json. The least that a request can cost over epoll.\n",
          to);
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'j': json = true; break;
        case 'h': usage(stdout); return 0;
        default: usage(stderr); return 2;
        }
    }
    char *rest = NULL;
    long port = optind == argc - 1 ? strtol(argv[optind], &rest, 10) : 0;
    if (port < 1 || port > 65535 || *rest != '\0') {
        usage(stderr);
        return 2;
    }

    raise_descriptor_limit();
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail("getrlimit");
    connection_limit = limit.rlim_cur < 1 << 20 ? (size_t)limit.rlim_cur : 1 << 20;
    connections = calloc(connection_limit, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || poller < 0)
        fail("start");

    signal(SIGPIPE, SIG_IGN);
    make_answers(json);
    listener = loopback_listen((int)port);
    run();
}
