/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * sim.h: what the files of ng-sim's instrument share: the state of a run, and what each does for the others.  There is no libc
 * in a valgrind tool.  Valgrind runs one thread at a time: nothing here is shared between threads that run.
 */
#ifndef NG_SIM_SIM_H
#define NG_SIM_SIM_H

#include "pub_tool_basics.h"
/* The rest needs what that one declares. */
#include "libvex.h"
#include "pub_tool_aspacemgr.h"
#include "pub_tool_debuginfo.h"
#include "pub_tool_libcassert.h"
#include "pub_tool_libcbase.h"
#include "pub_tool_libcfile.h"
#include "pub_tool_libcprint.h"
#include "pub_tool_libcproc.h"
#include "pub_tool_machine.h"
#include "pub_tool_mallocfree.h"
#include "pub_tool_options.h"
#include "pub_tool_threadstate.h"
#include "pub_tool_tooliface.h"
#include "pub_tool_vki.h"
#include "pub_tool_vkiscnums.h"

#include "hierarchy.h"
#include "pages.h"

enum { MACHINES = 4, THREADS = NGSIM_CORES, NAME_BYTES = 16, SITE_BUCKETS = 1 << 16, TOP = 40, COUNTER_OFFSET = 8 };

/* Who an instruction belongs to, and on whose behalf memory is touched. */
enum domain { PROGRAM, ALLOCATOR, DOMAINS };
/* Which threads: the program's own, or those that --apart names (the room's). */
enum role { OURS, APART, ROLES };

/* One instruction that touches memory. */
struct site {
    struct site *next;
    Addr pc;
    enum domain domain;
    UInt count[]; /* [machine][role][event][store] */
};

struct counts {
    ULong instructions[DOMAINS];
    ULong accesses[DOMAINS][2];
    ULong events[MACHINES][DOMAINS][NGSIM_EVENTS][2];
    ULong cleared[MACHINES]; /* lines of fresh pages that came from memory */
    ULong pages_small, pages_huge;
};

struct thread {
    HChar name[NAME_BYTES];
    enum role role;
    Bool used;
    ULong clock_ps;
    ULong switched; /* how many turns there had been when its last call began */
    UInt left;      /* of its turn: what it had left when it stopped */
    struct counts counts;
};

/* All there is, but for what one file alone knows. */
extern struct ngsim_state {
    struct ngsim *machine[MACHINES];
    struct ngsim_geometry geometry[MACHINES];
    HChar name[MACHINES][64];
    int machines;
    struct ngsim_pages *pages;
    struct thread *threads[THREADS];
    struct site *sites[SITE_BUCKETS];
    UInt site_count;
    Addr last_line; /* of the running thread, shared by all machines */
    Bool last_store;
    Addr last_page;
    Bool last_huge;
    ULong turns;
    ULong start_ns;
    Bool done; /* a forked child reports nothing */
    Int pid;
} ngsim_state;

/* The command line's; tool.c has the defaults. */
extern struct ngsim_options {
    const HChar *json, *apart, *thp, *allocator;
    Int quantum, cpus, ps, top;
} ngsim_options;

/* What instrumented code changes by itself. */
extern struct ngsim_now {
    ULong instructions[DOMAINS]; /* of the running thread since its turn began */
    Long left;                   /* of the turn */
} ngsim_now;

extern struct thread *ngsim_running; /* the thread whose code runs, and its number */
extern ThreadId ngsim_running_id;

/* ---- tool.c ---- */

/* Zeroed memory that is kept until the end. */
void *ngsim_zeroed(SizeT bytes);

/* ---- instrument.c ---- */

IRSB *ngsim_instrument(VgCallbackClosure *closure, IRSB *in, const VexGuestLayout *layout,
                       const VexGuestExtents *extents, const VexArchInfo *host, IRType guest_word, IRType host_word);
/* Where a machine's counts for a role begin, in a site's and in a symbol's. */
size_t ngsim_row_of(int machine, enum role role);
/* A page that appears: the kernel writes all of it on the running thread's core, where no file has what stands there. */
void ngsim_clear_page(const struct ngsim_touch *t);

/* ---- turns.c ---- */

struct thread *ngsim_thread_of(ThreadId tid);
/* What instrumented code counted goes to the running thread, and its clock goes on. */
void ngsim_take_in(void);
ULong ngsim_all_threads_clock(void);
void ngsim_start_client_code(ThreadId tid, ULong blocks);
void ngsim_name_thread(ThreadId tid, const HChar *name);
void ngsim_thread_created(ThreadId parent, ThreadId child);
void ngsim_forked(ThreadId tid);
/* Called before each system call. */
void ngsim_not_back_at_once(void);
/* Called by instrumented code: the turn is over, the next block's event check ends it. */
VG_REGPARM(1) void ngsim_on_end_of_turn(HChar *guest);

/* ---- kernel.c ---- */

void ngsim_pre_syscall(ThreadId tid, UInt number, UWord *args, UInt count);
void ngsim_post_syscall(ThreadId tid, UInt number, UWord *args, UInt count, SysRes result);

/* ---- report.c ---- */

void ngsim_finish(Int status);

#endif
