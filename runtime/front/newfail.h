/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * newfail.h: the one thing that C cannot do for operator new: catch.
 */
#ifndef NG_FRONT_NEWFAIL_H
#define NG_FRONT_NEWFAIL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *ng_new_function(size_t size, size_t align);

/* What `allocate` returns, or NULL where it throws.  Any core; no lock held: the program's code runs in it. */
void *ng_new_catching(ng_new_function *allocate, size_t size, size_t align);

#ifdef __cplusplus
}
#endif

#endif
