/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * tool.c: ng-sim's instrument, a valgrind tool.  It puts a call before each load and store of the program, gives each thread a
 * core of the machines that hierarchy.c models, and tells pages.c what the program asks of the kernel.  Threads take turns of
 * a fixed number of instructions, and clocks go by instructions, so that a run repeats.  docs/sim.md has the whole of it.
 *
 * Valgrind runs one thread at a time: nothing here is shared.  There is no libc in a tool.
 */
#include "pub_tool_aspacemgr.h"
#include "pub_tool_basics.h"
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

/* The time that stands for what the kernel does, in picoseconds; it moves clocks only, not counts. */
static const ULong clear_small_ps = 600000, clear_huge_ps = 100000000;

static const HChar *const event_names[NGSIM_EVENTS] = {"l1", "l2", "llc", "move", "upgrade", "dtlb", "walk"};

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

static struct {
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
} sim;

static const HChar *clo_json, *clo_apart = "ngrt-", *clo_thp = "system";
static const HChar *clo_allocator;
static Int clo_quantum = 5000, clo_cpus = 16, clo_ps = 500, clo_top = 15;

/* What instrumented code changes by itself. */
static struct {
    ULong instructions[DOMAINS]; /* of the running thread since its turn began */
    Long left;                   /* of the turn */
} now;

static struct thread *running;
static ThreadId running_id;

/* ---- memory ---- */

static void *zeroed(SizeT bytes) { return VG_(calloc)("ng-sim", 1, bytes); }

static struct thread *thread_of(ThreadId tid) {
    if (tid >= THREADS)
        VG_(tool_panic)("ng-sim: too many threads at a time");
    if (sim.threads[tid] == NULL)
        sim.threads[tid] = zeroed(sizeof(struct thread));
    return sim.threads[tid];
}

/* ---- accesses ---- */

/* A page that appears: the kernel writes all of it on this thread's core, where no file has what stands there. */
static void clear_page(const struct ngsim_touch *t) {
    struct counts *c = &running->counts;
    const NSegment *s = VG_(am_find_nsegment)(t->page);
    if (s == NULL || s->kind != SkAnonC)
        return;
    for (int m = 0; m < sim.machines; ++m)
        c->cleared[m] += ngsim_clear(sim.machine[m], running_id, t->page, t->bytes);
    if (t->huge)
        c->pages_huge++;
    else
        c->pages_small++;
    running->clock_ps += t->huge ? clear_huge_ps : clear_small_ps;
}

static Bool is_huge(Addr a) {
    Addr page = a >> NGSIM_PAGE_SHIFT;
    if (page == sim.last_page)
        return sim.last_huge;
    struct ngsim_touch t = ngsim_pages_touch(sim.pages, a);
    if (t.fresh)
        clear_page(&t);
    sim.last_page = page;
    sim.last_huge = t.huge;
    return t.huge;
}

/* Where a machine's counts for a role begin, in a site's and in a symbol's. */
static size_t row_of(int machine, enum role role) { return ((size_t)machine * ROLES + role) * NGSIM_EVENTS * 2; }

static void count_events(struct site *site, int machine, unsigned events, Bool store) {
    UInt *row = site->count + row_of(machine, running->role) + store;
    ULong(*events_of)[2] = running->counts.events[machine][site->domain];
    for (; events != 0; events &= events - 1) {
        int e = __builtin_ctz(events);
        row[(size_t)e * 2]++;
        events_of[e][store]++;
    }
}

static void access(struct site *site, Addr a, UWord bytes, Bool store) {
    running->counts.accesses[site->domain][store]++;
    Addr line = ngsim_line(a);
    if (line == sim.last_line && line == ngsim_line(a + bytes - 1) && store <= sim.last_store)
        return;
    Bool huge = is_huge(a);
    for (int m = 0; m < sim.machines; ++m) {
        unsigned events = ngsim_access(sim.machine[m], running_id, a, bytes, store, huge);
        if (events != 0)
            count_events(site, m, events, store);
    }
    sim.last_line = ngsim_line(a + bytes - 1);
    sim.last_store = store;
    if (a >> NGSIM_PAGE_SHIFT != (a + bytes - 1) >> NGSIM_PAGE_SHIFT)
        is_huge(a + bytes - 1);
}

static VG_REGPARM(3) void on_load(struct site *site, Addr a, UWord bytes) { access(site, a, bytes, False); }
static VG_REGPARM(3) void on_store(struct site *site, Addr a, UWord bytes) { access(site, a, bytes, True); }
static VG_REGPARM(3) void on_change(struct site *site, Addr a, UWord bytes) {
    access(site, a, bytes, False);
    access(site, a, bytes, True);
}

