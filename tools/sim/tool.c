/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * tool.c: ng-sim's instrument, a valgrind tool: its options and its start.  instrument.c puts a call before each load and store of
 * the program, turns.c gives each thread a core of the machines that hierarchy.c models, kernel.c tells pages.c what the
 * program asks of the kernel, report.c says what was counted.  docs/sim.md has the whole of it.
 */
#include "sim.h"

struct ngsim_state ngsim_state;
struct ngsim_now ngsim_now;
struct thread *ngsim_running;
ThreadId ngsim_running_id;
struct ngsim_options ngsim_options = {
    .apart = "ngrt-", .thp = "system", .quantum = 5000, .cpus = 16, .ps = 500, .top = 15};

void *ngsim_zeroed(SizeT bytes) { return VG_(calloc)("ng-sim", 1, bytes); }

/* In place of valgrind's reader of line numbers (the linker is told so): nobody asks for them here, and valgrind 3.19 stops at
 * what clang 19 writes.  Names of functions come from the table of symbols. */
void __wrap_vgModuleLocal_read_debuginfo_dwarf3(void);
void __wrap_vgModuleLocal_read_debuginfo_dwarf3(void) {}

/* "NAME:1,2,3": the fields in their order. */
static Bool read_geometry(const HChar *text) {
    if (ngsim_state.machines == MACHINES)
        return False;
    const HChar *colon = VG_(strchr)(text, ':');
    SizeT length = colon == NULL ? 0 : (SizeT)(colon - text);
    if (colon == NULL || length >= sizeof ngsim_state.name[0])
        return False;
    VG_(memcpy)(ngsim_state.name[ngsim_state.machines], text, length);
    UInt *field = (UInt *)&ngsim_state.geometry[ngsim_state.machines];
    HChar *at = (HChar *)colon;
    for (UInt i = 0; i < sizeof(struct ngsim_geometry) / sizeof(UInt); ++i) {
        if (*at != (i == 0 ? ':' : ','))
            return False;
        field[i] = (UInt)VG_(strtoull10)(at + 1, &at);
    }
    ngsim_state.machines++;
    return *at == '\0' && ngsim_wrong(&ngsim_state.geometry[ngsim_state.machines - 1]) == NULL;
}

static Bool take_number(const HChar *arg) {
    return VG_BINT_CLO(arg, "--quantum", ngsim_options.quantum, 100, 1000000) ||
           VG_BINT_CLO(arg, "--cpus", ngsim_options.cpus, 1, 512) ||
           VG_BINT_CLO(arg, "--ps-per-instruction", ngsim_options.ps, 1, 100000) ||
           VG_BINT_CLO(arg, "--top", ngsim_options.top, 0, 1000);
}

static Bool take_option(const HChar *arg) {
    const HChar *geometry;
    if (VG_STR_CLO(arg, "--machine", geometry)) {
        if (!read_geometry(geometry))
            VG_(fmsg_bad_option)(arg, "ng-sim writes it from a geometry's file\n");
        return True;
    }
    return VG_STR_CLO(arg, "--json", ngsim_options.json) || VG_STR_CLO(arg, "--apart", ngsim_options.apart) ||
           VG_STR_CLO(arg, "--thp", ngsim_options.thp) || VG_STR_CLO(arg, "--allocator", ngsim_options.allocator) ||
           take_number(arg);
}

static void print_usage(void) { VG_(printf)("    run it through ng-sim: ng-sim --help\n"); }
static void print_debug_usage(void) { VG_(printf)("    (none)\n"); }

static enum ngsim_thp system_thp(void) {
    HChar text[64] = "";
    if (VG_(strcmp)(ngsim_options.thp, "system") == 0) {
        Int fd = VG_(fd_open)("/sys/kernel/mm/transparent_hugepage/enabled", VKI_O_RDONLY, 0);
        if (fd >= 0) {
            Int n = VG_(read)(fd, text, sizeof text - 1);
            text[n > 0 ? n : 0] = '\0';
            VG_(close)(fd);
        }
        ngsim_options.thp = VG_(strstr)(text, "[always]") != NULL    ? "always"
                            : VG_(strstr)(text, "[madvise]") != NULL ? "madvise"
                                                                     : "never";
    }
    return VG_(strcmp)(ngsim_options.thp, "always") == 0    ? NGSIM_THP_ALWAYS
           : VG_(strcmp)(ngsim_options.thp, "madvise") == 0 ? NGSIM_THP_MADVISE
                                                            : NGSIM_THP_NEVER;
}

/* One mapping without a file, writable. */
static bool whole(uint64_t address, uint64_t bytes) {
    const NSegment *s = VG_(am_find_nsegment)(address);
    return s != NULL && s->kind == SkAnonC && s->hasW && s->start <= address && s->end >= address + bytes - 1;
}

static void after_options(void) {
    if (ngsim_state.machines == 0) {
        VG_(umsg)("ng-sim: no --machine; start it through ng-sim\n");
        VG_(exit)(2);
    }
    ngsim_state.pages = ngsim_pages_new(system_thp(), whole, ngsim_zeroed);
    for (int m = 0; m < ngsim_state.machines; ++m)
        ngsim_state.machine[m] = ngsim_new(&ngsim_state.geometry[m], ngsim_zeroed);
    ngsim_state.pid = VG_(getpid)();
    ngsim_state.start_ns = 1000000000000000000ULL;
    ngsim_running = ngsim_thread_of(1);
    ngsim_running_id = 1;
    ngsim_running->used = True;
    ngsim_now.left = ngsim_options.quantum;
}

static void before_options(void) {
    VG_(details_name)("ng-sim");
    VG_(details_version)(NULL);
    VG_(details_description)("caches and TLBs, counted");
    VG_(details_copyright_author)("The NextGen-Malloc project");
    VG_(details_bug_reports_to)("the project");
    VG_(details_avg_translation_sizeB)(600);
    VG_(basic_tool_funcs)(after_options, ngsim_instrument, ngsim_finish);
    VG_(needs_command_line_options)(take_option, print_usage, print_debug_usage);
    VG_(needs_syscall_wrapper)(ngsim_pre_syscall, ngsim_post_syscall);
    VG_(track_start_client_code)(ngsim_start_client_code);
    VG_(track_pre_thread_ll_create)(ngsim_thread_created);
    VG_(atfork)(NULL, NULL, ngsim_forked);
}

VG_DETERMINE_INTERFACE_VERSION(before_options)
