/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * foreign.h: blocks of another malloc that come to our free: from before this library came, or from a library loaded
 * with RTLD_DEEPBIND, which calls libc's malloc behind everybody's back.  Any core; the caller must not hold the key,
 * since the other malloc may call back.
 */
#ifndef NG_FRONT_FOREIGN_H
#define NG_FRONT_FOREIGN_H

#include <stddef.h>

/* Called once by ng_start: looks for the other malloc now, so that no free has to while the program holds a lock. */
void ng_foreign_start(void);

/* p: not NULL and in no slab of ours.  Where the process has no other malloc: nothing is freed, the size is 0, and
 * realloc fails with ENOMEM. */
void ng_foreign_free(void *p);
size_t ng_foreign_usable(const void *p);
void *ng_foreign_realloc(void *p, size_t size);

#endif