/* ---- whose turn ---- */

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
static VG_REGPARM(1) void on_end_of_turn(HChar *guest) {
    *(volatile UInt *)(guest + COUNTER_OFFSET) = 0;
    now.left = clo_quantum;
    order.ended = True;
}

/* A child of fork has one thread. */
static void forked(ThreadId tid) {
    (void)tid;
    order.slots = 0;
}

/* ---- whose code ---- */

static Bool is_one_of(const HChar *name, const HChar *const *list) {
    for (; *list != NULL; ++list)
        if (VG_(strcmp)(name, *list) == 0)
            return True;
    return False;
}

static const HChar *const allocator_objects[] = {"libngrt", "libmimalloc", "libjemalloc", "libtcmalloc", NULL};

/* glibc's malloc lies among the rest of libc. */
static const HChar *const glibc_functions[] = {"malloc",
                                               "free",
                                               "cfree",
                                               "calloc",
                                               "realloc",
                                               "memalign",
                                               "aligned_alloc",
                                               "posix_memalign",
                                               "malloc_trim",
                                               "_int_malloc",
                                               "_int_free",
                                               "_int_free_check",
                                               "_int_free_merge_chunk",
                                               "_int_free_create_chunk",
                                               "_int_free_maybe_consolidate",
                                               "_int_realloc",
                                               "_int_memalign",
                                               "_mid_memalign",
                                               "malloc_consolidate",
                                               "unlink_chunk",
                                               "unlink_chunk.isra.0",
                                               "unlink_chunk.constprop.0",
                                               "sysmalloc",
                                               "sysmalloc_mmap",
                                               "sysmalloc_mmap.isra.0",
                                               "systrim",
                                               "systrim.constprop.0",
                                               "tcache_init",
                                               "tcache_init.part.0",
                                               "arena_get2",
                                               "arena_get2.part.0",
                                               "arena_get_retry",
                                               "grow_heap",
                                               "heap_trim",
                                               "heap_trim.isra.0",
                                               "mremap_chunk",
                                               "munmap_chunk",
                                               "ptmalloc_init",
                                               "ptmalloc_init.part.0",
                                               "__libc_alloc_buffer_allocate",
                                               NULL};

static enum domain domain_of(Addr pc) {
    const HChar *name;
    DiEpoch epoch = VG_(current_DiEpoch)();
    if (!VG_(get_objname)(epoch, pc, &name))
        return PROGRAM;
    const HChar *base = VG_(basename)(name);
    for (const HChar *const *o = allocator_objects; *o != NULL; ++o)
        if (VG_(strncmp)(base, *o, VG_(strlen)(*o)) == 0)
            return ALLOCATOR;
    if (clo_allocator != NULL && VG_(strstr)(name, clo_allocator) != NULL)
        return ALLOCATOR;
    Bool libc = VG_(strncmp)(base, "libc.so", 7) == 0 || VG_(strncmp)(base, "libc-", 5) == 0;
    Bool cxx = VG_(strncmp)(base, "libstdc++", 9) == 0;
    if ((!libc && !cxx) || !VG_(get_fnname)(epoch, pc, &name))
        return PROGRAM;
    if (cxx)
        return VG_(strncmp)(name, "operator new", 12) == 0 || VG_(strncmp)(name, "operator delete", 15) == 0 ? ALLOCATOR
                                                                                                             : PROGRAM;
    return is_one_of(name, glibc_functions) ? ALLOCATOR : PROGRAM;
}

static struct site *site_of(Addr pc) {
    struct site **bucket = &sim.sites[(pc ^ pc >> 16) & (SITE_BUCKETS - 1)];
    for (struct site *s = *bucket; s != NULL; s = s->next)
        if (s->pc == pc)
            return s;
    struct site *s = zeroed(sizeof *s + sizeof(UInt) * sim.machines * ROLES * NGSIM_EVENTS * 2);
    s->pc = pc;
    s->domain = domain_of(pc);
    s->next = *bucket;
    *bucket = s;
    sim.site_count++;
    return s;
}

/* ---- instrumentation ---- */

/* One superblock while it is being rewritten. */
struct block {
    IRSB *out;
    struct site *site; /* of the current instruction, found when it touches memory */
    Addr pc;
    UInt instructions[DOMAINS]; /* not yet added to the counters */
};

static void add(struct block *b, IRStmt *st) { addStmtToIRSB(b->out, st); }

static IRExpr *assign(struct block *b, IRType type, IRExpr *e) {
    IRTemp t = newIRTemp(b->out->tyenv, type);
    add(b, IRStmt_WrTmp(t, e));
    return IRExpr_RdTmp(t);
}

