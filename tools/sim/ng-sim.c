/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ng-sim: runs a program under the instrument (tool.c) with the machines that its options name, and becomes it.  Finds
 * instrument and geometries as neighbours of itself, in the build tree and after installation.
 */
#include "hierarchy.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MACHINES = 4, ARGUMENTS_MAX = 64, LINE_MAX_BYTES = 512 };

/* Where a value goes; PASSED: to the instrument as it is. */
enum kind { GEOMETRY, PRELOAD, PASSED, NUMBER, LIST, HELP };

struct option {
    const char *name, *value, *text;
    enum kind kind;
    long least, most;
};

static const struct option options[] = {
    {"--geometry", "NAME|FILE", "the machine; again for one more, up to 4, at the same time (default: zen4)", GEOMETRY,
     0, 0},
    {"--preload", "LIBRARY", "the allocator: LD_PRELOAD for the program alone", PRELOAD, 0, 0},
    {"--json", "FILE", "all counts as JSON", PASSED, 0, 0},
    {"--top", "N", "how many functions the report names; 0: no report (default: 15)", NUMBER, 0, 1000},
    {"--thp", "always|madvise|never|system", "how the system gives huge pages (default: as this one does)", PASSED, 0,
     0},
    {"--cpus", "N", "how many processors the program is told of (default: 16)", NUMBER, 1, 512},
    {"--quantum", "N", "instructions that a thread runs before the next one does (default: 5000)", NUMBER, 100,
     1000000},
    {"--ps-per-instruction", "N", "how clocks go: picoseconds an instruction (default: 500)", NUMBER, 1, 100000},
    {"--apart", "PREFIX", "threads of such a name are not the program's own (default: ngrt-)", PASSED, 0, 0},
    {"--allocator", "PART", "objects with this in their path are the allocator's too", PASSED, 0, 0},
    {"--list", NULL, "the geometries that are there", LIST, 0, 0},
    {"--help", NULL, "this text", HELP, 0, 0},
};

enum { OPTIONS = sizeof options / sizeof options[0] };

static const char *const fields[][2] = {
#define NGSIM_FIELD(name, text) {#name, text},
    NGSIM_FIELDS(NGSIM_FIELD)
#undef NGSIM_FIELD
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static char base[PATH_MAX]; /* the folder above the one that this program is in */

static _Noreturn void fail(const char *what, const char *value, const char *advice) {
    fprintf(stderr, "ng-sim: %s%s: %s\n", what, value, advice);
    exit(2);
}

static void print_help(void) {
    puts(
        "ng-sim [OPTION...] [--] PROGRAM [ARGUMENT...]\n\n"
        "Runs the program on a model of caches, TLBs and coherence, and prints what each thread missed: for each 1000\n"
        "instructions, the allocator's code and the program's apart, by function.  The program is not changed.\n");
    for (size_t i = 0; i < OPTIONS; ++i) {
        char head[LINE_MAX_BYTES];
        snprintf(head, sizeof head, "%s%s%s", options[i].name, options[i].value != NULL ? "=" : "",
                 options[i].value != NULL ? options[i].value : "");
        printf("  %-40s %s\n", head, options[i].text);
    }
    puts("\nA geometry is a file of lines NAME = NUMBER; # begins a comment.  What is not there is 0:");
    for (size_t i = 0; i < FIELDS; ++i)
        printf("  %-40s %s\n", fields[i][0], fields[i][1]);
}

static void find_base(void) {
    ssize_t n = readlink("/proc/self/exe", base, sizeof base - 1);
    if (n <= 0)
        fail("cannot tell where it is", "", strerror(errno));
    base[n] = '\0';
    for (int i = 0; i < 2; ++i)
        *strrchr(base, '/') = '\0';
}

/* ---- geometries ---- */

static uint32_t *field_of(struct ngsim_geometry *g, const char *name) {
    for (size_t i = 0; i < FIELDS; ++i)
        if (strcmp(fields[i][0], name) == 0)
            return (uint32_t *)g + i;
    return NULL;
}

static void read_line(struct ngsim_geometry *g, const char *path, int number, const char *line) {
    char name[LINE_MAX_BYTES], place[PATH_MAX + 128];
    unsigned long long value;
    char rest;
    snprintf(place, sizeof place, "%s:%d: ", path, number);
    if (sscanf(line, " %511[a-z0-9_] = %llu %c", name, &value, &rest) != 2 || value > UINT32_MAX ||
        strchr(line, '-') != NULL)
        fail(place, line, "not NAME = NUMBER");
    uint32_t *field = field_of(g, name);
    if (field == NULL)
        fail(place, name, "no such field; ng-sim --help lists them");
    *field = (uint32_t)value;
}

static void read_geometry(struct ngsim_geometry *g, const char *path) {
    char line[LINE_MAX_BYTES];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        fail("geometry ", path,
             errno == ENOENT ? "no such file or name; ng-sim --list tells the names" : strerror(errno));
    for (int number = 1; fgets(line, sizeof line, file) != NULL; ++number) {
        line[strcspn(line, "#\n")] = '\0';
        if (line[strspn(line, " \t\r")] != '\0')
            read_line(g, path, number, line);
    }
    fclose(file);
    const char *wrong = ngsim_wrong(g);
    if (wrong != NULL)
        fail(path, "", wrong);
}

/* The instrument's option for a geometry: "--machine=NAME:1,2,3". */
static char *machine_option(const char *geometry) {
    struct ngsim_geometry g = {0};
    char path[PATH_MAX + 64], name[64];
    bool is_path = strchr(geometry, '/') != NULL || strchr(geometry, '.') != NULL;
    if (is_path)
        snprintf(path, sizeof path, "%s", geometry);
    else
        snprintf(path, sizeof path, "%s/share/ngrt/geometry/%s.conf", base, geometry);
    read_geometry(&g, path);
    const char *slash = strrchr(geometry, '/');
    snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : geometry);
    name[strcspn(name, ".:,")] = '\0';
    char *text = malloc(LINE_MAX_BYTES);
    if (text == NULL)
        fail("no memory", "", "");
    int at = snprintf(text, LINE_MAX_BYTES, "--machine=%s", name);
    for (size_t i = 0; i < FIELDS; ++i)
        at += snprintf(text + at, LINE_MAX_BYTES - (size_t)at, "%c%u", i == 0 ? ':' : ',', ((uint32_t *)&g)[i]);
    return text;
}

