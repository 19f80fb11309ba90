// floor: what a TCP echo costs when nothing stands between the program and the kernel.
//
// One thread, one epoll, edge-triggered, one buffer: what is read is written back at once, so nothing of it has to be kept. The
// exception is a write that the socket does not take whole: the rest is copied, and the connection is one of
//
//   reading   owed == NULL: waits for an edge of EPOLLIN (or EPOLLRDHUP, EPOLLHUP, EPOLLERR)
//   writing   owed != NULL: EPOLLOUT is asked for, and nothing is read meanwhile
//
// A connection is read from as soon as it is accepted, and registered with epoll only when it has to wait: one that brings its
// message along and is closed after the echo never is.
//
// A read that does not fill the buffer has emptied the socket, so the recv that would say EAGAIN is left out. What comes later
// makes a new edge, an end of stream too. Only when the event itself says EPOLLRDHUP is the end already there and read for,
// because no other edge will tell of it.

#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../../../loadtests/client/loopback.h"

enum { MAX_EVENTS = 256, BUFFER_SIZE = 64 * 1024, MAX_DESCRIPTORS = 1 << 20 };

enum task { ECHO, ONCE, ACCEPT };

struct connection {
    char *owed;         // BUFFER_SIZE bytes of which [from, to) are still to be sent; NULL when none are
    size_t from, to;
    bool watched;       // registered with epoll
};

static enum task task;
static int poller;
static int listener;
static struct connection *connections;  // by descriptor
static char buffer[BUFFER_SIZE];

enum outcome { GO_ON, WAIT, GONE };

static void watch(int fd, uint32_t events) {
    struct epoll_event event = {.events = events | EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    if (epoll_ctl(poller, connections[fd].watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl");
    connections[fd].watched = true;
}

static void owe(int fd, struct connection *c, const char *data, size_t length) {
    c->owed = malloc(BUFFER_SIZE);
    if (c->owed == NULL)
        fail("malloc");
    memcpy(c->owed, data, length);
    c->from = 0;
    c->to = length;
    watch(fd, EPOLLOUT);
}

static enum outcome send_owed(int fd, struct connection *c) {
    while (c->from < c->to) {
        ssize_t sent = send(fd, c->owed + c->from, c->to - c->from, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN ? WAIT : GONE;
        c->from += (size_t)sent;
    }
    free(c->owed);
    c->owed = NULL;
    watch(fd, 0);
    return GO_ON;
}

static enum outcome echo(int fd, struct connection *c, bool at_end) {
    if (c->owed != NULL) {
        enum outcome outcome = send_owed(fd, c);
        if (outcome != GO_ON)
            return outcome;
        if (task == ONCE)
            return GONE;
        at_end = true;  // edges of EPOLLIN and EPOLLRDHUP may have passed meanwhile
    }
    for (;;) {
        ssize_t n = recv(fd, buffer, BUFFER_SIZE, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN ? WAIT : GONE;
        ssize_t sent = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
        if (sent < n) {
            if (sent < 0 && errno != EAGAIN)
                return GONE;
            size_t taken = sent < 0 ? 0 : (size_t)sent;
            owe(fd, c, buffer + taken, (size_t)n - taken);
            return WAIT;
        }
        if (task == ONCE)
            return GONE;
        if (n < BUFFER_SIZE && !at_end)
            return WAIT;
    }
}

static void drop(int fd) {
    free(connections[fd].owed);
    connections[fd] = (struct connection){0};
    close(fd);
}

static void serve(int fd, bool at_end) {
    struct connection *c = &connections[fd];
    if (echo(fd, c, at_end) == GONE)
        drop(fd);
    else if (!c->watched)
        watch(fd, 0);
}

static void accept_all(void) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            fail("accept4");
        if (task == ACCEPT || fd >= MAX_DESCRIPTORS)
            close(fd);
        else
            serve(fd, false);
    }
}

static void run(void) {
    static struct epoll_event events[MAX_EVENTS];
    watch(listener, 0);
    for (;;) {
        int ready = epoll_wait(poller, events, MAX_EVENTS, -1);
        if (ready < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_all();
            else if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0)
                drop(fd);
            else
                serve(fd, (events[i].events & EPOLLRDHUP) != 0);
        }
    }
}

int main(int argc, char **argv) {
    static const struct option known[] = {{"once", no_argument, NULL, ONCE}, {"accept", no_argument, NULL, ACCEPT}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == '?')
            return 2;
        task = (enum task)option;
    }
    if (optind != argc - 1) {
        fputs("usage: floor PORT [--once | --accept]\n", stderr);
        return 2;
    }
    raise_descriptor_limit();
    connections = calloc(MAX_DESCRIPTORS, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || poller < 0)
        fail("start");
    listener = loopback_listen((int)parse_number("port", argv[optind], 1, 65535));
    run();
}
