/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ng-model: reads a run's counts and a machine's costs, says what offloading the allocator costs and saves (model.h).
 */
#include "calibrate.h"
#include "model.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64, LINE_MAX_BYTES = 512 };

/* One input: where it stands in the structure is its place in the list. */
static const struct input {
    const char *name;
    double value, least, most;
    const char *unit, *text;
} inputs[] = {
#define NG_MODEL_INPUT(name, value, least, most, unit, text) {#name, value, least, most, unit, text},
    NG_MODEL_INPUTS(NG_MODEL_INPUT)
#undef NG_MODEL_INPUT
};

enum { INPUTS = sizeof inputs / sizeof inputs[0] };

/* What the runtime's own statistics (NGRT_STATS=json) call them. */
static const char *const other_names[][2] = {
    {"allocations", "mallocs"}, {"self_served", "refills"}, {"program_faults", "faults"}};

/* The paper's own: section 4.1. */
static const char *const paper[] = {"mallocs=138401260", "frees=141394145", "atomics=4", "atomic_cycles=67",
                                    "miss_cycles=214"};

enum option_kind { CALIBRATE, PAPER, JSON, HELP };

static const struct {
    const char *name, *text;
    enum option_kind kind;
} options[] = {
    {"--calibrate", "measure this machine and print what the model needs of it, for a file", CALIBRATE},
    {"--paper", "take the paper's inputs; others may follow", PAPER},
    {"--json", "print the results as JSON", JSON},
    {"--help", "this text", HELP},
};

enum { OPTIONS = sizeof options / sizeof options[0] };

static _Noreturn void fail(const char *what, const char *value, const char *advice) {
    fprintf(stderr, "ng-model: %s%s: %s\n", what, value, advice);
    exit(2);
}

static void print_help(void) {
    puts("ng-model [OPTION...] [NAME=VALUE | FILE]...\n\n"
         "What offloading an allocator to a core of its own costs and saves, from a run's counts and a machine's "
         "costs.\n"
         "A FILE has lines NAME = VALUE (# begins a comment; --calibrate writes such), or is JSON (bench/run, "
         "NGRT_STATS=json),\n"
         "of which the names below are taken.  What comes later replaces what came before.\n");
    for (size_t i = 0; i < OPTIONS; ++i)
        printf("  %-18s %s\n", options[i].name, options[i].text);
    puts("");
    for (size_t i = 0; i < INPUTS; ++i) {
        char value[32];
        snprintf(value, sizeof value, "%.6g", inputs[i].value);
        printf("  %-18s %s%s%s (%s)\n", inputs[i].name, inputs[i].unit, *inputs[i].unit != '\0' ? ": " : "",
               inputs[i].text,
               inputs[i].value == NG_MODEL_NEEDED   ? "needed"
               : inputs[i].value == NG_MODEL_ABSENT ? "if known"
                                                    : value);
    }
}

/* ---- inputs ---- */

static double *field_of(struct ng_model_inputs *in, size_t i) { return (double *)in + i; }

/* The place of a name in the list; INPUTS where it is none. */
static size_t place_of(const char *name) {
    for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; ++i)
        if (strcmp(name, other_names[i][0]) == 0)
            name = other_names[i][1];
    size_t i = 0;
    while (i < INPUTS && strcmp(inputs[i].name, name) != 0)
        ++i;
    return i;
}

static void set(struct ng_model_inputs *in, size_t i, const char *text) {
    char *end, what[NAME_MAX_BYTES + 2], range[128];
    errno = 0;
    double value = strtod(text, &end);
    snprintf(what, sizeof what, "%s=", inputs[i].name);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(value))
        fail(what, text, "not a number");
    snprintf(range, sizeof range, "makes no sense: it is %g to %g %s", inputs[i].least, inputs[i].most, inputs[i].unit);
    if (value < inputs[i].least || value > inputs[i].most)
        fail(what, text, range);
    *field_of(in, i) = value;
}

