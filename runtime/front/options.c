/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * options.c: reads NGRT_* from the environment, before main.
 *
 * Runs on the app's core, in the loader, which may hold locks of its own: no allocation, no stdio, no getenv, one write(2)
 * for each message.  The environment comes with the constructor's arguments.  Takes no lock.
 */
#include "front/options.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum option_kind { OPTION_WORD, OPTION_NUMBER, OPTION_SIZE, OPTION_NAME };

#define NG_OPTION(kind, field, variable, value, text, max, allowed, sentence) .field = value,
static const struct ng_options defaults = {
#include "room/options.def"
};
struct ng_options ng_options = {
#include "room/options.def"
};
#undef NG_OPTION

struct option {
    const char *variable;
    const char *text;
    const char *allowed;
    uint64_t max;
    size_t field; /* its offset in struct ng_options */
    enum option_kind kind;
};

static const struct option options[] = {
#define NG_OPTION(kind, field, variable, value, text, max, allowed, sentence)                                          \
    {variable, text, allowed, max, offsetof(struct ng_options, field), OPTION_##kind},
#include "room/options.def"
#undef NG_OPTION
};

enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/* A message of one line, cut where it would not fit: a hostile value must not hide what is said about it. */
struct line {
    size_t length;
    char text[512];
};

static void line_add(struct line *line, const char *text, size_t most) {
    for (size_t i = 0; text[i] != '\0' && i < most && line->length < sizeof(line->text) - 1; i++) {
        unsigned char c = (unsigned char)text[i];
        line->text[line->length++] = c < ' ' || c == 127 ? '?' : (char)c;
    }
}

/* Writes the line in one call, so that lines of several processes do not mix. */
static void line_write(struct line *line) {
    line->text[line->length++] = '\n';
    ssize_t written = write(STDERR_FILENO, line->text, line->length);
    (void)written; /* stderr may be closed: there is nobody else to tell */
}

enum { SHOWN_VALUE = 64, SHOWN_NAME = 64, WHOLE = 512 };

static void report_bad_value(const struct option *option, const char *value) {
    struct line line = {0};
    line_add(&line, "ngrt: ", WHOLE);
    line_add(&line, option->variable, WHOLE);
    line_add(&line, "=", WHOLE);
    line_add(&line, value, SHOWN_VALUE);
    line_add(&line, option->kind == OPTION_WORD || option->kind == OPTION_NAME ? " is not one of " : " is not ", WHOLE);
    line_add(&line, option->allowed, WHOLE);
    line_add(&line, option->text[0] != '\0' ? "; using " : "; using none", WHOLE);
    line_add(&line, option->text, WHOLE);
    line_write(&line);
}

/* The place of `value` among the words of a list "a, b, c", or -1. */
static int word_place(const char *list, const char *value) {
    size_t length = strlen(value);
    for (int place = 0;; place++) {
        size_t word = strcspn(list, ",");
        if (word == length && memcmp(list, value, word) == 0)
            return place;
        if (list[word] == '\0')
            return -1;
        list += word + 2;
    }
}

/* Digits at *text as a number up to max; moves *text behind them. */
static bool read_digits(const char **text, uint64_t max, uint64_t *number) {
    const char *at = *text;
    uint64_t sum = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (sum > (max - digit) / 10 || digit > max)
            return false;
        sum = sum * 10 + digit;
    }
    bool any = at != *text;
    *text = at;
    *number = sum;
    return any;
}

static bool read_number(const struct option *option, const char *value, int *number) {
    size_t word = strcspn(option->allowed, ",");
    if (strlen(value) == word && memcmp(value, option->allowed, word) == 0) {
        *number = -1;
        return true;
    }
    uint64_t digits;
    if (!read_digits(&value, option->max, &digits) || *value != '\0')
        return false;
    *number = (int)digits;
    return true;
}

static unsigned unit_shift(char unit) {
    switch (unit) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return 0;
    }
}

static bool read_size(const struct option *option, const char *value, size_t *size) {
    uint64_t digits;
    if (!read_digits(&value, option->max, &digits))
        return false;
    unsigned shift = unit_shift(*value);
    if (shift != 0)
        value++;
    if (*value != '\0' || digits > option->max >> shift)
        return false;
    *size = (size_t)(digits << shift);
    return true;
}