static void add_to(struct block *b, const void *counter, Long by) {
    IRExpr *where = mkIRExpr_HWord((HWord)counter);
    IRExpr *old = assign(b, Ity_I64, IRExpr_Load(Iend_LE, Ity_I64, where));
    IRExpr *sum = assign(b, Ity_I64, IRExpr_Binop(Iop_Add64, old, IRExpr_Const(IRConst_U64((ULong)by))));
    add(b, IRStmt_Store(Iend_LE, where, sum));
}

static void flush_instructions(struct block *b) {
    UInt all = b->instructions[PROGRAM] + b->instructions[ALLOCATOR];
    if (all == 0)
        return;
    for (int d = 0; d < DOMAINS; ++d)
        if (b->instructions[d] != 0)
            add_to(b, &now.instructions[d], b->instructions[d]);
    add_to(b, &now.left, -(Long)all);
    b->instructions[PROGRAM] = b->instructions[ALLOCATOR] = 0;
}

/* At a block's begin: whether the turn is over. */
static void check_turn(struct block *b) {
    IRExpr *left = assign(b, Ity_I64, IRExpr_Load(Iend_LE, Ity_I64, mkIRExpr_HWord((HWord)&now.left)));
    IRDirty *call =
        unsafeIRDirty_0_N(1, "on_end_of_turn", VG_(fnptr_to_fnentry)(on_end_of_turn), mkIRExprVec_1(IRExpr_GSPTR()));
    call->guard = assign(b, Ity_I1, IRExpr_Binop(Iop_CmpLT64S, left, IRExpr_Const(IRConst_U64(0))));
    call->nFxState = 1;
    call->fxState[0].fx = Ifx_Write;
    call->fxState[0].offset = COUNTER_OFFSET;
    call->fxState[0].size = 4;
    call->fxState[0].nRepeats = call->fxState[0].repeatLen = 0;
    add(b, IRStmt_Dirty(call));
}

static void touch(struct block *b, IRExpr *address, Int bytes, Bool load, Bool store, IRExpr *guard) {
    if (b->site == NULL)
        b->site = site_of(b->pc);
    void (*helper)(struct site *, Addr, UWord) = load && store ? on_change : store ? on_store : on_load;
    IRDirty *call =
        unsafeIRDirty_0_N(3, "access", VG_(fnptr_to_fnentry)((void *)helper),
                          mkIRExprVec_3(mkIRExpr_HWord((HWord)b->site), address, mkIRExpr_HWord((HWord)bytes)));
    if (guard != NULL)
        call->guard = guard;
    add(b, IRStmt_Dirty(call));
}

static void begin_instruction(struct block *b, const IRStmt *st) {
    b->pc = st->Ist.IMark.addr + st->Ist.IMark.delta;
    b->site = site_of(b->pc);
    b->instructions[b->site->domain]++;
}

static void touches_of(struct block *b, const IRStmt *st) {
    const IRTypeEnv *types = b->out->tyenv;
    switch (st->tag) {
    case Ist_WrTmp:
        if (st->Ist.WrTmp.data->tag == Iex_Load)
            touch(b, st->Ist.WrTmp.data->Iex.Load.addr, sizeofIRType(st->Ist.WrTmp.data->Iex.Load.ty), True, False,
                  NULL);
        break;
    case Ist_Store:
        touch(b, st->Ist.Store.addr, sizeofIRType(typeOfIRExpr(types, st->Ist.Store.data)), False, True, NULL);
        break;
    case Ist_StoreG: {
        const IRStoreG *s = st->Ist.StoreG.details;
        touch(b, s->addr, sizeofIRType(typeOfIRExpr(types, s->data)), False, True, s->guard);
        break;
    }
    case Ist_LoadG: {
        const IRLoadG *l = st->Ist.LoadG.details;
        IRType type = Ity_INVALID, wide = Ity_INVALID;
        typeOfIRLoadGOp(l->cvt, &wide, &type);
        touch(b, l->addr, sizeofIRType(type), True, False, l->guard);
        break;
    }
    case Ist_Dirty: {
        const IRDirty *d = st->Ist.Dirty.details;
        if (d->mFx != Ifx_None)
            touch(b, d->mAddr, d->mSize < 64 ? d->mSize : 64, d->mFx != Ifx_Write, d->mFx != Ifx_Read, d->guard);
        break;
    }
    case Ist_CAS: {
        const IRCAS *c = st->Ist.CAS.details;
        Int bytes = sizeofIRType(typeOfIRExpr(types, c->dataLo)) * (c->dataHi != NULL ? 2 : 1);
        touch(b, c->addr, bytes, True, True, NULL);
        break;
    }
    case Ist_LLSC: {
        Bool load = st->Ist.LLSC.storedata == NULL;
        IRType type = load ? typeOfIRTemp(types, st->Ist.LLSC.result) : typeOfIRExpr(types, st->Ist.LLSC.storedata);
        touch(b, st->Ist.LLSC.addr, sizeofIRType(type), load, !load, NULL);
        break;
    }
    default:
        break;
    }
}