/* NAME=VALUE, spaces allowed around both. */
static void set_by_line(struct ng_model_inputs *in, const char *line, const char *where) {
    char name[NAME_MAX_BYTES], value[NAME_MAX_BYTES], place[LINE_MAX_BYTES];
    snprintf(place, sizeof place, "%s%s", where, *where != '\0' ? ": " : "");
    if (sscanf(line, " %63[^= ] = %63s", name, value) != 2)
        fail(place, line, "not NAME=VALUE");
    size_t i = place_of(name);
    if (i == INPUTS)
        fail(place, name, "no such input; ng-model --help lists them");
    set(in, i, value);
}

/* Every "NAME": NUMBER of a JSON file whose name is an input's; the others are not ours to judge. */
static void read_json(struct ng_model_inputs *in, const char *text) {
    for (const char *p = text; (p = strchr(p, '"')) != NULL;) {
        char name[NAME_MAX_BYTES], value[NAME_MAX_BYTES];
        size_t n = strcspn(++p, "\"");
        if (p[n] == '\0')
            break;
        snprintf(name, sizeof name, "%.*s", (int)(n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES - 1), p);
        p += n + 1;
        const char *colon = p + strspn(p, " \t\r\n");
        size_t i = n < NAME_MAX_BYTES ? place_of(name) : INPUTS;
        if (*colon != ':' || i == INPUTS)
            continue;
        const char *number = colon + 1 + strspn(colon + 1, " \t\r\n");
        size_t length = strspn(number, "+-.0123456789eEinfaN");
        snprintf(value, sizeof value, "%.*s", (int)(length < NAME_MAX_BYTES ? length : NAME_MAX_BYTES - 1), number);
        set(in, i, value);
    }
}

static void read_lines(struct ng_model_inputs *in, char *text, const char *path) {
    int number = 1;
    for (char *line = text, *next; line != NULL; line = next, ++number) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        line[strcspn(line, "#\r")] = '\0';
        char where[LINE_MAX_BYTES];
        snprintf(where, sizeof where, "%s:%d", path, number);
        if (line[strspn(line, " \t")] != '\0')
            set_by_line(in, line, where);
    }
}

static void read_file(struct ng_model_inputs *in, const char *path) {
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t bytes = 0;
    if (file == NULL)
        fail("", path, errno == ENOENT ? "neither NAME=VALUE nor a file" : strerror(errno));
    ssize_t length = getdelim(&text, &bytes, '\0', file);
    fclose(file);
    if (length <= 0)
        fail(path, "", "is empty");
    if (text[strspn(text, " \t\r\n")] == '{')
        read_json(in, text);
    else
        read_lines(in, text, path);
    free(text);
}

static void check(const struct ng_model_inputs *in) {
    for (size_t i = 0; i < INPUTS; ++i)
        if (*((const double *)in + i) == NG_MODEL_NEEDED)
            fail(inputs[i].name, "", "is missing");
    char text[64];
    snprintf(text, sizeof text, "%.0f", in->mallocs + in->frees);
    if (in->instructions >= 0 && in->mallocs + in->frees > in->instructions)
        fail("mallocs + frees = ", text, "more calls than instructions");
    snprintf(text, sizeof text, "%.0f", in->refills);
    if (in->refills > in->mallocs)
        fail("refills = ", text, "more than mallocs");
}

/* ---- results ---- */

static void print_way(const char *name, const struct ng_model_way *w, double calls) {
    printf("  %-12s costs %10.3f s (%8.2f ns a call), saves %10.3f s: %+.3f s; by misses alone it pays from %.3g saved "
           "a call\n",
           name, w->cost_ns / 1e9, calls > 0 ? w->cost_ns / calls : 0, w->saved_ns / 1e9, w->net_ns / 1e9,
           w->break_even_misses);
}

static void print_run(const struct ng_model_inputs *in) {
    static const char *const kinds[NG_MODEL_CORES] = {"a core like the program's", "a small core near memory",
                                                      "an SMT sibling"};
    printf("elapsed, with a room                     %.3f s instead of %.3f s (%.3f)\n", ng_model_elapsed(in),
           in->seconds, ng_model_elapsed(in) / in->seconds);
    for (int k = 0; k < NG_MODEL_CORES; ++k) {
        struct ng_model_room r = ng_model_core(in, (enum ng_model_core)k);
        printf("  %-28s %.3f s, the room works %.0f %% of it, in place of %.2f cores%s\n", kinds[k], r.seconds,
               r.load * 100, r.cost, (enum ng_model_core)k == ng_model_best_core(in) ? "   <- most for its place" : "");
    }
    puts("threads   load of one room   work done with one room, with two (one thread alone: 1)");
    for (int n = 2; n <= 256; n *= 2)
        printf("  %5d   %16.2f   %10.2f %10.2f\n", n, ng_model_load(in, n), ng_model_throughput(in, n, 1),
               ng_model_throughput(in, n, 2));
    int most = ng_model_most_threads(in), second = ng_model_second_room(in);
    printf("one room serves %d threads%s\n", most, most == 256 ? " or more" : "");
    if (second != 0)
        printf("a second pays from %d threads on\n", second);
    else
        puts("a second does not pay up to 256 threads");
}

