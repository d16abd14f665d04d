/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fork.h: the heap across fork.
 */
#ifndef NG_FRONT_FORK_H
#define NG_FRONT_FORK_H

/* Registers the handlers; once, by ng_start. */
void ng_fork_start(void);

#endif
