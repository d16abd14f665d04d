/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * info.h: what the runtime tells about itself: glibc's mallinfo and malloc_info, NGRT_STATS, NGRT_VERBOSE.
 * Any core; the caller must not hold the key.
 */
#ifndef NG_FRONT_INFO_H
#define NG_FRONT_INFO_H

#include "room/options.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>

struct mallinfo ng_mallinfo(void);
struct mallinfo2 ng_mallinfo2(void);

/* 0, or an error's number. */
int ng_malloc_info(int options, FILE *stream);

/* Writes the summary (NG_STATS_TEXT, several lines) or one JSON object in one line (NG_STATS_JSON) to the descriptor.
 * Allocates nothing and uses no stdio.  False where the descriptor takes no more, with errno; else errno is kept. */
bool ng_stats_write(int fd, int format);

/* The line that NGRT_VERBOSE=1 asks for; called once by ng_start, after the options are read. */
void ng_verbose_line(void);

#endif