/* Valgrind says what it takes. */
static IRSB *instrument(/* NOLINT(readability-function-size) */
                        VgCallbackClosure *closure, IRSB *in, const VexGuestLayout *layout,
                        const VexGuestExtents *extents, const VexArchInfo *host, IRType guest_word, IRType host_word) {
    (void)closure, (void)layout, (void)extents, (void)host, (void)guest_word, (void)host_word;
    struct block b = {.out = deepCopyIRSBExceptStmts(in)};
    Int i = 0;
    for (; i < in->stmts_used && in->stmts[i]->tag != Ist_IMark; ++i)
        add(&b, in->stmts[i]);
    check_turn(&b);
    for (; i < in->stmts_used; ++i) {
        IRStmt *st = in->stmts[i];
        if (st == NULL || st->tag == Ist_NoOp)
            continue;
        if (st->tag == Ist_IMark)
            begin_instruction(&b, st);
        else if (st->tag == Ist_Exit)
            flush_instructions(&b);
        else
            touches_of(&b, st);
        add(&b, st);
    }
    flush_instructions(&b);
    return b.out;
}

/* ---- threads and their clocks ---- */

static ULong all_threads_clock(void) {
    ULong most = 0;
    for (int i = 0; i < THREADS; ++i)
        if (sim.threads[i] != NULL && sim.threads[i]->clock_ps > most)
            most = sim.threads[i]->clock_ps;
    return most;
}

static void take_in(void) {
    if (running == NULL)
        return;
    ULong ran = 0;
    for (int d = 0; d < DOMAINS; ++d) {
        running->counts.instructions[d] += now.instructions[d];
        ran += now.instructions[d];
        now.instructions[d] = 0;
    }
    running->clock_ps += ran * (ULong)clo_ps;
}

static void start_client_code(ThreadId tid, ULong blocks) {
    (void)blocks;
    if (tid == running_id && running != NULL)
        return;
    take_in();
    running_id = tid;
    running = thread_of(tid);
    running->used = True;
    now.left = clo_quantum;
    sim.turns++;
    sim.last_line = 0;
    sim.last_store = False;
    sim.last_page = 0;
}

static void name_thread(ThreadId tid, const HChar *name) {
    struct thread *t = thread_of(tid);
    VG_(snprintf)(t->name, NAME_BYTES, "%s", name);
    t->role = VG_(strncmp)(name, clo_apart, VG_(strlen)(clo_apart)) == 0 ? APART : OURS;
}

/* A number is used again: what it counted so far stays, its role is the new thread's. */
static void thread_created(ThreadId parent, ThreadId child) {
    struct thread *t = thread_of(child), *p = thread_of(parent);
    take_in();
    t->used = True;
    t->role = p->role;
    VG_(snprintf)(t->name, NAME_BYTES, "%s", p->name);
    t->clock_ps = all_threads_clock();
}

/* ---- calls of the kernel ---- */

static void forget(Addr a, SizeT bytes) {
    sim.last_page = 0;
    for (int m = 0; m < sim.machines; ++m)
        ngsim_forget(sim.machine[m], a, bytes);
}

static void populate(Addr a, SizeT bytes) {
    for (Addr end = a + bytes; a < end;) {
        struct ngsim_touch t = ngsim_pages_touch(sim.pages, a);
        if (t.fresh)
            clear_page(&t);
        a = t.huge ? (a | ((1UL << NGSIM_HUGE_SHIFT) - 1)) + 1 : a + (1UL << NGSIM_PAGE_SHIFT);
    }
    sim.last_line = 0;
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
        ngsim_pages_drop(sim.pages, a, bytes, False);
        forget(a, bytes);
        break;
    case ADV_HUGEPAGE:
    case ADV_NOHUGEPAGE:
        ngsim_pages_advise(sim.pages, a, bytes, advice == ADV_HUGEPAGE);
        break;
    case ADV_POPULATE_READ:
    case ADV_POPULATE_WRITE:
        populate(a, bytes);
        break;
    case ADV_COLLAPSE:
        ngsim_pages_collapse(sim.pages, a, bytes);
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
    take_in();
    ULong ps = running->clock_ps;
    if (which == CLOCK_CPU) {
        ps = 0;
        for (int i = 0; i < THREADS; ++i)
            if (sim.threads[i] != NULL)
                ps += (sim.threads[i]->counts.instructions[0] + sim.threads[i]->counts.instructions[1]) * (ULong)clo_ps;
        write_time(where, ps / 1000, False);
        return;
    }
    if (which == CLOCK_CPU_THREAD) {
        write_time(where, (running->counts.instructions[0] + running->counts.instructions[1]) * (ULong)clo_ps / 1000,
                   False);
        return;
    }
    write_time(where, sim.start_ns + ps / 1000, False);
}

