// handshake: the opening of a WebSocket by a client (RFC 6455, section 4.1).

#ifndef WEBSOCKET_HANDSHAKE_H
#define WEBSOCKET_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

enum {
    KEY_LENGTH = 24,        // 16 octets in base64
    ACCEPT_LENGTH = 28,     // 20 octets in base64
};

// Makes a Sec-WebSocket-Key of 16 octets.
void handshake_key(char key[KEY_LENGTH + 1], const uint8_t octets[16]);

// The Sec-WebSocket-Accept that a server must answer a key with.
void handshake_accept(char accept[ACCEPT_LENGTH + 1], const char key[KEY_LENGTH + 1]);

// Reads the head of an answer, up to its empty line. Returns NULL when it opens the WebSocket of this key, else what is wrong with it.
// Writes into the head.
const char *handshake_check(char *head, const char key[KEY_LENGTH + 1]);

#endif
