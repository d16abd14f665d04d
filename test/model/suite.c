/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * suite.c: a scenario's test: no execution of the code as it is has an error, and each mutant's error is found.
 *
 * The mutants are made from the call sites that the scenarios reach: every order stronger than relaxed is weakened, every
 * fence dropped, every read-modify-write taken apart.  So code that changes keeps its mutants.
 */
#include "explore.h"
#include <stdio.h>
#include <string.h>

static const struct model_suite *suite;
static bool print_traces;
static int found, harmless, wrong;

static const char *mutant_name(char *text, size_t size) {
    const struct model_mutation *m = &model_mutation;
    int n = 0;
    if (m->site != NULL)
        n = snprintf(text, size, "%s: %s%s%s ", m->site->function, model_op_name(m->site->op),
                     m->site->operand[0] != '\0' ? " " : "", m->site->operand);
    text += n;
    size -= (size_t)n;
    if (m->kind == MODEL_WEAKEN)
        snprintf(text, size, "%s -> %s", model_order_name(m->site->order), model_order_name(m->order));
    else if (m->kind == MODEL_DROP)
        snprintf(text, size, "dropped");
    else if (m->kind == MODEL_SPLIT)
        snprintf(text, size, "in two steps");
    else
        snprintf(text, size, "%s", m->extra == MODEL_NO_VERSION ? "CAS without version" : "futex without compare");
    return text - n;
}

static const char *why_harmless(const char *mutant) {
    for (const struct model_harmless *h = suite->harmless; h != NULL && h->mutant != NULL; h++)
        if (strcmp(h->mutant, mutant) == 0)
            return h->why;
    return NULL;
}

/* "ring.h:61", or nothing. */
static const char *where(void) {
    static char text[64];
    const struct model_site *site = model_mutation.site;
    text[0] = '\0';
    if (site != NULL) {
        const char *slash = strrchr(site->file, '/');
        snprintf(text, sizeof(text), "%s:%d, ", slash != NULL ? slash + 1 : site->file, site->line);
    }
    return text;
}

static void report(const char *verdict, const char *mutant, const char *why, const struct model_scenario *s,
                   double seconds) {
    printf("  %-8s  %s\n            %s\n            (%s%s%s%.2f s)\n", verdict, mutant, why, where(),
           s->name != NULL ? s->name : "", s->name != NULL ? ", " : "", seconds);
    fflush(stdout);
}

static void try_mutant(struct model_mutation m) {
    char text[160];
    double seconds = 0;
    model_mutation = m;
    const char *mutant = mutant_name(text, sizeof(text));
    const char *why = why_harmless(mutant);
    const struct model_scenario *s = suite->scenario;
    struct model_result r = {0};
    for (; s->name != NULL; s++) {
        r = model_explore(s, MODEL_REDUCED, false);
        seconds += r.seconds;
        if (r.failed)
            break;
    }
    if (r.failed == (why == NULL))
        report(r.failed ? "found" : "harmless", mutant, r.failed ? model_error() : why, s, seconds);
    else
        report("WRONG", mutant, r.failed ? "is listed as harmless, but is found" : "no scenario notices", s, seconds);
    found += r.failed && why == NULL;
    harmless += !r.failed && why != NULL;
    wrong += r.failed == (why != NULL);
    if (r.failed && (print_traces || why != NULL))
        model_print_error();
    model_mutation = (struct model_mutation){0};
}

static void try_site(const struct model_site *site) {
    struct model_mutation m = {.site = site, .kind = MODEL_WEAKEN, .order = NG_RELAXED};
    if (site->op == MODEL_FENCE) {
        m.kind = MODEL_DROP;
        try_mutant(m);
        return;
    }
    if ((site->order & NG_ACQ_REL) == NG_ACQ_REL) {
        m.order = NG_ACQUIRE;
        try_mutant(m);
        m.order = NG_RELEASE;
        try_mutant(m);
    } else if (site->order != NG_RELAXED) {
        try_mutant(m);
    }
    m.kind = MODEL_SPLIT;
    if (site->op == MODEL_SWAP || site->op == MODEL_ADD || site->op == MODEL_CAS)
        try_mutant(m);
}

/* The code as it is; false where it has an error. */
static bool try_original(void) {
    for (const struct model_scenario *s = suite->scenario; s->name != NULL; s++) {
        struct model_result r = model_explore(s, MODEL_REDUCED, false);
        printf("%s: %llu executions, %llu blind ends, %.2f s%s\n", s->name, (unsigned long long)r.executions,
               (unsigned long long)r.blind, r.seconds, r.failed ? ": ERROR" : "");
        if (r.failed) {
            model_print_error();
            return false;
        }
        fflush(stdout);
    }
    return true;
}

int model_main(const struct model_suite *s, int argc, char **argv) {
    suite = s;
    print_traces = argc == 2 && strcmp(argv[1], "--traces") == 0;
    if (argc > 1 && !print_traces) {
        fprintf(stderr, "%s: unknown argument '%s'; --traces prints the counter-example of each mutant\n", argv[0],
                argv[1]);
        return 2;
    }
    if (!try_original())
        return 1;
    int sites = model_site_count;
    for (int i = 0; i < sites; i++)
        try_site(model_sites[i]);
    for (unsigned extra = 1; extra <= MODEL_NO_COMPARE; extra <<= 1)
        if (suite->extra & extra)
            try_mutant((struct model_mutation){.kind = MODEL_EXTRA, .extra = extra});
    printf("mutants: %d found, %d harmless, %d wrong\n", found, harmless, wrong);
    return wrong != 0;
}