/* sched_getaffinity: as many processors as the machine is said to have. */
static void give_processors(Addr mask, SizeT bytes) {
    for (SizeT i = 0; i < bytes; ++i) {
        UInt left = (UInt)clo_cpus > i * 8 ? (UInt)clo_cpus - i * 8 : 0;
        ((UChar *)mask)[i] = left >= 8 ? 0xff : (UChar)((1U << left) - 1);
    }
}

static void pre_syscall(ThreadId tid, UInt number, UWord *args, UInt count) {
    (void)number, (void)args, (void)count;
    take_in();
    thread_of(tid)->switched = sim.turns;
}

/* A call that waited: others ran meanwhile, or, where it timed out, nobody did. */
static void after_wait(struct thread *t, ULong timeout_ns) {
    if (sim.turns - t->switched > 1) {
        ULong most = all_threads_clock();
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
    ULong ps = ns > sim.start_ns ? (ns - sim.start_ns) * 1000 : 0;
    if (t->clock_ps < ps)
        t->clock_ps = ps;
}

static void post_memory_call(UInt number, UWord *args, UWord result) {
    switch (number) {
    case __NR_mmap:
        ngsim_pages_map(sim.pages, result, whole_pages(args[1]));
        forget(result, whole_pages(args[1]));
        if ((args[3] & MAP_POPULATE_FLAG) != 0)
            populate(result, whole_pages(args[1]));
        break;
    case __NR_munmap:
        ngsim_pages_drop(sim.pages, args[0], whole_pages(args[1]), True);
        forget(args[0], whole_pages(args[1]));
        break;
    case __NR_mremap:
        if (result != args[0]) {
            ngsim_pages_drop(sim.pages, args[0], whole_pages(args[1]), True);
            forget(args[0], whole_pages(args[1]));
            ngsim_pages_map(sim.pages, result, whole_pages(args[2]));
        } else if (args[2] < args[1]) {
            ngsim_pages_drop(sim.pages, result + whole_pages(args[2]), whole_pages(args[1]) - whole_pages(args[2]),
                             True);
        }
        break;
    case __NR_mprotect:
        ngsim_pages_split(sim.pages, args[0], whole_pages(args[1]));
        break;
    case __NR_madvise:
        advised(args[0], whole_pages(args[1]), args[2]);
        break;
    default:
        break;
    }
}

static void post_syscall(ThreadId tid, UInt number, UWord *args, UInt count, SysRes result) {
    (void)count;
    struct thread *t = thread_of(tid);
    take_in();
    running = t;
    running_id = tid;
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
        write_time(args[0], sim.start_ns + t->clock_ps / 1000, True);
        break;
    case __NR_sched_getaffinity:
        give_processors(args[2], sr_Res(result));
        break;
    case __NR_getcpu:
        if (args[0] != 0)
            *(UInt *)args[0] = (tid - 1) % (UInt)clo_cpus;
        break;
    case __NR_prctl:
        if (args[0] == PR_NAME)
            name_thread(tid, (const HChar *)args[1]);
        else if (args[0] == PR_THP_DISABLE)
            ngsim_pages_disable(sim.pages, args[1] != 0);
        break;
    default:
        post_memory_call(number, args, sr_Res(result));
    }
    now.left = now.left < clo_quantum ? now.left : clo_quantum;
}

/* ---- the report ---- */

static VgFile *out;

static void json_string(const HChar *s) {
    VG_(fprintf)(out, "\"");
    for (; *s != '\0'; ++s) {
        if (*s == '"' || *s == '\\')
            VG_(fprintf)(out, "\\%c", *s);
        else if ((UChar)*s >= ' ')
            VG_(fprintf)(out, "%c", *s);
    }
    VG_(fprintf)(out, "\"");
}

static void json_events(ULong (*events)[2]) {
    for (int e = 0; e < NGSIM_EVENTS; ++e)
        VG_(fprintf)(out, ", \"%s_load\": %llu, \"%s_store\": %llu", event_names[e], events[e][0], event_names[e],
                     events[e][1]);
}

