/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * kernel.c: what the program asks of the kernel: memory and advice go to pages.c; clocks and processors are those of the
 * simulated machine.
 */
#include "sim.h"

static void forget(Addr a, SizeT bytes) {
    ngsim_state.last_page = 0;
    for (int m = 0; m < ngsim_state.machines; ++m)
        ngsim_forget(ngsim_state.machine[m], a, bytes);
}

static void populate(Addr a, SizeT bytes) {
    for (Addr end = a + bytes; a < end;) {
        struct ngsim_touch t = ngsim_pages_touch(ngsim_state.pages, a);
        if (t.fresh)
            ngsim_clear_page(&t);
        a = t.huge ? (a | ((1UL << NGSIM_HUGE_SHIFT) - 1)) + 1 : a + (1UL << NGSIM_PAGE_SHIFT);
    }
    ngsim_state.last_line = 0;
}

enum {
    ADV_DONTNEED = 4,
    ADV_FREE = 8,
    ADV_REMOVE = 9,
    ADV_HUGEPAGE = 14,
    ADV_NOHUGEPAGE = 15,
    ADV_POPULATE_READ = 22,
    ADV_POPULATE_WRITE = 23,
    ADV_DONTNEED_LOCKED = 24,
    ADV_COLLAPSE = 25,
    PR_NAME = 15,
    PR_THP_DISABLE = 41,
    MAP_POPULATE_FLAG = 0x8000,
    CLOCK_CPU = 2,
    CLOCK_CPU_THREAD = 3,
    TIMED_OUT = 110,
    FUTEX_COMMAND = 127,
    FUTEX_UNTIL = 9 /* FUTEX_WAIT_BITSET, whose time is absolute */
};

static void advised(Addr a, SizeT bytes, UWord advice) {
    switch (advice) {
    case ADV_DONTNEED:
    case ADV_FREE:
    case ADV_REMOVE:
    case ADV_DONTNEED_LOCKED:
        ngsim_pages_drop(ngsim_state.pages, a, bytes, False);
        forget(a, bytes);
        break;
    case ADV_HUGEPAGE:
    case ADV_NOHUGEPAGE:
        ngsim_pages_advise(ngsim_state.pages, a, bytes, advice == ADV_HUGEPAGE);
        break;
    case ADV_POPULATE_READ:
    case ADV_POPULATE_WRITE:
        populate(a, bytes);
        break;
    case ADV_COLLAPSE:
        ngsim_pages_collapse(ngsim_state.pages, a, bytes);
        forget(a, bytes);
        break;
    default:
        break;
    }
}

static SizeT whole_pages(SizeT bytes) { return (bytes + VKI_PAGE_SIZE - 1) & ~(SizeT)(VKI_PAGE_SIZE - 1); }

static void write_time(Addr where, ULong ns, Bool micro) {
    if (where == 0)
        return;
    Long *t = (Long *)where;
    t[0] = (Long)(ns / 1000000000);
    t[1] = (Long)(ns % 1000000000) / (micro ? 1000 : 1);
}

/* What a clock says: the thread's own core's, by instructions. */
static void clock_read(UWord which, Addr where) {
    ngsim_take_in();
    ULong ps = ngsim_running->clock_ps;
    if (which == CLOCK_CPU) {
        ps = 0;
        for (int i = 0; i < THREADS; ++i)
            if (ngsim_state.threads[i] != NULL)
                ps +=
                    (ngsim_state.threads[i]->counts.instructions[0] + ngsim_state.threads[i]->counts.instructions[1]) *
                    (ULong)ngsim_options.ps;
        write_time(where, ps / 1000, False);
        return;
    }
    if (which == CLOCK_CPU_THREAD) {
        write_time(where,
                   (ngsim_running->counts.instructions[0] + ngsim_running->counts.instructions[1]) *
                       (ULong)ngsim_options.ps / 1000,
                   False);
        return;
    }
    write_time(where, ngsim_state.start_ns + ps / 1000, False);
}

/* sched_getaffinity: as many processors as the machine is said to have. */
static void give_processors(Addr mask, SizeT bytes) {
    for (SizeT i = 0; i < bytes; ++i) {
        UInt left = (UInt)ngsim_options.cpus > i * 8 ? (UInt)ngsim_options.cpus - i * 8 : 0;
        ((UChar *)mask)[i] = left >= 8 ? 0xff : (UChar)((1U << left) - 1);
    }
}

