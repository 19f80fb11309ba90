#include "channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../client/loopback.h"

#if __has_include(<openssl/ssl.h>)

#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL_CTX *context;

bool channel_use_tls(void) {
    context = SSL_CTX_new(TLS_client_method());
    return context != NULL;
}

bool channel_has_tls(void) {
    return context != NULL;
}

static bool begin_tls(struct channel *channel) {
    SSL *tls = SSL_new(context);
    channel->tls = tls;
    if (tls == NULL || SSL_set_fd(tls, channel->fd) != 1)
        return false;
    SSL_set_connect_state(tls);
    return true;
}

// What an operation of OpenSSL that gave `result` would have given as one of the socket.
static ssize_t outcome(SSL *tls, int result) {
    if (result > 0)
        return result;
    switch (SSL_get_error(tls, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL: return errno == 0 ? 0 : -1;
    default: ERR_print_errors_fp(stderr); errno = EPROTO; return -1;
    }
}

static int shake_tls(SSL *tls) {
    ERR_clear_error();
    errno = 0;
    ssize_t result = outcome(tls, SSL_do_handshake(tls));
    return result > 0 ? 1 : result < 0 && errno == EAGAIN ? 0 : -1;
}

static ssize_t send_tls(SSL *tls, const void *data, size_t length) {
    ERR_clear_error();
    errno = 0;
    return outcome(tls, SSL_write(tls, data, (int)length));
}

static ssize_t receive_tls(SSL *tls, void *data, size_t length) {
    ERR_clear_error();
    errno = 0;
    return outcome(tls, SSL_read(tls, data, (int)length));
}

static void end_tls(SSL *tls) {
    SSL_free(tls);
}

#else

typedef void SSL;

bool channel_use_tls(void) {
    return false;
}

bool channel_has_tls(void) {
    return false;
}

static bool begin_tls(struct channel *channel) {
    (void)channel;
    return false;
}

static int shake_tls(SSL *tls) {
    (void)tls;
    return -1;
}

static ssize_t send_tls(SSL *tls, const void *data, size_t length) {
    (void)tls, (void)data, (void)length;
    return -1;
}

static ssize_t receive_tls(SSL *tls, void *data, size_t length) {
    (void)tls, (void)data, (void)length;
    return -1;
}

static void end_tls(SSL *tls) {
    (void)tls;
}

#endif

int channel_open(struct channel *channel, int port) {
    channel->tls = NULL;
    channel->fd = loopback_open(port);
    if (channel->fd < 0)
        return -1;
    if (channel_has_tls() && !begin_tls(channel)) {
        channel_close(channel);
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

int channel_shake(struct channel *channel) {
    return channel->tls == NULL ? 1 : shake_tls(channel->tls);
}

ssize_t channel_send(struct channel *channel, const void *data, size_t length) {
    return channel->tls == NULL ? send(channel->fd, data, length, MSG_NOSIGNAL) : send_tls(channel->tls, data, length);
}

ssize_t channel_receive(struct channel *channel, void *data, size_t length) {
    return channel->tls == NULL ? recv(channel->fd, data, length, 0) : receive_tls(channel->tls, data, length);
}

void channel_close(struct channel *channel) {
    if (channel->tls != NULL)
        end_tls(channel->tls);
    channel->tls = NULL;
    close(channel->fd);
}
