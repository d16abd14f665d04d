/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * instrument.c: a call before each load and store of the program, which asks the machines; and whose code an instruction is.
 */
#include "sim.h"

/* The time that stands for what the kernel does, in picoseconds; it moves clocks only, not counts. */
static const ULong clear_small_ps = 600000, clear_huge_ps = 100000000;

/* ---- accesses ---- */

/* A page that appears: the kernel writes all of it on this thread's core, where no file has what stands there. */
void ngsim_clear_page(const struct ngsim_touch *t) {
    struct counts *c = &ngsim_running->counts;
    const NSegment *s = VG_(am_find_nsegment)(t->page);
    if (s == NULL || s->kind != SkAnonC)
        return;
    for (int m = 0; m < ngsim_state.machines; ++m)
        c->cleared[m] += ngsim_clear(ngsim_state.machine[m], ngsim_running_id, t->page, t->bytes);
    if (t->huge)
        c->pages_huge++;
    else
        c->pages_small++;
    ngsim_running->clock_ps += t->huge ? clear_huge_ps : clear_small_ps;
}

static Bool is_huge(Addr a) {
    Addr page = a >> NGSIM_PAGE_SHIFT;
    if (page == ngsim_state.last_page)
        return ngsim_state.last_huge;
    struct ngsim_touch t = ngsim_pages_touch(ngsim_state.pages, a);
    if (t.fresh)
        ngsim_clear_page(&t);
    ngsim_state.last_page = page;
    ngsim_state.last_huge = t.huge;
    return t.huge;
}

/* Where a machine's counts for a role begin, in a site's and in a symbol's. */
size_t ngsim_row_of(int machine, enum role role) { return ((size_t)machine * ROLES + role) * NGSIM_EVENTS * 2; }

static void count_events(struct site *site, int machine, unsigned events, Bool store) {
    UInt *row = site->count + ngsim_row_of(machine, ngsim_running->role) + store;
    ULong(*events_of)[2] = ngsim_running->counts.events[machine][site->domain];
    for (; events != 0; events &= events - 1) {
        int e = __builtin_ctz(events);
        row[(size_t)e * 2]++;
        events_of[e][store]++;
    }
}

static void access(struct site *site, Addr a, UWord bytes, Bool store) {
    ngsim_running->counts.accesses[site->domain][store]++;
    Addr line = ngsim_line(a);
    if (line == ngsim_state.last_line && line == ngsim_line(a + bytes - 1) && store <= ngsim_state.last_store)
        return;
    Bool huge = is_huge(a);
    for (int m = 0; m < ngsim_state.machines; ++m) {
        unsigned events = ngsim_access(ngsim_state.machine[m], ngsim_running_id, a, bytes, store, huge);
        if (events != 0)
            count_events(site, m, events, store);
    }
    ngsim_state.last_line = ngsim_line(a + bytes - 1);
    ngsim_state.last_store = store;
    if (a >> NGSIM_PAGE_SHIFT != (a + bytes - 1) >> NGSIM_PAGE_SHIFT)
        is_huge(a + bytes - 1);
}

static VG_REGPARM(3) void on_load(struct site *site, Addr a, UWord bytes) { access(site, a, bytes, False); }
static VG_REGPARM(3) void on_store(struct site *site, Addr a, UWord bytes) { access(site, a, bytes, True); }
static VG_REGPARM(3) void on_change(struct site *site, Addr a, UWord bytes) {
    access(site, a, bytes, False);
    access(site, a, bytes, True);
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
    if (ngsim_options.allocator != NULL && VG_(strstr)(name, ngsim_options.allocator) != NULL)
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
    struct site **bucket = &ngsim_state.sites[(pc ^ pc >> 16) & (SITE_BUCKETS - 1)];
    for (struct site *s = *bucket; s != NULL; s = s->next)
        if (s->pc == pc)
            return s;
    struct site *s = ngsim_zeroed(sizeof *s + sizeof(UInt) * ngsim_state.machines * ROLES * NGSIM_EVENTS * 2);
    s->pc = pc;
    s->domain = domain_of(pc);
    s->next = *bucket;
    *bucket = s;
    ngsim_state.site_count++;
    return s;
}

/* ---- blocks ---- */

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
            add_to(b, &ngsim_now.instructions[d], b->instructions[d]);
    add_to(b, &ngsim_now.left, -(Long)all);
    b->instructions[PROGRAM] = b->instructions[ALLOCATOR] = 0;
}

/* At a block's begin: whether the turn is over. */
static void check_turn(struct block *b) {
    IRExpr *left = assign(b, Ity_I64, IRExpr_Load(Iend_LE, Ity_I64, mkIRExpr_HWord((HWord)&ngsim_now.left)));
    IRDirty *call = unsafeIRDirty_0_N(1, "on_end_of_turn", VG_(fnptr_to_fnentry)(ngsim_on_end_of_turn),
                                      mkIRExprVec_1(IRExpr_GSPTR()));
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
IRSB *ngsim_instrument(/* NOLINT(readability-function-size) */
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
