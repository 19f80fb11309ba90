// loopback: the clock and the sockets of a load client, and of a floor.

#ifndef CLIENT_LOOPBACK_H
#define CLIENT_LOOPBACK_H

#include <stdint.h>

// CLOCK_MONOTONIC in ns.
uint64_t now_ns(void);

// Begins to connect to 127.0.0.1:port without blocking, TCP_NODELAY set. EPOLLOUT, or EPOLLERR, tells how it went.
// Returns the descriptor, or -1 with errno.
int loopback_open(int port);

// A non-blocking socket that listens on 127.0.0.1:port, or the end of the process. What is accepted inherits TCP_NODELAY, so that
// no connection pays a system call for it.
int loopback_listen(int port);

// Closes with RST in place of FIN.
void loopback_reset(int fd);

// Raises the soft limit of descriptors to the hard one.
void raise_descriptor_limit(void);

// Reads a whole number from text, or ends the process with a message that names the option.
uint64_t parse_number(const char *option, const char *text, uint64_t least, uint64_t most);

// The same for a decimal one.
double parse_decimal(const char *option, const char *text, double least, double most);

// Prints the message and errno's, and ends the process with status 1.
_Noreturn void fail(const char *what);

#endif