static void json_thread(const struct thread *t, int id) {
    static const HChar *const domains[DOMAINS] = {"program", "allocator"};
    VG_(fprintf)(out, "    {\"thread\": %d, \"name\": ", id);
    json_string(t->name);
    VG_(fprintf)(out, ", \"apart\": %s, \"pages_small\": %llu, \"pages_huge\": %llu",
                 t->role == APART ? "true" : "false", t->counts.pages_small, t->counts.pages_huge);
    for (int d = 0; d < DOMAINS; ++d) {
        VG_(fprintf)(out, ",\n     \"%s\": {\"instructions\": %llu, \"loads\": %llu, \"stores\": %llu, \"machines\": {",
                     domains[d], t->counts.instructions[d], t->counts.accesses[d][0], t->counts.accesses[d][1]);
        for (int m = 0; m < sim.machines; ++m) {
            VG_(fprintf)(out, "%s\"%s\": {\"cleared\": %llu", m == 0 ? "" : ", ", sim.name[m],
                         d == PROGRAM ? t->counts.cleared[m] : 0);
            json_events((ULong(*)[2])t->counts.events[m][d]);
            VG_(fprintf)(out, "}");
        }
        VG_(fprintf)(out, "}}");
    }
    VG_(fprintf)(out, "}");
}

/* Counts of one function. */
struct symbol {
    const HChar *name, *object;
    enum domain domain;
    ULong *count; /* [machine][role][event][store] */
    ULong weight;
};

static Int by_name(const void *a, const void *b) {
    const struct symbol *x = a, *y = b;
    Int first = VG_(strcmp)(x->name, y->name);
    return first != 0 ? first : VG_(strcmp)(x->object, y->object);
}

static Int by_weight(const void *a, const void *b) {
    const struct symbol *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return by_name(a, b);
}

static UInt width(void) { return (UInt)sim.machines * ROLES * NGSIM_EVENTS * 2; }

static ULong weight_of(const ULong *count) {
    ULong sum = 0;
    for (UInt i = 0; i < width(); ++i) {
        UInt event = i / 2 % NGSIM_EVENTS;
        sum += event == 2 || event == 3 || event == 5 || event == 6 ? count[i] : 0;
    }
    return sum;
}

/* Every function that missed anything, the worst first; how many. */
static UInt symbols(struct symbol **result) {
    struct symbol *list = zeroed((sim.site_count + 1) * sizeof *list);
    UInt n = 0;
    DiEpoch epoch = VG_(current_DiEpoch)();
    for (int b = 0; b < SITE_BUCKETS; ++b)
        for (const struct site *s = sim.sites[b]; s != NULL; s = s->next) {
            Bool any = False;
            for (UInt i = 0; i < width() && !any; ++i)
                any = s->count[i] != 0;
            if (!any)
                continue;
            const HChar *name;
            struct symbol *one = &list[n++];
            HChar number[32];
            VG_(snprintf)(number, sizeof number, "0x%lx", s->pc);
            one->name = VG_(strdup)("ng-sim", VG_(get_fnname)(epoch, s->pc, &name) ? name : "(no symbol)");
            one->object = VG_(strdup)("ng-sim", VG_(get_objname)(epoch, s->pc, &name) ? VG_(basename)(name) : "?");
            one->domain = s->domain;
            one->count = zeroed(width() * sizeof(ULong));
            for (UInt i = 0; i < width(); ++i)
                one->count[i] = s->count[i];
        }
    VG_(ssort)(list, n, sizeof *list, by_name);
    UInt kept = 0;
    for (UInt i = 0; i < n; ++i) {
        if (kept > 0 && by_name(&list[kept - 1], &list[i]) == 0) {
            for (UInt k = 0; k < width(); ++k)
                list[kept - 1].count[k] += list[i].count[k];
            continue;
        }
        list[kept++] = list[i];
    }
    for (UInt i = 0; i < kept; ++i)
        list[i].weight = weight_of(list[i].count);
    VG_(ssort)(list, kept, sizeof *list, by_weight);
    *result = list;
    return kept;
}

static void json_symbols(const struct symbol *list, UInt n) {
    VG_(fprintf)(out, "  \"symbols\": [");
    for (UInt i = 0; i < n && i < TOP * 5; ++i) {
        VG_(fprintf)(out, "%s\n    {\"symbol\": ", i == 0 ? "" : ",");
        json_string(list[i].name);
        VG_(fprintf)(out, ", \"object\": ");
        json_string(list[i].object);
        VG_(fprintf)(out, ", \"allocator\": %s, \"machines\": {", list[i].domain == ALLOCATOR ? "true" : "false");
        for (int m = 0; m < sim.machines; ++m) {
            VG_(fprintf)(out, "%s\"%s\": {\"cleared\": 0", m == 0 ? "" : ", ", sim.name[m]);
            json_events((ULong(*)[2])(list[i].count + row_of(m, OURS)));
            VG_(fprintf)(out, "}");
        }
        VG_(fprintf)(out, "}}");
    }
    VG_(fprintf)(out, "\n  ]\n}\n");
}

