/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A module for LD_AUDIT that allocates from every callback; it lives in a namespace of its own.
 */
#define _GNU_SOURCE
#include <link.h>
#include <stdlib.h>
#include <string.h>

static void use_heap(void) {
    free(NULL);
    char *p = (char *)calloc(7, 100);
    char *q = strdup("audited");
    p = (char *)realloc(p, 5000);
    if (p == NULL || q == NULL || p[699] != 0)
        abort();
    free(p);
    free(q);
}

__attribute__((visibility("default"))) unsigned la_version(unsigned version) {
    (void)version;
    use_heap();
    return LAV_CURRENT;
}

__attribute__((visibility("default"))) unsigned la_objopen(struct link_map *map, Lmid_t space, uintptr_t *cookie) {
    (void)map;
    (void)space;
    (void)cookie;
    use_heap();
    return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
