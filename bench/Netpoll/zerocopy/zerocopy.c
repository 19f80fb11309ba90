// What MSG_ZEROCOPY (Documentation/networking/msg_zerocopy.rst) saves, in CPU time per MiB, over a TCP connection.
//
//   zerocopy ADDRESS [NETNS]    the receiver listens on ADDRESS, in the network namespace NETNS (/run/netns/NETNS)
//
// Two processes: the sender fills no buffers, it sends the same ones again as soon as it may (with MSG_ZEROCOPY: when the kernel
// has said that it no longer needs them); the receiver copies what comes into one buffer, as any program would. Copying and not
// copying take turns, round by round, and the medians are printed: CPU time of the sender and of both, and how much of what was
// sent without a copy was copied by the kernel after all, which it says for each (SO_EE_CODE_ZEROCOPY_COPIED).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, ROUNDS = 7, IN_FLIGHT_MIB = 8, TOTAL_MIB = 512 };

static void require(bool condition, const char *what) {
    if (condition)
        return;
    perror(what);
    exit(1);
}

static double cpu(const struct rusage *usage) {
    return usage->ru_utime.tv_sec + usage->ru_stime.tv_sec + (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static double own_cpu(void) {
    struct rusage usage;
    require(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
    return cpu(&usage);
}

// ---- The receiver ----

static void receive_all(int listener) {
    static char buffer[MIB];
    int connection = accept(listener, NULL, NULL);
    require(connection >= 0, "accept");
    ssize_t n;
    while ((n = recv(connection, buffer, sizeof buffer, 0)) > 0) {
    }
    require(n == 0, "recv");
}

static int listen_in(const char *namespace, struct sockaddr_in *address) {
    int own = open("/proc/self/ns/net", O_RDONLY);
    if (namespace != NULL) {
        char path[256];
        snprintf(path, sizeof path, "/run/netns/%s", namespace);
        int other = open(path, O_RDONLY);
        require(other >= 0 && setns(other, CLONE_NEWNET) == 0, path);
        close(other);
    }
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *address;
    require(listener >= 0 && bind(listener, (struct sockaddr *)address, length) == 0 && listen(listener, 1) == 0, "listen");
    require(getsockname(listener, (struct sockaddr *)address, &length) == 0, "getsockname");
    require(setns(own, CLONE_NEWNET) == 0, "setns"); // the socket stays where it was made
    close(own);
    return listener;
}

// ---- The sender ----

struct result {
    double sender_cpu, both_cpu; // seconds
    long copied, completed;      // of the sends without a copy
};

// Takes what the kernel says of sends that have come to an end: each message is of a range of them.
static void reap(int connection, struct result *result, bool wait) {
    if (wait) {
        struct pollfd events = {.fd = connection}; // POLLERR is always asked for
        require(poll(&events, 1, 10000) == 1, "waiting for completions");
    }
    while (true) {
        char control[128];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(connection, &message, MSG_ERRQUEUE) < 0) {
            require(errno == EAGAIN, "recvmsg");
            return;
        }
        const struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        const struct sock_extended_err *range = (const void *)CMSG_DATA(part);
        require(range->ee_origin == SO_EE_ORIGIN_ZEROCOPY && range->ee_errno == 0, "completion");
        long count = (long)(range->ee_data - range->ee_info) + 1;
        result->completed += count;
        if (range->ee_code & SO_EE_CODE_ZEROCOPY_COPIED)
            result->copied += count;
    }
}

static struct result send_all(const char *namespace, struct sockaddr_in address, size_t size, bool zero_copy) {
    struct result result = {0};
    int listener = listen_in(namespace, &address);
    pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        receive_all(listener);
        _exit(0); // what is buffered for standard output is the parent's to print
    }
    close(listener);

    int connection = socket(AF_INET, SOCK_STREAM, 0);
    require(connection >= 0 && connect(connection, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    int on = 1;
    require(!zero_copy || setsockopt(connection, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0, "SO_ZEROCOPY");
    const size_t in_flight = IN_FLIGHT_MIB * MIB;
    char *buffers = mmap(NULL, in_flight, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(buffers != MAP_FAILED, "mmap");
    memset(buffers, 'x', in_flight);
    long places = (long)(in_flight / size), started = 0;

    double before = own_cpu();
    for (long sent = 0; sent < (long)TOTAL_MIB * MIB;) {
        char *piece = buffers + sent / (long)size % places * (long)size;
        for (size_t done = 0; done < size;) {
            ssize_t n = send(connection, piece + done, size - done, zero_copy ? MSG_ZEROCOPY : 0);
            if (n < 0 && errno == ENOBUFS && zero_copy) { // too many completions are outstanding (net.core.optmem_max)
                reap(connection, &result, true);
                continue;
            }
            require(n > 0, "send");
            done += (size_t)n;
            started++;
        }
        sent += (long)size;
        if (zero_copy)
            reap(connection, &result, false);
        while (zero_copy && started - result.completed >= places)
            reap(connection, &result, true);
    }
    while (zero_copy && result.completed < started)
        reap(connection, &result, true);
    result.sender_cpu = own_cpu() - before;

    close(connection);
    munmap(buffers, in_flight);
    struct rusage usage;
    int status;
    require(wait4(child, &status, 0, &usage) == child && status == 0, "receiver");
    result.both_cpu = result.sender_cpu + cpu(&usage);
    return result;
}

// ---- The table ----

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values) {
    qsort(values, ROUNDS, sizeof *values, by_size);
    return values[ROUNDS / 2];
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (argc < 2 || argc > 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s ADDRESS [NETNS]\n", argv[0]);
        return 2;
    }
    const char *namespace = argc == 3 ? argv[2] : NULL;
    printf("%-8s %28s %28s %8s\n", "", "sender, us of CPU per MiB", "both, us of CPU per MiB", "copied");
    printf("%-8s %9s %9s %8s %9s %9s %8s %8s\n", "piece", "copy", "zerocopy", "ratio", "copy", "zerocopy", "ratio", "after all");
    for (size_t size = 16 * 1024; size <= MIB; size *= 4) {
        double sender[2][ROUNDS], both[2][ROUNDS];
        long copied = 0, completed = 0;
        for (int round = 0; round < ROUNDS; round++) {
            for (int zero_copy = 0; zero_copy < 2; zero_copy++) {
                struct result result = send_all(namespace, address, size, zero_copy);
                sender[zero_copy][round] = result.sender_cpu * 1e6 / TOTAL_MIB;
                both[zero_copy][round] = result.both_cpu * 1e6 / TOTAL_MIB;
                copied += result.copied;
                completed += result.completed;
            }
        }
        double s0 = median(sender[0]), s1 = median(sender[1]), b0 = median(both[0]), b1 = median(both[1]);
        printf("%4zu KiB %9.0f %9.0f %7.2fx %9.0f %9.0f %7.2fx %7.0f%%\n",
            size / 1024, s0, s1, s1 / s0, b0, b1, b1 / b0, 100.0 * copied / completed);
        fflush(stdout);
    }
}