static void write_json(const struct symbol *list, UInt n) {
    out = VG_(fopen)(clo_json, VKI_O_CREAT | VKI_O_WRONLY | VKI_O_TRUNC,
                     VKI_S_IRUSR | VKI_S_IWUSR | VKI_S_IRGRP | VKI_S_IROTH);
    if (out == NULL) {
        VG_(umsg)("ng-sim: cannot write %s\n", clo_json);
        return;
    }
    VG_(fprintf)(out, "{\n  \"format\": \"ng-sim 1\", \"quantum\": %d, \"thp\": ", clo_quantum);
    json_string(clo_thp);
    VG_(fprintf)(out, ", \"geometries\": {");
    for (int m = 0; m < sim.machines; ++m) {
        VG_(fprintf)(out, "%s\"%s\": {\"dtlb_event\": \"%s\"}", m == 0 ? "" : ", ", sim.name[m],
                     sim.geometry[m].dtlb_event_walk ? "walk" : "dtlb");
    }
    VG_(fprintf)(out, "},\n  \"threads\": [\n");
    Bool first = True;
    for (int i = 0; i < THREADS; ++i)
        if (sim.threads[i] != NULL && sim.threads[i]->used) {
            VG_(fprintf)(out, "%s", first ? "" : ",\n");
            json_thread(sim.threads[i], i);
            first = False;
        }
    VG_(fprintf)(out, "\n  ],\n");
    json_symbols(list, n);
    VG_(fclose)(out);
}

/* n for each thousand of `of`, in thousandths. */
static void print_rate(ULong n, ULong of) {
    ULong rate = of == 0 ? 0 : n * 1000000 / of;
    VG_(printf)(" %5llu.%03llu", rate / 1000, rate % 1000);
}

static void print_thread(const struct thread *t, int id, int m) {
    static const HChar *const domains[DOMAINS] = {"program", "allocator"};
    ULong all = t->counts.instructions[PROGRAM] + t->counts.instructions[ALLOCATOR];
    static const int shown[] = {0, 1, 2, 3, 5, 6};
    for (int d = 0; d < DOMAINS; ++d)
        for (int store = 0; store < 2; ++store) {
            if (t->counts.accesses[d][store] == 0)
                continue;
            VG_(printf)("%3d %-12s %-9s %-6s %14llu", id, t->name[0] != '\0' ? t->name : "-", domains[d],
                        store ? "stores" : "loads", t->counts.instructions[d]);
            print_rate(t->counts.accesses[d][store], all);
            for (UInt k = 0; k < sizeof shown / sizeof shown[0]; ++k)
                print_rate(t->counts.events[m][d][shown[k]][store], all);
            VG_(printf)("\n");
        }
}

static void print_report(const struct symbol *list, UInt n) {
    for (int m = 0; m < sim.machines; ++m) {
        VG_(printf)("\nng-sim: %s; for each 1000 instructions of the thread\n", sim.name[m]);
        VG_(printf)("  # thread       whose     what     instructions       all   L1 miss   L2 miss  LLC miss     "
                    "moved      dTLB      walk\n");
        for (int i = 0; i < THREADS; ++i)
            if (sim.threads[i] != NULL && sim.threads[i]->used)
                print_thread(sim.threads[i], i, m);
        VG_(printf)("\n  LLC load  LLC store  dTLB load dTLB store       walk  function (the program's threads)\n");
        for (UInt i = 0; i < n && i < (UInt)clo_top; ++i) {
            const ULong(*e)[2] = (const ULong(*)[2])(list[i].count + row_of(m, OURS));
            VG_(printf)("%10llu %10llu %10llu %10llu %10llu  %s (%s)\n", e[2][0], e[2][1], e[5][0], e[5][1],
                        e[6][0] + e[6][1], list[i].name, list[i].object);
        }
    }
}

static void finish(Int status) {
    (void)status;
    if (VG_(getpid)() != sim.pid)
        return;
    take_in();
    struct symbol *list;
    UInt n = symbols(&list);
    if (clo_json != NULL)
        write_json(list, n);
    if (clo_top > 0)
        print_report(list, n);
}

/* ---- start ---- */

/* In place of valgrind's reader of line numbers (the linker is told so): nobody asks for them here, and valgrind 3.19 stops at
 * what clang 19 writes.  Names of functions come from the table of symbols. */
void __wrap_vgModuleLocal_read_debuginfo_dwarf3(void);
void __wrap_vgModuleLocal_read_debuginfo_dwarf3(void) {}