static void list_geometries(void) {
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "%s/share/ngrt/geometry", base);
    if (chdir(command) != 0)
        fail("geometries ", command, strerror(errno));
    execlp("sh", "sh", "-c",
           "for f in *.conf; do printf '%-16s %s\\n' \"${f%.conf}\" \"$(sed -n '1s/^# *//p' \"$f\")\"; done",
           (char *)NULL);
    fail("cannot run ", "sh", strerror(errno));
}

/* ---- the command line ---- */

struct command {
    char *argv[ARGUMENTS_MAX];
    int count, machines;
    const char *preload;
};

static void add(struct command *c, char *argument) {
    if (c->count == ARGUMENTS_MAX - 1)
        fail("too many options at ", argument, "leave some out");
    c->argv[c->count++] = argument;
}

static char *joined(const char *a, const char *b, const char *d) {
    size_t bytes = strlen(a) + strlen(b) + strlen(d) + 1;
    char *text = malloc(bytes);
    if (text == NULL)
        fail("no memory", "", "");
    snprintf(text, bytes, "%s%s%s", a, b, d);
    return text;
}

static const struct option *option_of(const char *argument) {
    size_t n = strcspn(argument, "=");
    for (size_t i = 0; i < OPTIONS; ++i)
        if (strlen(options[i].name) == n && strncmp(options[i].name, argument, n) == 0)
            return &options[i];
    fail("no such option: ", argument, "ng-sim --help lists them");
}

static void check_number(const struct option *o, const char *value) {
    char *end;
    char range[64];
    errno = 0;
    long n = strtol(value, &end, 10);
    snprintf(range, sizeof range, "not a number from %ld to %ld", o->least, o->most);
    if (*value == '\0' || *end != '\0' || errno != 0 || n < o->least || n > o->most)
        fail(joined(o->name, "=", ""), value, range);
}

static void check_thp(const struct option *o, const char *value) {
    static const char *const words[] = {"always", "madvise", "never", "system"};
    if (strcmp(o->name, "--thp") != 0)
        return;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i)
        if (strcmp(value, words[i]) == 0)
            return;
    fail("--thp=", value, o->value);
}

static void take(struct command *c, const struct option *o, const char *given) {
    const char *value = given != NULL ? given : "";
    if (o->value != NULL && *value == '\0')
        fail(o->name, "", "it needs a value");
    if (o->value == NULL && given != NULL)
        fail(joined(o->name, "=", ""), value, "it takes no value");
    switch (o->kind) {
    case GEOMETRY:
        if (++c->machines > MACHINES)
            fail("--geometry=", value, "four at a time are the most");
        add(c, machine_option(value));
        break;
    case PRELOAD:
        if (access(value, R_OK) != 0)
            fail("--preload=", value, strerror(errno));
        c->preload = value;
        break;
    case NUMBER:
        check_number(o, value);
        add(c, joined(o->name, "=", value));
        break;
    case PASSED:
        check_thp(o, value);
        add(c, joined(o->name, "=", value));
        break;
    case LIST:
        list_geometries();
        break;
    case HELP:
        print_help();
        exit(0);
    }
}

/* Returns the index of the program. */
static int read_options(struct command *c, int argc, char **argv) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; ++i) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1;
        const struct option *o = option_of(argv[i]);
        const char *equals = strchr(argv[i], '=');
        bool next = equals == NULL && o->value != NULL && i + 1 < argc;
        take(c, o, equals != NULL ? equals + 1 : next ? argv[++i] : NULL);
    }
    return i;
}

int main(int argc, char **argv) {
    struct command c = {.count = 0};
    find_base();
    char *tool = joined(base, "/libexec/ngrt/ngsim-", NGSIM_PLATFORM);
    add(&c, tool);
    add(&c, joined("--tool=ngsim", "", ""));
    add(&c, joined("-q", "", ""));
    add(&c, joined("--fair-sched=yes", "", ""));
    int program = read_options(&c, argc, argv);
    if (program >= argc)
        fail("no program", "", "ng-sim [OPTION...] [--] PROGRAM [ARGUMENT...]");
    if (c.machines == 0)
        add(&c, machine_option("zen4"));
    if (access(tool, X_OK) != 0)
        fail(tool, "",
             "the instrument is not there: build it where valgrind's headers and libraries are (scripts/setup build)");
    add(&c, joined("--", "", ""));
    char **all = calloc((size_t)c.count + (size_t)(argc - program) + 1, sizeof *all);
    if (all == NULL)
        fail("no memory", "", "");
    memcpy(all, c.argv, (size_t)c.count * sizeof *all);
    memcpy(all + c.count, argv + program, (size_t)(argc - program) * sizeof *all);
    /* The instrument asks for the name of what starts it; valgrind's own launcher looks for tools elsewhere. */
    setenv("VALGRIND_LAUNCHER", NGSIM_LAUNCHER, 1);
    if (c.preload != NULL)
        setenv("LD_PRELOAD", c.preload, 1);
    execv(tool, all);
    fail("cannot run ", tool, strerror(errno));
}
