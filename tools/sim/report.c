/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * report.c: the counts at the end, as JSON and as a table.
 */
#include "sim.h"

static const HChar *const event_names[NGSIM_EVENTS] = {"l1", "l2", "llc", "move", "upgrade", "dtlb", "walk"};

static VgFile *out;

static void json_string(const HChar *s) {
    VG_(fprintf)(out, "\"");
    for (; *s != '\0'; ++s) {
        if (*s == '"' || *s == '\\')
            VG_(fprintf)(out, "\\%c", *s);
        else if ((UChar)*s >= ' ')
            VG_(fprintf)(out, "%c", *s);
    }
    VG_(fprintf)(out, "\"");
}

static void json_events(ULong (*events)[2]) {
    for (int e = 0; e < NGSIM_EVENTS; ++e)
        VG_(fprintf)(out, ", \"%s_load\": %llu, \"%s_store\": %llu", event_names[e], events[e][0], event_names[e],
                     events[e][1]);
}

static void json_thread(const struct thread *t, int id) {
    static const HChar *const domains[DOMAINS] = {"program", "allocator"};
    VG_(fprintf)(out, "    {\"thread\": %d, \"name\": ", id);
    json_string(t->name);
    VG_(fprintf)(out, ", \"apart\": %s, \"pages_small\": %llu, \"pages_huge\": %llu",
                 t->role == APART ? "true" : "false", t->counts.pages_small, t->counts.pages_huge);
    for (int d = 0; d < DOMAINS; ++d) {
        VG_(fprintf)(out, ",\n     \"%s\": {\"instructions\": %llu, \"loads\": %llu, \"stores\": %llu, \"machines\": {",
                     domains[d], t->counts.instructions[d], t->counts.accesses[d][0], t->counts.accesses[d][1]);
        for (int m = 0; m < ngsim_state.machines; ++m) {
            VG_(fprintf)(out, "%s\"%s\": {\"cleared\": %llu", m == 0 ? "" : ", ", ngsim_state.name[m],
                         d == PROGRAM ? t->counts.cleared[m] : 0);
            json_events((ULong(*)[2])t->counts.events[m][d]);
            VG_(fprintf)(out, "}");
        }
        VG_(fprintf)(out, "}}");
    }
    VG_(fprintf)(out, "}");
}

/* Counts of one function. */
struct symbol {
    const HChar *name, *object;
    enum domain domain;
    ULong *count; /* [machine][role][event][store] */
    ULong weight;
};

static Int by_name(const void *a, const void *b) {
    const struct symbol *x = a, *y = b;
    Int first = VG_(strcmp)(x->name, y->name);
    return first != 0 ? first : VG_(strcmp)(x->object, y->object);
}

static Int by_weight(const void *a, const void *b) {
    const struct symbol *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return by_name(a, b);
}

static UInt width(void) { return (UInt)ngsim_state.machines * ROLES * NGSIM_EVENTS * 2; }

static ULong weight_of(const ULong *count) {
    ULong sum = 0;
    for (UInt i = 0; i < width(); ++i) {
        UInt event = i / 2 % NGSIM_EVENTS;
        sum += event == 2 || event == 3 || event == 5 || event == 6 ? count[i] : 0;
    }
    return sum;
}

/* Every function that missed anything, the worst first; how many. */
static UInt symbols(struct symbol **result) {
    struct symbol *list = ngsim_zeroed((ngsim_state.site_count + 1) * sizeof *list);
    UInt n = 0;
    DiEpoch epoch = VG_(current_DiEpoch)();
    for (int b = 0; b < SITE_BUCKETS; ++b)
        for (const struct site *s = ngsim_state.sites[b]; s != NULL; s = s->next) {
            Bool any = False;
            for (UInt i = 0; i < width() && !any; ++i)
                any = s->count[i] != 0;
            if (!any)
                continue;
            const HChar *name;
            struct symbol *one = &list[n++];
            HChar number[32];
            VG_(snprintf)(number, sizeof number, "0x%lx", s->pc);
            one->name = VG_(strdup)("ng-sim", VG_(get_fnname)(epoch, s->pc, &name) ? name : "(no symbol)");
            one->object = VG_(strdup)("ng-sim", VG_(get_objname)(epoch, s->pc, &name) ? VG_(basename)(name) : "?");
            one->domain = s->domain;
            one->count = ngsim_zeroed(width() * sizeof(ULong));
            for (UInt i = 0; i < width(); ++i)
                one->count[i] = s->count[i];
        }
    VG_(ssort)(list, n, sizeof *list, by_name);
    UInt kept = 0;
    for (UInt i = 0; i < n; ++i) {
        if (kept > 0 && by_name(&list[kept - 1], &list[i]) == 0) {
            for (UInt k = 0; k < width(); ++k)
                list[kept - 1].count[k] += list[i].count[k];
            continue;
        }
        list[kept++] = list[i];
    }
    for (UInt i = 0; i < kept; ++i)
        list[i].weight = weight_of(list[i].count);
    VG_(ssort)(list, kept, sizeof *list, by_weight);
    *result = list;
    return kept;
}

