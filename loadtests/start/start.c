// start: how long a server takes from the start of its process to its first answer, and the memory it has by then.
//
// Starts the command, tries to connect every 50 us, asks GET once, and stops the clock at the end of an answer with status 200. Then reads
// the process's memory and processor time, and ends it with SIGTERM. Prints a line for each start: microseconds, those on a processor (all
// threads; a machine on which others work makes these no more), private and resident KiB.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../client/answer.h"
#include "../client/loopback.h"

extern char **environ;

enum { NS_PER_US = 1000, NS_PER_MS = 1000 * 1000, PAUSE_US = 50, PATIENCE_MS = 20 * 1000, END_MS = 5 * 1000 };

static struct {
    int port;
    size_t starts;
    const char *path;
    char **command;
} options = {.starts = 20, .path = "/"};

// The server that runs, for whoever ends this.
static volatile sig_atomic_t server;

static void pause_us(long us) {
    struct timespec t = {.tv_nsec = us * NS_PER_US};
    nanosleep(&t, NULL);
}

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "start: %s: %s\n", options.command[0], what);
    if (server > 0)
        kill(server, SIGKILL);
    exit(1);
}

static void interrupted(int signal_number) {
    if (server > 0)
        kill(server, SIGKILL);
    _exit(128 + signal_number);
}

static bool wait_for(int fd, short events) {
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int ready;
    do
        ready = poll(&poll_fd, 1, PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    return ready == 1;
}

// A connection, or -1 while nobody listens.
static int try_connect(void) {
    int fd = loopback_open(options.port);
    if (fd < 0 && errno == ECONNREFUSED)
        return -1;
    if (fd < 0)
        give_up(strerror(errno));
    int error = 0;
    socklen_t length = sizeof error;
    if (!wait_for(fd, POLLOUT))
        give_up("does not take the connection");
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0)
        return fd;
    close(fd);
    if (error != ECONNREFUSED)
        give_up(strerror(error));
    return -1;
}

static void ask(int fd) {
    char request[256];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", options.path, options.port);
    if (length >= (int)sizeof request || send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        give_up("the request could not be sent");
    struct answer a;
    answer_start(&a);
    while (a.state != ANSWER_DONE) {
        char data[4096];
        if (!wait_for(fd, POLLIN))
            give_up("no answer in time");
        ssize_t n = recv(fd, data, sizeof data, 0);
        if (n <= 0)
            give_up("closed before the answer");
        answer_read(&a, data, (size_t)n, NULL, NULL);
        if (a.state == ANSWER_BAD)
            give_up(a.fault);
    }
    if (a.status != 200)
        give_up("the answer is not 200");
}

static pid_t spawn(void) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    int error = posix_spawnp(&pid, options.command[0], &actions, NULL, options.command, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        give_up(strerror(error));
    return pid;
}

// KiB of /proc/PID/smaps_rollup.
static void read_memory(long *private, long *resident) {
    char path[64], line[256], *colon;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)server);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail(path);
    *private = *resident = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        if ((colon = strchr(line, ':')) == NULL)
            continue;
        if (strncmp(line, "Private_", 8) == 0 && strncmp(line, "Private_Hugetlb", 15) != 0)
            *private += strtol(colon + 1, NULL, 10);
        else if (strncmp(line, "Rss:", 4) == 0)
            *resident = strtol(colon + 1, NULL, 10);
    }
    fclose(f);
}

// Nanoseconds that the threads have been on a processor, of /proc/PID/task/TID/schedstat.
static uint64_t read_processor_time(void) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", (int)server);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        fail(path);
    uint64_t sum = 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)server, task->d_name);
        FILE *f = fopen(path, "r");
        unsigned long long ns;
        if (f == NULL || fscanf(f, "%llu", &ns) != 1)
            fail(path);
        fclose(f);
        sum += ns;
    }
    closedir(tasks);
    return sum;
}

static void end_server(void) {
    kill(server, SIGTERM);
    for (int ms = 0; ms < END_MS; ms++) {
        if (waitpid(server, NULL, WNOHANG) == server) {
            server = 0;
            return;
        }
        pause_us(1000);
    }
    give_up("does not end on SIGTERM");
}

static void start_once(void) {
    int fd = try_connect();
    if (fd >= 0)
        give_up("somebody else listens on the port");
    uint64_t from = now_ns();
    server = spawn();
    while ((fd = try_connect()) < 0) {
        if (waitpid(server, NULL, WNOHANG) == server) {
            server = 0;
            give_up("ended without having listened");
        }
        if (now_ns() - from > (uint64_t)PATIENCE_MS * NS_PER_MS)
            give_up("does not listen");
        pause_us(PAUSE_US);
    }
    ask(fd);
    uint64_t took = now_ns() - from;
    uint64_t on_processor = read_processor_time();
    long private, resident;
    read_memory(&private, &resident);
    close(fd);
    end_server();
    printf("%llu %llu %ld %ld\n", (unsigned long long)(took / NS_PER_US), (unsigned long long)(on_processor / NS_PER_US), private, resident);
    fflush(stdout);
}

static void usage(FILE *to) {
    fputs("usage: start --port P [--starts N] [--path /PATH] COMMAND...\n"
          "  --starts N     (20)\n"
          "  --path PATH    (/)\n"
          "COMMAND listens on 127.0.0.1:P.\n",
          to);
}

int main(int argc, char **argv) {
    static const struct option known[] = {{"port", required_argument, NULL, 'p'},
                                          {"starts", required_argument, NULL, 'n'},
                                          {"path", required_argument, NULL, 'u'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int option;
    while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1)
        switch (option) {
        case 'p':
            options.port = (int)parse_number("port", optarg, 1, 65535);
            break;
        case 'n':
            options.starts = parse_number("starts", optarg, 1, 10000);
            break;
        case 'u':
            options.path = optarg;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    if (options.port == 0 || optind == argc) {
        usage(stderr);
        return 2;
    }
    options.command = argv + optind;
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);
    for (size_t i = 0; i < options.starts; i++)
        start_once();
    return 0;
}