/* Sets the option's field; false, and the field as it was, where the value is not allowed. */
static bool option_set(const struct option *option, const char *value) {
    void *field = (char *)&ng_options + option->field;
    switch (option->kind) {
    case OPTION_WORD: {
        int place = word_place(option->allowed, value);
        if (place >= 0)
            *(int *)field = place;
        return place >= 0;
    }
    case OPTION_NUMBER:
        return read_number(option, value, field);
    case OPTION_SIZE:
        return read_size(option, value, field);
    case OPTION_NAME:
        if (word_place(option->allowed, value) < 0 || strlen(value) > option->max)
            return false;
        memcpy(field, value, strlen(value) + 1);
        return true;
    }
    return false;
}

/* The option whose variable the environment's entry "name=value" sets, or NULL; *value is behind the "=". */
static const struct option *option_of(const char *entry, const char **value) {
    for (size_t i = 0; i < OPTIONS; i++) {
        size_t length = strlen(options[i].variable);
        if (strncmp(entry, options[i].variable, length) == 0 && entry[length] == '=') {
            *value = entry + length + 1;
            return &options[i];
        }
    }
    return NULL;
}

/* How many letters must be changed, added or left out to make b of a; more than `most` reads as most + 1. */
static unsigned letters_apart(const char *a, size_t a_length, const char *b, unsigned most) {
    enum { LONGEST = 32 };
    size_t b_length = strlen(b);
    if (a_length > LONGEST || b_length > LONGEST)
        return most + 1;
    unsigned row[LONGEST + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned changed = diagonal + (a[i - 1] != b[j - 1]);
            unsigned least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = changed < least ? changed : least;
        }
    }
    return row[b_length] <= most ? row[b_length] : most + 1;
}

/* Says that a variable NGRT_* is not one of ours, and which one is near. */
static void report_unknown(const char *entry) {
    enum { NEAR = 2 };
    size_t length = strcspn(entry, "=");
    const char *nearest = NULL;
    unsigned least = NEAR + 1;
    for (size_t i = 0; i < OPTIONS; i++) {
        unsigned apart = letters_apart(entry, length, options[i].variable, NEAR);
        if (apart < least) {
            least = apart;
            nearest = options[i].variable;
        }
    }
    struct line line = {0};
    line_add(&line, "ngrt: ", WHOLE);
    line_add(&line, entry, length < SHOWN_NAME ? length : SHOWN_NAME);
    line_add(&line, " is not an option", WHOLE);
    if (nearest != NULL) {
        line_add(&line, "; did you mean ", WHOLE);
        line_add(&line, nearest, WHOLE);
        line_add(&line, "?", WHOLE);
    }
    line_write(&line);
}

static bool is_ngrt_variable(const char *entry) { return strncmp(entry, "NGRT_", 5) == 0; }

void ng_options_parse(char **envp) {
    int saved = errno;
    ng_options = defaults;
    for (char **entry = envp; entry != NULL && *entry != NULL; entry++) {
        const char *value;
        const struct option *option = is_ngrt_variable(*entry) ? option_of(*entry, &value) : NULL;
        /* An empty value is how shells and unit files write "not set". */
        if (option != NULL && *value != '\0' && !option_set(option, value))
            report_bad_value(option, value);
    }
    for (char **entry = envp; entry != NULL && *entry != NULL && ng_options.verbose != 0; entry++) {
        const char *value;
        if (is_ngrt_variable(*entry) && option_of(*entry, &value) == NULL)
            report_unknown(*entry);
    }
    errno = saved;
}

/* The loader gives constructors main's arguments.  Where a program runs with the rights of another user, whoever started
 * it chose the environment, and must not choose how its allocator works. */
static __attribute__((constructor)) void options_constructor(int argc, char **argv, char **envp) {
    (void)argc;
    (void)argv;
    ng_options_parse(getauxval(AT_SECURE) != 0 ? NULL : envp);
    ng_start();
}
