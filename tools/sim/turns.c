/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * turns.c: threads take turns of a fixed number of instructions, in a fixed order, and clocks go by instructions, so that a run
 * repeats.
 */
#include "sim.h"

/*
 * Valgrind's lock goes to whoever waits for it; where the system lets a thread that gave it up wait for a processor, it goes
 * to the same thread again and again, and two runs differ.  So the linker puts these two in place of the lock's: a thread
 * whose turn ended is owed one, and who got one later gives way to it.  All below is changed with the lock held.
 */
static struct {
    struct {
        Int lwp;
        Bool owed;
        ULong turn; /* its last */
    } slot[THREADS];
    UInt slots;
    ULong turn;
    Bool ended; /* the running thread's turn did, so that it will be back */
} order;

static void yield_processor(void) {
#if defined(VGA_amd64)
    Long result = __NR_sched_yield;
    __asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
#else
    register Long number __asm__("x8") = __NR_sched_yield;
    register Long result __asm__("x0");
    __asm__ volatile("svc 0" : "=r"(result) : "r"(number) : "memory");
#endif
}

struct sched_lock;
void __real_vgModuleLocal_acquire_sched_lock(struct sched_lock *lock);
void __real_vgModuleLocal_release_sched_lock(struct sched_lock *lock);
void __wrap_vgModuleLocal_acquire_sched_lock(struct sched_lock *lock);
void __wrap_vgModuleLocal_release_sched_lock(struct sched_lock *lock);

static UInt slot_of(Int lwp) {
    UInt i = 0, oldest = 0;
    for (; i < order.slots && order.slot[i].lwp != lwp; ++i)
        if (!order.slot[i].owed && (order.slot[oldest].owed || order.slot[i].turn < order.slot[oldest].turn))
            oldest = i;
    if (i < order.slots)
        return i;
    i = order.slots < THREADS ? order.slots++ : oldest; /* most likely a thread that is gone */
    order.slot[i].lwp = lwp;
    order.slot[i].turn = 0;
    order.slot[i].owed = False;
    return i;
}

static Bool others_first(UInt mine) {
    for (UInt i = 0; i < order.slots; ++i)
        if (i != mine && order.slot[i].owed && order.slot[i].turn < order.slot[mine].turn)
            return True;
    return False;
}

void __wrap_vgModuleLocal_acquire_sched_lock(struct sched_lock *lock) {
    Int lwp = VG_(gettid)();
    UInt mine;
    for (;;) {
        __real_vgModuleLocal_acquire_sched_lock(lock);
        mine = slot_of(lwp);
        if (!others_first(mine))
            break;
        __real_vgModuleLocal_release_sched_lock(lock);
        yield_processor();
    }
    order.slot[mine].owed = False;
    order.slot[mine].turn = ++order.turn;
}

void __wrap_vgModuleLocal_release_sched_lock(struct sched_lock *lock) {
    if (order.ended)
        order.slot[slot_of(VG_(gettid)())].owed = True;
    order.ended = False;
    __real_vgModuleLocal_release_sched_lock(lock);
}

/* The turn is over: the next block's event check ends it. */
VG_REGPARM(1) void ngsim_on_end_of_turn(HChar *guest) {
    *(volatile UInt *)(guest + COUNTER_OFFSET) = 0;
    ngsim_now.left = ngsim_options.quantum;
    order.ended = True;
}

/* The block that ended the turn ends in a system call: the thread may wait for the others there, or end. */
void ngsim_not_back_at_once(void) { order.ended = False; }

/* A child of fork has one thread. */
void ngsim_forked(ThreadId tid) {
    (void)tid;
    order.slots = 0;
}

/* ---- threads and their clocks ---- */

struct thread *ngsim_thread_of(ThreadId tid) {
    if (tid >= THREADS)
        VG_(tool_panic)("ng-sim: too many threads at a time");
    if (ngsim_state.threads[tid] == NULL)
        ngsim_state.threads[tid] = ngsim_zeroed(sizeof(struct thread));
    return ngsim_state.threads[tid];
}

ULong ngsim_all_threads_clock(void) {
    ULong most = 0;
    for (int i = 0; i < THREADS; ++i)
        if (ngsim_state.threads[i] != NULL && ngsim_state.threads[i]->clock_ps > most)
            most = ngsim_state.threads[i]->clock_ps;
    return most;
}

void ngsim_take_in(void) {
    if (ngsim_running == NULL)
        return;
    ULong ran = 0;
    for (int d = 0; d < DOMAINS; ++d) {
        ngsim_running->counts.instructions[d] += ngsim_now.instructions[d];
        ran += ngsim_now.instructions[d];
        ngsim_now.instructions[d] = 0;
    }
    ngsim_running->clock_ps += ran * (ULong)ngsim_options.ps;
}

void ngsim_start_client_code(ThreadId tid, ULong blocks) {
    (void)blocks;
    if (tid == ngsim_running_id && ngsim_running != NULL)
        return;
    ngsim_take_in();
    ngsim_running_id = tid;
    ngsim_running = ngsim_thread_of(tid);
    ngsim_running->used = True;
    ngsim_now.left = ngsim_options.quantum;
    ngsim_state.turns++;
    ngsim_state.last_line = 0;
    ngsim_state.last_store = False;
    ngsim_state.last_page = 0;
}

void ngsim_name_thread(ThreadId tid, const HChar *name) {
    struct thread *t = ngsim_thread_of(tid);
    VG_(snprintf)(t->name, NAME_BYTES, "%s", name);
    t->role = VG_(strncmp)(name, ngsim_options.apart, VG_(strlen)(ngsim_options.apart)) == 0 ? APART : OURS;
}

/* A number is used again: what it counted so far stays, its role is the new thread's. */
void ngsim_thread_created(ThreadId parent, ThreadId child) {
    struct thread *t = ngsim_thread_of(child), *p = ngsim_thread_of(parent);
    ngsim_take_in();
    t->used = True;
    t->role = p->role;
    VG_(snprintf)(t->name, NAME_BYTES, "%s", p->name);
    t->clock_ps = ngsim_all_threads_clock();
}
