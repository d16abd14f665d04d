/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * info.c: the heap's numbers, told to the program and to the user.  See info.h.
 *
 * Owns no state.  Runs on the thread that asks, and at exit; takes the key for as long as ng_totals_read does.  What goes
 * to a descriptor is formatted here: the heap is what is reported on, so the report must not allocate.
 */
#include "front/info.h"
#include "front/interposed.h"
#include "front/totals.h"
#include "os/os.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* ---- writing without stdio ---- */

struct report {
    int fd;
    bool ok;
    size_t used;
    char text[512];
};

static void flush(struct report *r) {
    for (size_t done = 0; r->ok && done < r->used;) {
        ssize_t n = write(r->fd, r->text + done, r->used - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            r->ok = false;
    }
    r->used = 0;
}

static void put(struct report *r, const char *text) {
    for (; *text != '\0'; text++) {
        if (r->used == sizeof r->text)
            flush(r);
        r->text[r->used++] = *text;
    }
}

static void put_number(struct report *r, uint64_t number, unsigned width) {
    char digits[24];
    char *p = digits + sizeof digits;
    *--p = '\0';
    do
        *--p = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    for (size_t have = strlen(p); have < width; have++)
        put(r, " ");
    put(r, p);
}

/* ---- NGRT_STATS, malloc_stats ---- */

/* A number with its name (for JSON) and its sentence (for people). */
struct line {
    const char *name, *sentence;
    uint64_t number;
};

/* The process's own faults: the room's thread is part of the process, but not of the program. */
static uint64_t program_faults(const struct ng_totals *totals) {
    uint64_t all = ng_os_faults_process();
    return all > totals->room_faults ? all - totals->room_faults : 0;
}

static void put_lines(struct report *r, const struct line *line, size_t count, int format) {
    for (size_t i = 0; i < count; i++, line++) {
        put(r, format == NG_STATS_JSON ? ",\"" : "  ");
        if (format == NG_STATS_JSON) {
            put(r, line->name);
            put(r, "\":");
            put_number(r, line->number, 0);
        } else {
            put_number(r, line->number, 16);
            put(r, "  ");
            put(r, line->sentence);
            put(r, "\n");
        }
    }
}

bool ng_stats_write(int fd, int format) {
    int saved = errno;
    struct ng_totals totals;
    ng_totals_read(&totals);
    const struct line lines[] = {
#define NG_TOTAL(name, sentence) {#name, sentence, totals.name},
#include "front/totals.def"
#undef NG_TOTAL
        {"program_faults", "page faults that the program's threads took", program_faults(&totals)},
        {"resident", "bytes of memory that the process holds, all in all", ng_os_resident()},
    };
    struct report r = {.fd = fd, .ok = true};
    put(&r, format == NG_STATS_JSON ? "{\"ngrt\":\"" NGRT_VERSION "\",\"pid\":" : "ngrt " NGRT_VERSION ": process ");
    put_number(&r, (uint64_t)ng_os_pid(), 0);
    put(&r, format == NG_STATS_JSON ? "" : "\n");
    put_lines(&r, lines, sizeof lines / sizeof *lines, format);
    put(&r, format == NG_STATS_JSON ? "}\n" : "");
    flush(&r);
    if (r.ok)
        errno = saved; /* else errno says why */
    return r.ok;
}

/* ---- NGRT_VERBOSE ---- */

void ng_verbose_line(void) {
    static const char *const words[] = {[NG_AUTO] = "auto", [NG_ON] = "on", [NG_OFF] = "off"};
    int saved = errno;
    unsigned cpus = ng_os_cpus(false);
    struct report r = {.fd = STDERR_FILENO, .ok = true};
    put(&r, "ngrt " NGRT_VERSION);
    put(&r, ng_malloc_is_ours() ? ": in use (process " : ": loaded, but the process has another malloc (process ");
    put_number(&r, (uint64_t)ng_os_pid(), 0);
    put(&r, ", room ");
    put(&r, words[ng_options.server]);
    put(&r, ", ");
    put_number(&r, cpus, 0);
    put(&r, cpus == 1 ? " processor" : " processors");
    put(&r, ", huge pages ");
    put(&r, words[ng_options.thp]);
    put(&r, ")\n");
    flush(&r);
    errno = saved;
}

/* ---- glibc's structures ---- */

static uint64_t less(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

/* glibc counts large blocks apart (hblks, hblkhd); what is live and what is free add up to arena, as there. */
struct mallinfo2 ng_mallinfo2(void) {
    struct ng_totals t;
    ng_totals_read(&t);
    uint64_t small = less(t.committed, t.large), used = less(t.live, t.large);
    if (small < used)
        small = used;
    return (struct mallinfo2){
        .arena = small,
        .ordblks = t.slabs,
        .hblks = t.large_blocks,
        .hblkhd = t.large,
        .fsmblks = t.cached,
        .uordblks = used,
        .fordblks = small - used,
        .keepcost = t.dirty,
    };
}

static int clamp(size_t number) { return number > INT_MAX ? INT_MAX : (int)number; }

/* The old structure's fields are int: what does not fit is the largest int, where glibc's wraps around. */
struct mallinfo ng_mallinfo(void) {
    struct mallinfo2 m = ng_mallinfo2();
    return (struct mallinfo){
        .arena = clamp(m.arena),
        .ordblks = clamp(m.ordblks),
        .hblks = clamp(m.hblks),
        .hblkhd = clamp(m.hblkhd),
        .fsmblks = clamp(m.fsmblks),
        .uordblks = clamp(m.uordblks),
        .fordblks = clamp(m.fordblks),
        .keepcost = clamp(m.keepcost),
    };
}

/* glibc's elements and attributes, for the programs that parse them; one heap, since there is one. */
int ng_malloc_info(int options, FILE *stream) {
    if (options != 0)
        return EINVAL;
    struct ng_totals t;
    ng_totals_read(&t);
    struct mallinfo2 m = ng_mallinfo2();
    fprintf(stream,
            "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n"
            "<total type=\"fast\" count=\"0\" size=\"%zu\"/>\n<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
            "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n"
            "<aspace type=\"total\" size=\"%zu\"/>\n<aspace type=\"mprotect\" size=\"%zu\"/>\n</heap>\n",
            m.fsmblks, m.ordblks, m.fordblks, m.arena, m.arena, (size_t)t.reserved, m.arena);
    fprintf(stream,
            "<total type=\"fast\" count=\"0\" size=\"%zu\"/>\n<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
            "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
            "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n"
            "<aspace type=\"total\" size=\"%zu\"/>\n<aspace type=\"mprotect\" size=\"%zu\"/>\n</malloc>\n",
            m.fsmblks, m.ordblks, m.fordblks, m.hblks, m.hblkhd, m.arena, m.arena, (size_t)t.reserved, m.arena);
    return 0;
}