/* "NAME:1,2,3": the fields in their order. */
static Bool read_geometry(const HChar *text) {
    if (sim.machines == MACHINES)
        return False;
    const HChar *colon = VG_(strchr)(text, ':');
    SizeT length = colon == NULL ? 0 : (SizeT)(colon - text);
    if (colon == NULL || length >= sizeof sim.name[0])
        return False;
    VG_(memcpy)(sim.name[sim.machines], text, length);
    UInt *field = (UInt *)&sim.geometry[sim.machines];
    HChar *at = (HChar *)colon;
    for (UInt i = 0; i < sizeof(struct ngsim_geometry) / sizeof(UInt); ++i) {
        if (*at != (i == 0 ? ':' : ','))
            return False;
        field[i] = (UInt)VG_(strtoull10)(at + 1, &at);
    }
    sim.machines++;
    return *at == '\0' && ngsim_wrong(&sim.geometry[sim.machines - 1]) == NULL;
}

static Bool take_number(const HChar *arg) {
    return VG_BINT_CLO(arg, "--quantum", clo_quantum, 100, 1000000) || VG_BINT_CLO(arg, "--cpus", clo_cpus, 1, 512) ||
           VG_BINT_CLO(arg, "--ps-per-instruction", clo_ps, 1, 100000) || VG_BINT_CLO(arg, "--top", clo_top, 0, 1000);
}

static Bool take_option(const HChar *arg) {
    const HChar *geometry;
    if (VG_STR_CLO(arg, "--machine", geometry)) {
        if (!read_geometry(geometry))
            VG_(fmsg_bad_option)(arg, "ng-sim writes it from a geometry's file\n");
        return True;
    }
    return VG_STR_CLO(arg, "--json", clo_json) || VG_STR_CLO(arg, "--apart", clo_apart) ||
           VG_STR_CLO(arg, "--thp", clo_thp) || VG_STR_CLO(arg, "--allocator", clo_allocator) || take_number(arg);
}

static void print_usage(void) { VG_(printf)("    run it through ng-sim: ng-sim --help\n"); }
static void print_debug_usage(void) { VG_(printf)("    (none)\n"); }

static enum ngsim_thp system_thp(void) {
    HChar text[64] = "";
    if (VG_(strcmp)(clo_thp, "system") == 0) {
        Int fd = VG_(fd_open)("/sys/kernel/mm/transparent_hugepage/enabled", VKI_O_RDONLY, 0);
        if (fd >= 0) {
            Int n = VG_(read)(fd, text, sizeof text - 1);
            text[n > 0 ? n : 0] = '\0';
            VG_(close)(fd);
        }
        clo_thp = VG_(strstr)(text, "[always]") != NULL    ? "always"
                  : VG_(strstr)(text, "[madvise]") != NULL ? "madvise"
                                                           : "never";
    }
    return VG_(strcmp)(clo_thp, "always") == 0    ? NGSIM_THP_ALWAYS
           : VG_(strcmp)(clo_thp, "madvise") == 0 ? NGSIM_THP_MADVISE
                                                  : NGSIM_THP_NEVER;
}

/* One mapping without a file, writable. */
static bool whole(uint64_t address, uint64_t bytes) {
    const NSegment *s = VG_(am_find_nsegment)(address);
    return s != NULL && s->kind == SkAnonC && s->hasW && s->start <= address && s->end >= address + bytes - 1;
}

static void after_options(void) {
    if (sim.machines == 0) {
        VG_(umsg)("ng-sim: no --machine; start it through ng-sim\n");
        VG_(exit)(2);
    }
    sim.pages = ngsim_pages_new(system_thp(), whole, zeroed);
    for (int m = 0; m < sim.machines; ++m)
        sim.machine[m] = ngsim_new(&sim.geometry[m], zeroed);
    sim.pid = VG_(getpid)();
    sim.start_ns = 1000000000000000000ULL;
    running = thread_of(1);
    running_id = 1;
    running->used = True;
    now.left = clo_quantum;
}

static void before_options(void) {
    VG_(details_name)("ng-sim");
    VG_(details_version)(NULL);
    VG_(details_description)("caches and TLBs, counted");
    VG_(details_copyright_author)("The NextGen-Malloc project");
    VG_(details_bug_reports_to)("the project");
    VG_(details_avg_translation_sizeB)(600);
    VG_(basic_tool_funcs)(after_options, instrument, finish);
    VG_(needs_command_line_options)(take_option, print_usage, print_debug_usage);
    VG_(needs_syscall_wrapper)(pre_syscall, post_syscall);
    VG_(track_start_client_code)(start_client_code);
    VG_(track_pre_thread_ll_create)(thread_created);
    VG_(atfork)(NULL, NULL, forked);
}

VG_DETERMINE_INTERFACE_VERSION(before_options)
