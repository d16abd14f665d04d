/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * api.c: the public functions of ngrt/ngrt.h, which says what they promise.  Any core; a call may take the key.
 */
#include "ngrt/ngrt.h"

#include "front/entry.h"
#include "front/info.h"
#include "front/interposed.h"

#include <errno.h>

_Static_assert(NGRT_STATS_TEXT == NG_STATS_TEXT && NGRT_STATS_JSON == NG_STATS_JSON,
               "the option's words are the forms");

NG_EXPORT const char *ngrt_version(void) { return NGRT_VERSION; }

NG_EXPORT int ngrt_in_use(void) { return ng_malloc_is_ours(); }

NG_EXPORT int ngrt_stats_print(int fd, int form) {
    if (form != NGRT_STATS_TEXT && form != NGRT_STATS_JSON) {
        errno = EINVAL;
        return -1;
    }
    return ng_stats_write(fd, form) ? 0 : -1;
}

NG_EXPORT int ngrt_trim(size_t keep) {
    int saved = errno;
    int given_back = ng_trim(keep);
    errno = saved;
    return given_back;
}
