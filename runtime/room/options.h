/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * options.h: what the user may set, by NGRT_* variables of the environment; options.def is the list.
 *
 * Everybody may read ng_options, on any core and without a lock: front/options.c writes it once, by the constructor,
 * while the program has one thread as far as this library knows; until then the defaults hold.
 */
#ifndef NG_ROOM_OPTIONS_H
#define NG_ROOM_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Values of options that are words: the word's place in its list. */
enum { NG_AUTO, NG_ON, NG_OFF };
enum { NG_MODE_QUEUE, NG_MODE_HANDSHAKE };
enum { NG_STATS_OFF, NG_STATS_TEXT, NG_STATS_JSON };

/* Options that are numbers: the word that may stand instead. */
enum { NG_NUMBER_AUTO = -1, NG_NUMBER_NEVER = -1 };

/* The field's type for each kind in options.def; max is a NAME's longest. */
#define NG_OPTION_FIELD_WORD(field, max) int field;
#define NG_OPTION_FIELD_NUMBER(field, max) int field;
#define NG_OPTION_FIELD_SIZE(field, max) size_t field;
#define NG_OPTION_FIELD_NAME(field, max) char field[(max) + 1];

struct ng_options {
#define NG_OPTION(kind, field, variable, value, text, max, allowed, sentence) NG_OPTION_FIELD_##kind(field, max)
#include "room/options.def"
#undef NG_OPTION
};

extern struct ng_options ng_options;

#endif