void ngsim_pre_syscall(ThreadId tid, UInt number, UWord *args, UInt count) {
    (void)number, (void)args, (void)count;
    ngsim_take_in();
    ngsim_not_back_at_once();
    ngsim_thread_of(tid)->switched = ngsim_state.turns;
}

/* A call that waited: others ran meanwhile, or, where it timed out, nobody did. */
static void after_wait(struct thread *t, ULong timeout_ns) {
    if (ngsim_state.turns - t->switched > 1) {
        ULong most = ngsim_all_threads_clock();
        if (t->clock_ps < most)
            t->clock_ps = most;
    } else {
        t->clock_ps += timeout_ns * 1000;
    }
}

static ULong timeout_of(Addr where) {
    return where == 0 ? 0 : (ULong)((Long *)where)[0] * 1000000000 + (ULong)((Long *)where)[1];
}

/* A call that timed out at a time of the clock. */
static void wait_until(struct thread *t, ULong ns) {
    ULong ps = ns > ngsim_state.start_ns ? (ns - ngsim_state.start_ns) * 1000 : 0;
    if (t->clock_ps < ps)
        t->clock_ps = ps;
}

static void post_memory_call(UInt number, UWord *args, UWord result) {
    switch (number) {
    case __NR_mmap:
        ngsim_pages_map(ngsim_state.pages, result, whole_pages(args[1]));
        forget(result, whole_pages(args[1]));
        if ((args[3] & MAP_POPULATE_FLAG) != 0)
            populate(result, whole_pages(args[1]));
        break;
    case __NR_munmap:
        ngsim_pages_drop(ngsim_state.pages, args[0], whole_pages(args[1]), True);
        forget(args[0], whole_pages(args[1]));
        break;
    case __NR_mremap:
        if (result != args[0]) {
            ngsim_pages_drop(ngsim_state.pages, args[0], whole_pages(args[1]), True);
            forget(args[0], whole_pages(args[1]));
            ngsim_pages_map(ngsim_state.pages, result, whole_pages(args[2]));
        } else if (args[2] < args[1]) {
            ngsim_pages_drop(ngsim_state.pages, result + whole_pages(args[2]),
                             whole_pages(args[1]) - whole_pages(args[2]), True);
        }
        break;
    case __NR_mprotect:
        ngsim_pages_split(ngsim_state.pages, args[0], whole_pages(args[1]));
        break;
    case __NR_madvise:
        advised(args[0], whole_pages(args[1]), args[2]);
        break;
    default:
        break;
    }
}

void ngsim_post_syscall(ThreadId tid, UInt number, UWord *args, UInt count, SysRes result) {
    (void)count;
    struct thread *t = ngsim_thread_of(tid);
    ngsim_take_in();
    ngsim_running = t;
    ngsim_running_id = tid;
    Bool timed_out = sr_isError(result) && sr_Err(result) == TIMED_OUT;
    switch (number) {
    case __NR_futex:
        if (timed_out && (args[1] & FUTEX_COMMAND) == FUTEX_UNTIL)
            wait_until(t, timeout_of(args[3]));
        else
            after_wait(t, timed_out ? timeout_of(args[3]) : 0);
        return;
    case __NR_nanosleep:
        after_wait(t, timeout_of(args[0]));
        return;
    case __NR_clock_nanosleep:
        after_wait(t, args[1] == 0 ? timeout_of(args[2]) : 0);
        return;
#ifdef __NR_poll
    case __NR_poll:
        after_wait(t, 0);
        return;
#endif
    default:
        break;
    }
    if (sr_isError(result))
        return;
    switch (number) {
    case __NR_clock_gettime:
        clock_read(args[0], args[1]);
        break;
    case __NR_gettimeofday:
        write_time(args[0], ngsim_state.start_ns + t->clock_ps / 1000, True);
        break;
    case __NR_sched_getaffinity:
        give_processors(args[2], sr_Res(result));
        break;
    case __NR_getcpu:
        if (args[0] != 0)
            *(UInt *)args[0] = (tid - 1) % (UInt)ngsim_options.cpus;
        break;
    case __NR_prctl:
        if (args[0] == PR_NAME)
            ngsim_name_thread(tid, (const HChar *)args[1]);
        else if (args[0] == PR_THP_DISABLE)
            ngsim_pages_disable(ngsim_state.pages, args[1] != 0);
        break;
    default:
        post_memory_call(number, args, sr_Res(result));
    }
    ngsim_now.left = ngsim_now.left < ngsim_options.quantum ? ngsim_now.left : ngsim_options.quantum;
}