static void print_text(const struct ng_model_inputs *in) {
    struct ng_model_paper p = ng_model_paper(in);
    struct ng_model_way queue = ng_model_queue(in), handshake = ng_model_handshake(in);
    printf("the paper's sum (section 4.1)\n");
    printf("  %.0f calls, %.0f cycles each (%g atomics of %g)\n", p.calls, p.cycles_per_call, in->atomics,
           in->atomic_cycles);
    printf("  overhead                 %.4g billion cycles\n", p.overhead_cycles / 1e9);
    printf("  break-even               %.3f misses saved a call (%.0f / %g cycles)\n", p.break_even_misses,
           p.cycles_per_call, in->miss_cycles);
    printf("  with %g saved a call      %+.4g billion cycles\n", in->misses_saved, p.net_cycles / 1e9);
    puts("by queue and by handshake");
    print_way("queue", &queue, p.calls);
    print_way("handshake", &handshake, p.calls);
    if (in->seconds >= 0 && in->faults >= 0)
        print_run(in);
    else
        puts("(seconds= and faults= of a run: its elapsed time, kinds of cores, numbers of threads)");
}

static void print_json(const struct ng_model_inputs *in) {
    struct ng_model_paper p = ng_model_paper(in);
    struct ng_model_way queue = ng_model_queue(in), handshake = ng_model_handshake(in);
    printf("{\"overhead_cycles\": %.17g, \"break_even_misses\": %.17g, \"queue_net_ns\": %.17g, \"handshake_net_ns\": "
           "%.17g, "
           "\"queue_break_even\": %.17g, \"handshake_break_even\": %.17g",
           p.overhead_cycles, p.break_even_misses, queue.net_ns, handshake.net_ns, queue.break_even_misses,
           handshake.break_even_misses);
    if (in->seconds >= 0 && in->faults >= 0)
        printf(", \"elapsed\": %.17g, \"most_threads\": %d, \"second_room\": %d, \"core\": %d", ng_model_elapsed(in),
               ng_model_most_threads(in), ng_model_second_room(in), (int)ng_model_best_core(in));
    puts("}");
}

static enum option_kind option_of(const char *argument) {
    for (size_t i = 0; i < OPTIONS; ++i)
        if (strcmp(options[i].name, argument) == 0)
            return options[i].kind;
    fail("no such option: ", argument, "ng-model --help lists them");
}

/* Whether the results are to be JSON. */
static bool read_arguments(struct ng_model_inputs *in, int argc, char **argv) {
    bool json = false;
    for (int i = 1; i < argc; ++i) {
        if (argv[i][0] != '-') {
            if (strchr(argv[i], '=') != NULL)
                set_by_line(in, argv[i], "");
            else
                read_file(in, argv[i]);
            continue;
        }
        switch (option_of(argv[i])) {
        case CALIBRATE:
            exit(ng_calibrate());
        case HELP:
            print_help();
            exit(0);
        case JSON:
            json = true;
            break;
        case PAPER:
            for (size_t k = 0; k < sizeof paper / sizeof paper[0]; ++k)
                set_by_line(in, paper[k], "");
            break;
        }
    }
    return json;
}

int main(int argc, char **argv) {
    struct ng_model_inputs in;
    for (size_t i = 0; i < INPUTS; ++i)
        *field_of(&in, i) = inputs[i].value;
    bool json = read_arguments(&in, argc, argv);
    check(&in);
    json ? print_json(&in) : print_text(&in);
    return fflush(stdout) == 0 ? 0 : 1;
}
