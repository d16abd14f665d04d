/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * calibrate.h: measures what the model asks of a machine and prints it as the model reads it: NAME = VALUE a line.
 */
#ifndef NG_CALIBRATE_H
#define NG_CALIBRATE_H

/* Takes some seconds; returns 0, or 1 with a message on stderr. */
int ng_calibrate(void);

#endif
