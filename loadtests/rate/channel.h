// channel: a connection to the loopback interface, plain or with TLS. Non-blocking: what would block fails with EAGAIN.

#ifndef RATE_CHANNEL_H
#define RATE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct channel {
    int fd;
    void *tls;              // NULL for a plain one
};

// From now on channels have TLS; OPENSSL_CONF says what they offer, and the server's certificate is not looked at. False where this was built without
// OpenSSL.
bool channel_use_tls(void);

// Whether they do. What one receive leaves may then be neither in the socket nor announced: it has to be received until EAGAIN.
bool channel_has_tls(void);

// Begins to connect; -1 with errno.
int channel_open(struct channel *channel, int port);

// Goes on with the TLS handshake of one that is connected: 1 when it is done, 0 when it has to wait for more, -1 when it failed.
int channel_shake(struct channel *channel);

// As send(2) and recv(2).
ssize_t channel_send(struct channel *channel, const void *data, size_t length);
ssize_t channel_receive(struct channel *channel, void *data, size_t length);

void channel_close(struct channel *channel);

#endif
