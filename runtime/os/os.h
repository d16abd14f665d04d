/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * os.h: everything that the runtime asks of the operating system; no other folder makes a system call (front/foreign.c
 * asks the dynamic linker, front/info.c writes its report).
 *
 * All functions may be called on any core and with the key held, allocate nothing and need no lock.  They change errno
 * as the system calls do; the entry points keep it where POSIX asks for that.
 */
#ifndef NG_OS_OS_H
#define NG_OS_OS_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NG_CHUNK_BYTES ((size_t)2 << 20) /* what one huge page covers */

/* ---- memory.c: all sizes in bytes, all addresses and sizes multiples of the page size ---- */

/* The page size, found at the first call. */
size_t ng_os_page(void);

/* Addresses without memory behind them, aligned to NG_CHUNK_BYTES; NULL where the range does not fit. */
void *ng_os_reserve(size_t bytes);
void ng_os_unreserve(void *p, size_t bytes);

/* The most that the process may reserve in all (RLIMIT_AS), SIZE_MAX where nothing limits it. */
size_t ng_os_address_limit(void);

/* Lets a reserved range be written (its pages appear, zeroed, at first touch); false where memory is over-committed. */
bool ng_os_commit(void *p, size_t bytes);
/* Lets a reserved range be read as zeros; counts as no memory. */
bool ng_os_readable(void *p, size_t bytes);

/* Gives the pages back; they read as zero after.  False where they may still hold their contents (locked memory). */
bool ng_os_purge(void *p, size_t bytes);

/* Faults the pages in, on the calling thread, contents kept; false where there is no memory. */
bool ng_os_populate(void *p, size_t bytes);
/* How many of the pages are in memory; 0 where that cannot be told. */
size_t ng_os_present(void *p, size_t pages);

/* One page, as the program does it: without a call. */
void ng_os_touch(char *p);

/* Asks for huge pages, or for none. */
void ng_os_huge(void *p, size_t bytes, bool on);

/* Makes it likely that the next huge page is one that the machine has at hand. */
void ng_os_huge_at_hand(void);

/* Small pages into huge ones, contents kept; false where the system does not do it, or not now. */
bool ng_os_collapse(void *p, size_t bytes);

/* Moves pages to another place of the arena; the old place is empty and writable after.  False: nothing moved. */
bool ng_os_move(void *from, void *to, size_t bytes);
/* Replaces the pages by fresh ones. */
bool ng_os_renew(void *p, size_t bytes);

/* Resident bytes of the process, from /proc; 0 where it cannot be read. */
size_t ng_os_resident(void);

/* ---- futex.c ---- */

/* Sleeps while *word == value, at most ns nanoseconds (0: no limit). */
void ng_os_sleep(uint64_t *word, uint32_t value, uint64_t ns);
void ng_os_wake(uint64_t *word);

/* Whether the low half of *word is value; no where there is no such memory. */
bool ng_os_holds(uint64_t *word, uint32_t value);

/* ---- cpus.c ---- */

/* How many CPUs' worth of time this process may use at once: its threads' affinity and cgroup quota, rounded down.
 * room_asks: the caller is the room's thread. */
unsigned ng_os_cpus(bool room_asks);
/* The same, for a thread of the program; where that one alone may use `enough` of them or more, only its own are counted: half of
 * the time. */
unsigned ng_os_cpus_at_least(unsigned enough);
/* Where the room's thread, which asks, should run: the smaller kind of the CPUs in the mask where there are several kinds, and none
 * that shares the physical core of the program's CPU if others remain.  wanted: a CPU's number, or negative to choose. */
void ng_os_room_cpus(int wanted, int program, cpu_set_t *set);
/* How many threads of the machine want to run now, the caller among them; UINT32_MAX where it is not told. */
unsigned ng_os_running(void);
/* Moves the calling thread off a CPU, if its affinity has another one, and leaves that affinity as it was. */
void ng_os_leave_cpu(int cpu);
extern const char *ng_os_cpu_folder; /* where the system tells of CPUs; tests show it others */

/* ---- cgroup.c, limits.c ---- */

/* Once, before main: what the process is forbidden from the start. */
void ng_os_note_filter(void);

extern const char *ng_os_cgroup_folder, *ng_os_pressure_file; /* tests show them others */

enum { NG_OS_NEAR = 8 };

/* What limits the process's memory: its own groups and those above. */
struct ng_os_memory {
    uint64_t left;       /* bytes until the nearest of memory.high and memory.max; UINT64_MAX where there is no limit */
    bool near;           /* less than a part in NG_OS_NEAR of one of them is left */
    uint64_t stalled_us; /* that something waited for memory, ever: in the group, else in the whole system (PSI) */
    uint64_t events;     /* times that a limit was met, ever */
};
/* Reads some dozen small files.  One thread at a time. */
struct ng_os_memory ng_os_memory(void);

/* ---- loader.c ---- */

/* Once, before the next function and before there are threads. */
void ng_os_find_loader(void);
/* Whether `caller`, a return address, lies in libc or in the dynamic loader, or the thread is in a constructor or
 * destructor that dlopen or dlclose runs.  In a static program never. */
bool ng_os_in_loader(const void *caller);

/* ---- time.c, fatal.c ---- */

uint64_t ng_os_now(void);      /* nanoseconds, monotonic */
uint64_t ng_os_cpu_time(void); /* nanoseconds that all threads of the process ran */
void ng_os_yield(void);
int ng_os_pid(void);
/* Whether this is the thread that main runs on. */
bool ng_os_first_thread(void);

/* Minor and major page faults: of the calling thread, and of the process. */
uint64_t ng_os_faults_thread(void);
uint64_t ng_os_faults_process(void);

/* Writes "ngrt: <what>\n" to stderr and aborts.  For misuse that leaves no way on. */
_Noreturn void ng_fatal(const char *what);

#endif
