#define _GNU_SOURCE
#include "handshake.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static void base64(char *text, const uint8_t *octets, size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)octets[i] << 16 | (left > 1 ? (uint32_t)octets[i + 1] << 8 : 0) | (left > 2 ? octets[i + 2] : 0);
        *text++ = digits[group >> 18];
        *text++ = digits[group >> 12 & 63];
        *text++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *text++ = left > 2 ? digits[group & 63] : '=';
    }
    *text = '\0';
}

static uint32_t rotate(uint32_t x, int by) {
    return x << by | x >> (32 - by);
}

// SHA-1 (FIPS 180-4) of a message that fits into two blocks, which is all that a key needs.
static void sha1(uint8_t digest[20], const void *message, size_t length) {
    uint8_t blocks[128] = {0};
    size_t count = length + 9 > 64 ? 2 : 1;
    memcpy(blocks, message, length);
    blocks[length] = 0x80;
    for (size_t i = 0; i < 8; i++)
        blocks[count * 64 - 1 - i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));

    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for (size_t block = 0; block < count; block++) {
        uint32_t w[80], v[5];
        for (int t = 0; t < 16; t++) {
            const uint8_t *word = blocks + block * 64 + t * 4;
            w[t] = (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
        }
        for (int t = 16; t < 80; t++)
            w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
        memcpy(v, state, sizeof v);
        for (int t = 0; t < 80; t++) {
            uint32_t f, k;
            if (t < 20) {
                f = (v[1] & v[2]) | (~v[1] & v[3]);
                k = 0x5a827999;
            } else if (t < 40 || t >= 60) {
                f = v[1] ^ v[2] ^ v[3];
                k = t < 40 ? 0x6ed9eba1 : 0xca62c1d6;
            } else {
                f = (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3]);
                k = 0x8f1bbcdc;
            }
            uint32_t next = rotate(v[0], 5) + f + v[4] + k + w[t];
            v[4] = v[3];
            v[3] = v[2];
            v[2] = rotate(v[1], 30);
            v[1] = v[0];
            v[0] = next;
        }
        for (int i = 0; i < 5; i++)
            state[i] += v[i];
    }
    for (int i = 0; i < 20; i++)
        digest[i] = (uint8_t)(state[i / 4] >> (24 - i % 4 * 8));
}

void handshake_key(char key[KEY_LENGTH + 1], const uint8_t octets[16]) {
    base64(key, octets, 16);
}

void handshake_accept(char accept[ACCEPT_LENGTH + 1], const char key[KEY_LENGTH + 1]) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char message[KEY_LENGTH + sizeof guid];
    uint8_t digest[20];
    memcpy(message, key, KEY_LENGTH);
    memcpy(message + KEY_LENGTH, guid, sizeof guid);
    sha1(digest, message, KEY_LENGTH + sizeof guid - 1);
    base64(accept, digest, sizeof digest);
}

// Whether a list of tokens has this one.
static bool has_token(char *list, const char *token) {
    char *rest = list;
    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        item += strspn(item, " \t");
        item[strcspn(item, " \t")] = '\0';
        if (strcasecmp(item, token) == 0)
            return true;
    }
    return false;
}

const char *handshake_check(char *head, const char key[KEY_LENGTH + 1]) {
    char accept[ACCEPT_LENGTH + 1];
    handshake_accept(accept, key);
    if (strncmp(head, "HTTP/1.1 101 ", 13) != 0)
        return "the status is not 101";

    bool upgrade = false, connection = false, accepted = false;
    char *rest = strstr(head, "\r\n") + 2;
    for (char *line; (line = strsep(&rest, "\r")) != NULL && *line != '\0'; rest += rest != NULL) {
        char *value = strchr(line, ':');
        if (value == NULL)
            return "a field line without a colon";
        *value++ = '\0';
        value += strspn(value, " \t");
        if (strcasecmp(line, "Upgrade") == 0)
            upgrade |= has_token(value, "websocket");
        else if (strcasecmp(line, "Connection") == 0)
            connection |= has_token(value, "upgrade");
        else if (strcasecmp(line, "Sec-WebSocket-Accept") == 0)
            accepted = strcmp(value, accept) == 0;
        else if (strcasecmp(line, "Sec-WebSocket-Extensions") == 0 || strcasecmp(line, "Sec-WebSocket-Protocol") == 0)
            return "an extension or a protocol that nothing asked for";
    }
    if (!upgrade || !connection)
        return "no Upgrade: websocket, or no Connection: Upgrade";
    return accepted ? NULL : "the Sec-WebSocket-Accept is missing or wrong";
}
