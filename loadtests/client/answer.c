#include "answer.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void answer_start(struct answer *a) {
    a->state = ANSWER_STATUS;
    a->status = 0;
    a->interim = 0;
    a->chunked = a->has_length = a->close = false;
    a->has_server = a->has_date = a->has_type = false;
    a->left = a->body = 0;
    a->fault = NULL;
    a->line_length = 0;
}

bool answer_begun(const struct answer *a) {
    return a->state != ANSWER_STATUS || a->line_length > 0 || a->interim > 0;
}

static void bad(struct answer *a, const char *fault) {
    a->state = ANSWER_BAD;
    a->fault = fault;
}

static void read_status(struct answer *a) {
    const char *line = a->line;
    if (a->line_length < 13 || memcmp(line, "HTTP/1.1 ", 9) != 0 || line[12] != ' ')
        return bad(a, "status line");
    for (int i = 9; i < 12; i++)
        if (!isdigit((unsigned char)line[i]))
            return bad(a, "status line");
    a->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (a->status < 100)
        return bad(a, "status line");
    a->state = ANSWER_FIELDS;
}

static void read_length(struct answer *a, const char *value) {
    if (a->has_length)
        return bad(a, "Content-Length twice");
    if (*value == '\0' || strlen(value) > 18)
        return bad(a, "Content-Length");
    uint64_t length = 0;
    for (; *value != '\0'; value++) {
        if (!isdigit((unsigned char)*value))
            return bad(a, "Content-Length");
        length = length * 10 + (uint64_t)(*value - '0');
    }
    a->has_length = true;
    a->left = length;
}

static void read_field(struct answer *a) {
    char *colon = strchr(a->line, ':');
    if (colon == NULL || colon == a->line || strcspn(a->line, " \t") < (size_t)(colon - a->line))
        return bad(a, "field line");
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t n = strlen(value); n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
        value[n - 1] = '\0';

    if (strcasecmp(a->line, "Content-Length") == 0) {
        read_length(a, value);
    } else if (strcasecmp(a->line, "Transfer-Encoding") == 0) {
        if (a->chunked || strcasecmp(value, "chunked") != 0)
            return bad(a, "Transfer-Encoding");
        a->chunked = true;
    } else if (strcasecmp(a->line, "Connection") == 0) {
        a->close |= strcasecmp(value, "close") == 0;
    } else if (strcasecmp(a->line, "Server") == 0) {
        if (a->has_server)
            return bad(a, "Server twice");
        a->has_server = true;
    } else if (strcasecmp(a->line, "Date") == 0) {
        if (a->has_date)
            return bad(a, "Date twice");
        a->has_date = true;
    } else if (strcasecmp(a->line, "Content-Type") == 0) {
        if (a->has_type)
            return bad(a, "Content-Type twice");
        a->has_type = true;
    }
}

static void end_fields(struct answer *a) {
    if (a->status < 200) {
        int interim = a->interim + 1;
        answer_start(a);
        a->interim = interim;
    } else if (a->chunked && a->has_length) {
        bad(a, "Content-Length with Transfer-Encoding");
    } else if (a->status == 204 || a->status == 304) {
        a->state = ANSWER_DONE;
    } else if (a->chunked) {
        a->state = ANSWER_CHUNK_SIZE;
    } else if (a->has_length) {
        a->state = a->left == 0 ? ANSWER_DONE : ANSWER_BODY;
    } else if (a->close) {
        a->state = ANSWER_BODY;
    } else {
        bad(a, "no length, and the connection stays open");
    }
}

static void read_chunk_size(struct answer *a) {
    uint64_t size = 0;
    size_t digits = 0;
    for (; isxdigit((unsigned char)a->line[digits]); digits++) {
        int c = tolower((unsigned char)a->line[digits]);
        size = size * 16 + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (digits == 0 || digits > 15 || (a->line[digits] != '\0' && a->line[digits] != ';'))
        return bad(a, "chunk size");
    a->left = size;
    a->state = size == 0 ? ANSWER_TRAILERS : ANSWER_CHUNK_DATA;
}

// A whole line is in a->line, ended by NUL in place of CR LF.
static void read_line(struct answer *a) {
    switch (a->state) {
    case ANSWER_STATUS:
        read_status(a);
        break;
    case ANSWER_FIELDS:
        if (a->line_length == 0)
            end_fields(a);
        else
            read_field(a);
        break;
    case ANSWER_CHUNK_SIZE:
        read_chunk_size(a);
        break;
    case ANSWER_CHUNK_END:
        if (a->line_length > 0)
            bad(a, "chunk longer than its size");
        else
            a->state = ANSWER_CHUNK_SIZE;
        break;
    default:
        if (a->line_length == 0)
            a->state = ANSWER_DONE;
        break;
    }
    a->line_length = 0;
}

static size_t take_line(struct answer *a, const char *data, size_t length) {
    const char *end = memchr(data, '\n', length);
    size_t taken = end != NULL ? (size_t)(end - data) + 1 : length;
    if (a->line_length + taken > ANSWER_LINE_SIZE) {
        bad(a, "line too long");
        return taken;
    }
    memcpy(a->line + a->line_length, data, taken);
    a->line_length += taken;
    if (end == NULL)
        return taken;
    if (a->line_length < 2 || a->line[a->line_length - 2] != '\r') {
        bad(a, "line end without CR");
        return taken;
    }
    a->line_length -= 2;
    a->line[a->line_length] = '\0';
    if (memchr(a->line, '\0', a->line_length) != NULL || memchr(a->line, '\r', a->line_length) != NULL)
        bad(a, "NUL or CR in a line");
    else
        read_line(a);
    return taken;
}

static size_t take_body(struct answer *a, const char *data, size_t length, answer_sink *sink, void *context) {
    bool bounded = a->state == ANSWER_CHUNK_DATA || a->has_length;
    size_t taken = bounded && a->left < length ? (size_t)a->left : length;
    if (sink != NULL)
        sink(context, data, taken);
    a->body += taken;
    if (bounded) {
        a->left -= taken;
        if (a->left == 0)
            a->state = a->state == ANSWER_CHUNK_DATA ? ANSWER_CHUNK_END : ANSWER_DONE;
    }
    return taken;
}

size_t answer_read(struct answer *a, const char *data, size_t length, answer_sink *sink, void *context) {
    size_t taken = 0;
    while (taken < length && a->state != ANSWER_DONE && a->state != ANSWER_BAD) {
        if (a->state == ANSWER_BODY || a->state == ANSWER_CHUNK_DATA)
            taken += take_body(a, data + taken, length - taken, sink, context);
        else
            taken += take_line(a, data + taken, length - taken);
    }
    return taken;
}

bool answer_end(struct answer *a) {
    if (a->state == ANSWER_DONE)
        return true;
    if (a->state == ANSWER_BODY && !a->has_length) {
        a->state = ANSWER_DONE;
        return true;
    }
    if (a->state != ANSWER_BAD && answer_begun(a))
        bad(a, "cut off");
    return false;
}