static void json_symbols(const struct symbol *list, UInt n) {
    VG_(fprintf)(out, "  \"symbols\": [");
    for (UInt i = 0; i < n && i < TOP * 5; ++i) {
        VG_(fprintf)(out, "%s\n    {\"symbol\": ", i == 0 ? "" : ",");
        json_string(list[i].name);
        VG_(fprintf)(out, ", \"object\": ");
        json_string(list[i].object);
        VG_(fprintf)(out, ", \"allocator\": %s, \"machines\": {", list[i].domain == ALLOCATOR ? "true" : "false");
        for (int m = 0; m < ngsim_state.machines; ++m) {
            VG_(fprintf)(out, "%s\"%s\": {\"cleared\": 0", m == 0 ? "" : ", ", ngsim_state.name[m]);
            json_events((ULong(*)[2])(list[i].count + ngsim_row_of(m, OURS)));
            VG_(fprintf)(out, "}");
        }
        VG_(fprintf)(out, "}}");
    }
    VG_(fprintf)(out, "\n  ]\n}\n");
}

static void write_json(const struct symbol *list, UInt n) {
    out = VG_(fopen)(ngsim_options.json, VKI_O_CREAT | VKI_O_WRONLY | VKI_O_TRUNC,
                     VKI_S_IRUSR | VKI_S_IWUSR | VKI_S_IRGRP | VKI_S_IROTH);
    if (out == NULL) {
        VG_(umsg)("ng-sim: cannot write %s\n", ngsim_options.json);
        return;
    }
    VG_(fprintf)(out, "{\n  \"format\": \"ng-sim 1\", \"quantum\": %d, \"thp\": ", ngsim_options.quantum);
    json_string(ngsim_options.thp);
    VG_(fprintf)(out, ", \"geometries\": {");
    for (int m = 0; m < ngsim_state.machines; ++m) {
        VG_(fprintf)(out, "%s\"%s\": {\"dtlb_event\": \"%s\"}", m == 0 ? "" : ", ", ngsim_state.name[m],
                     ngsim_state.geometry[m].dtlb_event_walk ? "walk" : "dtlb");
    }
    VG_(fprintf)(out, "},\n  \"threads\": [\n");
    Bool first = True;
    for (int i = 0; i < THREADS; ++i)
        if (ngsim_state.threads[i] != NULL && ngsim_state.threads[i]->used) {
            VG_(fprintf)(out, "%s", first ? "" : ",\n");
            json_thread(ngsim_state.threads[i], i);
            first = False;
        }
    VG_(fprintf)(out, "\n  ],\n");
    json_symbols(list, n);
    VG_(fclose)(out);
}

/* n for each thousand of `of`, in thousandths. */
static void print_rate(ULong n, ULong of) {
    ULong rate = of == 0 ? 0 : n * 1000000 / of;
    VG_(printf)(" %5llu.%03llu", rate / 1000, rate % 1000);
}

static void print_thread(const struct thread *t, int id, int m) {
    static const HChar *const domains[DOMAINS] = {"program", "allocator"};
    ULong all = t->counts.instructions[PROGRAM] + t->counts.instructions[ALLOCATOR];
    static const int shown[] = {0, 1, 2, 3, 5, 6};
    for (int d = 0; d < DOMAINS; ++d)
        for (int store = 0; store < 2; ++store) {
            if (t->counts.accesses[d][store] == 0)
                continue;
            VG_(printf)("%3d %-12s %-9s %-6s %14llu", id, t->name[0] != '\0' ? t->name : "-", domains[d],
                        store ? "stores" : "loads", t->counts.instructions[d]);
            print_rate(t->counts.accesses[d][store], all);
            for (UInt k = 0; k < sizeof shown / sizeof shown[0]; ++k)
                print_rate(t->counts.events[m][d][shown[k]][store], all);
            VG_(printf)("\n");
        }
}

static void print_report(const struct symbol *list, UInt n) {
    for (int m = 0; m < ngsim_state.machines; ++m) {
        VG_(printf)("\nng-sim: %s; for each 1000 instructions of the thread\n", ngsim_state.name[m]);
        VG_(printf)("  # thread       whose     what     instructions       all   L1 miss   L2 miss  LLC miss     "
                    "moved      dTLB      walk\n");
        for (int i = 0; i < THREADS; ++i)
            if (ngsim_state.threads[i] != NULL && ngsim_state.threads[i]->used)
                print_thread(ngsim_state.threads[i], i, m);
        VG_(printf)("\n  LLC load  LLC store  dTLB load dTLB store       walk  function (the program's threads)\n");
        for (UInt i = 0; i < n && i < (UInt)ngsim_options.top; ++i) {
            const ULong(*e)[2] = (const ULong(*)[2])(list[i].count + ngsim_row_of(m, OURS));
            VG_(printf)("%10llu %10llu %10llu %10llu %10llu  %s (%s)\n", e[2][0], e[2][1], e[5][0], e[5][1],
                        e[6][0] + e[6][1], list[i].name, list[i].object);
        }
    }
}

void ngsim_finish(Int status) {
    (void)status;
    if (VG_(getpid)() != ngsim_state.pid)
        return;
    ngsim_take_in();
    struct symbol *list;
    UInt n = symbols(&list);
    if (ngsim_options.json != NULL)
        write_json(list, n);
    if (ngsim_options.top > 0)
        print_report(list, n);
}
