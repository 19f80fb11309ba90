#define _GNU_SOURCE
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int open_socket(void) {
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static struct sockaddr_in loopback_address(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int loopback_open(int port) {
    int fd = open_socket();
    if (fd < 0)
        return -1;
    int on = 1;
    struct sockaddr_in address = loopback_address(port);
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0
        || (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int loopback_listen(int port) {
    int on = 1;
    struct sockaddr_in address = loopback_address(port);
    int fd = open_socket();
    if (fd < 0)
        fail("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        fail("SO_REUSEADDR");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        fail("TCP_NODELAY");
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("bind");
    if (listen(fd, 4096) < 0)
        fail("listen");
    return fd;
}

void loopback_reset(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
}

void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail("setrlimit");
}

uint64_t parse_number(const char *option, const char *text, uint64_t least, uint64_t most) {
    char *rest;
    errno = 0;
    unsigned long long number = strtoull(text, &rest, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *rest != '\0' || number < least || number > most) {
        fprintf(stderr, "--%s must be %llu to %llu, not '%s'\n", option, (unsigned long long)least,
                (unsigned long long)most, text);
        exit(2);
    }
    return number;
}

double parse_decimal(const char *option, const char *text, double least, double most) {
    char *rest;
    double number = strtod(text, &rest);
    if (rest == text || *rest != '\0' || !(number >= least && number <= most)) {
        fprintf(stderr, "--%s must be %g to %g, not '%s'\n", option, least, most, text);
        exit(2);
    }
    return number;
}

void fail(const char *what) {
    perror(what);
    exit(1);
}
