/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * options.h: reads the options from the environment.  The constructor, before main.
 */
#ifndef NG_FRONT_OPTIONS_H
#define NG_FRONT_OPTIONS_H

#include "room/options.h"

/* Sets ng_options from the defaults and `envp` (NULL: the defaults alone).  A bad value costs one line on stderr and leaves
 * the default.  Allocates nothing, keeps errno. */
void ng_options_parse(char **envp);

/* front/start.c: what else must happen before main, called once by the constructor after the options are read. */
void ng_start(void);

#endif
