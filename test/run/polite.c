/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What a program sees of the room's thread: nothing while it allocates little, on one processor or where it is switched
 * off; else one thread with a name, no signals, on a processor of the program's own, that costs nothing while the program
 * sleeps and little while it works now and then, stays out of the way where the program has use for every processor, and
 * is gone when fork returns.
 * Usage: polite small|never|early|big|parks|crowded|crowded_at_start|fork|fork_handlers|fork_and_unmap|threads_fork|exit|core|affinity|
 *        pinned|load LIBRARY
 */
#include "check.h"
#include "tasks.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

/* Holds up to `most` bytes in blocks of mixed sizes, in turn freed and allocated again. */
static void churn(size_t most, unsigned rounds) {
    enum { SLOTS = 200000 };
    static void *slot[SLOTS];
    static size_t sizes[SLOTS];
    static uint64_t random = 99991;
    size_t have = 0;
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t i = 0; i < SLOTS && have < most; i++) {
            if (slot[i] != NULL)
                continue;
            sizes[i] = test_random_size(&random, 13);
            slot[i] = malloc(sizes[i]);
            CHECK(slot[i] != NULL);
            memset(slot[i], 1, sizes[i]);
            have += sizes[i];
        }
        for (size_t i = round % 2; i < SLOTS; i += 2) {
            if (slot[i] == NULL)
                continue;
            free(slot[i]);
            slot[i] = NULL;
            have -= sizes[i];
        }
    }
    for (size_t i = 0; i < SLOTS; i++) {
        free(slot[i]);
        slot[i] = NULL;
    }
}

static int done;

static int wait_for_room(unsigned ms) {
    for (unsigned waited = 0;; waited += 10) {
        int room = tasks_room(getpid());
        if (room != 0 || waited >= ms)
            return room;
        churn(8u << 20, 1);
        test_sleep_ms(10);
    }
}

static void small(void) {
    for (size_t i = 0; i < 1000; i++)
        free(malloc(i * 7));
    void *p = malloc(3000000);
    free(p);
    test_sleep_ms(100);
    CHECK(tasks_count(getpid()) == 1, "a small program has %d threads", tasks_count(getpid()));
    if (unshare(CLONE_NEWUSER) != 0) {
        if (errno == EPERM || errno == ENOSPC)
            test_skip("unshare(CLONE_NEWUSER) is not allowed here");
        CHECK(false, "unshare(CLONE_NEWUSER)");
    }
    free(malloc(100));
}

static void never(void) {
    for (int i = 0; i < 20; i++) {
        churn(64u << 20, 2);
        CHECK(tasks_count(getpid()) == 1, "%d threads, where the room must not start", tasks_count(getpid()));
    }
    test_sleep_ms(100);
    CHECK(tasks_count(getpid()) == 1);
}

static void early(void) {
    for (int i = 0; i < 200 && tasks_room(getpid()) == 0; i++) {
        for (size_t k = 0; k < 1000; k++)
            free(test_launder(malloc(k)));
        test_sleep_ms(10);
    }
    CHECK(tasks_room(getpid()) != 0, "NGRT_SERVER=on, and no room after 200,000 blocks");
}

static void check_affinity_and_signals(int room, const cpu_set_t *own) {
    cpu_set_t of_room;
    CHECK(sched_getaffinity(room, sizeof of_room, &of_room) == 0 && CPU_COUNT(&of_room) > 0);
    for (int i = 0; i < CPU_SETSIZE; i++)
        CHECK(!CPU_ISSET(i, &of_room) || CPU_ISSET(i, own), "the room may run on processor %d, the program not", i);
    /* KILL and STOP cannot be blocked; 32 and 33 are the C library's, which its functions never block. */
    uint64_t must = ~((1ull << (SIGKILL - 1)) | (1ull << (SIGSTOP - 1)) | (1ull << 31) | (1ull << 32));
    uint64_t blocked = tasks_status_hex(getpid(), room, "SigBlk:");
    CHECK((blocked & must) == must, "the room blocks %016llx", (unsigned long long)blocked);
    CHECK((tasks_status_hex(getpid(), getpid(), "SigBlk:") & must) == 0, "the program's own signals are blocked");
}

static void big(void) {
    cpu_set_t own;
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    if (CPU_COUNT(&own) < 2)
        test_skip("one processor: there is no room");
    churn(300u << 20, 4);
    int room = wait_for_room(5000);
    CHECK(room != 0, "no thread is called " ROOM_NAME " after 300 MiB of blocks");
    CHECK(tasks_count(getpid()) == 2);
    check_affinity_and_signals(room, &own);

    test_sleep_ms(3000); /* the decay is over: what is left to do is nothing */
    uint64_t ran = tasks_run_ns(getpid(), room), own_ran = tasks_run_ns(getpid(), getpid());
    test_sleep_ms(2000);
    uint64_t more = tasks_run_ns(getpid(), room) - ran, own_more = tasks_run_ns(getpid(), getpid()) - own_ran;
    dprintf(1, "in 2 s of sleep the room ran %llu us, the program %llu us\n", (unsigned long long)(more / 1000),
            (unsigned long long)(own_more / 1000));
    CHECK(more + own_more < 1000000, "the room ran %llu us, the program %llu us in 2 s of sleep",
          (unsigned long long)(more / 1000), (unsigned long long)(own_more / 1000));
}

static void *block[1000];
enum { BLOCKS = sizeof block / sizeof *block };
static pthread_barrier_t turn;

static void *free_in_turn(void *unused) {
    for (;;) {
        pthread_barrier_wait(&turn);
        for (size_t i = 0; i < BLOCKS; i++)
            free(block[i]);
        pthread_barrier_wait(&turn);
    }
    return unused;
}

/* What one thread allocates and another frees is work for the room, if it is awake. */
static void some_work(void) {
    for (size_t i = 0; i < BLOCKS; i++)
        block[i] = test_launder(malloc(64));
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
}

static bool is_awake(int task) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", task);
    CHECK(test_read_file(path, text, sizeof text) > 0);
    return strstr(text, ") R ") != NULL;
}

/* Once every 10 ms as much work as wakes the room, and a little more; it parks 100 us after the last of it. */
static void parks(void) {
    enum { TIMES = 100, MOST_TRIES = 200, MOST_US = 400 };
    cpu_set_t own;
    pthread_t thread;
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    if (CPU_COUNT(&own) < 2)
        test_skip("one processor: there is no room");
    CHECK(pthread_barrier_init(&turn, NULL, 2) == 0 && pthread_create(&thread, NULL, free_in_turn, NULL) == 0);
    int room = wait_for_room(5000);
    CHECK(room != 0, "NGRT_SERVER=on, and no room");
    test_sleep_ms(100);
    uint64_t ran = tasks_run_ns(getpid(), room);
    if (ran == 0)
        test_skip("the kernel does not say how long a thread ran");
    for (int i = 0; i < TIMES; i++) {
        for (int tries = 0; tries < MOST_TRIES && !is_awake(room); tries++)
            some_work();
        some_work();
        test_sleep_ms(10);
    }
    unsigned each = (unsigned)((tasks_run_ns(getpid(), room) - ran) / 1000 / TIMES);
    dprintf(1, "the room ran %u us each time\n", each);
    CHECK(each >= 10, "the room ran %u us each time: it had no work", each);
    CHECK(each <= MOST_US, "the room ran %u us each time", each);
}

/* Frees what other threads allocated, which is work for the room. */
static void *exchange(void *argument) {
    static void *slot[4096];
    uint64_t random = (uintptr_t)argument;
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
        uint64_t r = test_random(&random);
        free(__atomic_exchange_n(&slot[r % 4096], malloc(16 + (r >> 32) % 500), __ATOMIC_ACQ_REL));
    }
    return NULL;
}

/* As many busy threads as processors: what the room ran, a thread of the program could not. */
static void crowded(void) {
    cpu_set_t own;
    pthread_t thread[CPU_SETSIZE];
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    int cpus = CPU_COUNT(&own);
    if (cpus < 2)
        test_skip("one processor: there is no room");
    churn(300u << 20, 4);
    int room = wait_for_room(5000);
    CHECK(room != 0, "no room");
    for (int i = 0; i < cpus; i++)
        CHECK(pthread_create(&thread[i], NULL, exchange, (void *)(uintptr_t)(i + 1)) == 0);
    test_sleep_ms(1000);
    uint64_t ran = tasks_run_ns(getpid(), room);
    test_sleep_ms(2000);
    uint64_t more = tasks_run_ns(getpid(), room) - ran;
    __atomic_store_n(&done, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < cpus; i++)
        pthread_join(thread[i], NULL);
    dprintf(1, "the room ran %llu ms of 2000\n", (unsigned long long)(more / 1000000));
    CHECK(more < 300000000, "the room ran %llu ms of 2000 while %d threads had use for %d processors",
          (unsigned long long)(more / 1000000), cpus, cpus);
}

enum verdict { NO_ROOM, ROOM, TOO_LOADED };

/* Busy threads for all processors for a second, and no other work before: whether a room was started meanwhile. */
static enum verdict room_among_busy_threads(int cpus) {
    pthread_t thread[CPU_SETSIZE];
    uint64_t began = test_now_ns();
    for (int i = 0; i < cpus; i++)
        CHECK(pthread_create(&thread[i], NULL, exchange, (void *)(uintptr_t)(i + 1)) == 0);
    test_sleep_ms(1000);
    struct timespec used;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    double share = ((double)used.tv_sec * 1e9 + (double)used.tv_nsec) / (double)(test_now_ns() - began) / cpus;
    int room = tasks_room(getpid());
    __atomic_store_n(&done, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < cpus; i++)
        pthread_join(thread[i], NULL);
    return room == 0 ? NO_ROOM : share >= 0.98 ? ROOM : TOO_LOADED;
}

/* Where the program has use for every processor from its start no room is started, but is as soon as one is idle.  A thread
 * of this one that others leave no processor looks like an idle processor: one try without a room is enough. */
static void crowded_at_start(void) {
    enum { TRIES = 5 };
    cpu_set_t own;
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    int cpus = CPU_COUNT(&own), rooms = 0;
    if (cpus < 2)
        test_skip("one processor: there is no room");
    for (int i = 0; i < TRIES; i++) {
        int status;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            enum verdict found = room_among_busy_threads(cpus);
            churn(300u << 20, 4);
            CHECK(wait_for_room(5000) != 0, "no room when the threads have ended");
            _exit(10 + (int)found);
        }
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) >= 10, "status 0x%x", status);
        if (WEXITSTATUS(status) == 10 + NO_ROOM)
            return;
        rooms += WEXITSTATUS(status) == 10 + ROOM;
    }
    CHECK(rooms == 0, "a room was started while %d threads had use for %d processors", cpus, cpus);
    test_skip("other programs use the processors");
}

static void every_task_on(const cpu_set_t *set) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", getpid());
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (atoi(entry->d_name) != 0)
            CHECK(sched_setaffinity(atoi(entry->d_name), sizeof *set, set) == 0);
    closedir(directory);
}

/* What the room runs in a second of work that it is woken for, once it has had time to notice what has changed. */
static uint64_t ran_in_a_second(int room) {
    uint64_t ran = 0, start = test_now_ns();
    for (unsigned ms = 0; ms < 3000; ms = (unsigned)((test_now_ns() - start) / 1000000)) {
        if (ran == 0 && ms >= 2000)
            ran = tasks_run_ns(getpid(), room);
        churn(64u << 20, 2);
    }
    return tasks_run_ns(getpid(), room) - ran;
}

/* As `taskset -ap` does it to a running program: on one processor the room rests, on two it is back. */
static void affinity(void) {
    cpu_set_t own, one;
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    if (CPU_COUNT(&own) < 2)
        test_skip("one processor: there is no room");
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    int room = wait_for_room(5000);
    CHECK(room != 0, "NGRT_SERVER=on, and no room");
    uint64_t two_before = ran_in_a_second(room);
    every_task_on(&one);
    uint64_t on_one = ran_in_a_second(room);
    every_task_on(&own);
    uint64_t two_after = ran_in_a_second(room);
    dprintf(1, "the room ran %llu ms in a second, %llu on one processor, %llu on two again\n",
            (unsigned long long)(two_before / 1000000), (unsigned long long)(on_one / 1000000),
            (unsigned long long)(two_after / 1000000));
    CHECK(two_before >= 6000000 && two_after >= 6000000,
          "the room has no work: the test shows nothing, or it is not back");
    CHECK(on_one < 3000000, "on one processor the room ran %llu ms of a second",
          (unsigned long long)(on_one / 1000000));
}

static void *churn_pinned(void *cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((int)(intptr_t)cpu, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    churn(300u << 20, 4);
    (void)wait_for_room(5000);
    return cpu;
}

/* A server gives each of its threads a processor: that does not mean that the process has but one. */
static void pinned(void) {
    cpu_set_t own, of_room;
    pthread_t thread;
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    if (CPU_COUNT(&own) < 2)
        test_skip("one processor: there is no room");
    int cpu = sched_getcpu();
    CHECK(pthread_create(&thread, NULL, churn_pinned, (void *)(intptr_t)cpu) == 0);
    pthread_join(thread, NULL);
    int room = tasks_room(getpid());
    CHECK(room != 0, "no room where the thread that allocates stays on one processor of %d", CPU_COUNT(&own));
    CHECK(sched_getaffinity(room, sizeof of_room, &of_room) == 0);
    CHECK(!CPU_ISSET(cpu, &of_room), "the room may run on the processor that a thread of the program keeps for itself");
}

/* In a program without other threads: alone when fork returns, here and there; and the room comes back with work. */
static void at_fork(void) {
    churn(300u << 20, 4);
    CHECK(wait_for_room(5000) != 0, "no room");
    for (int i = 0; i < 5; i++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        pid_t pid = fork();
        int count = tasks_count(getpid());
        CHECK(pid >= 0);
        CHECK(count == 1, "%d threads in the %s right after fork", count, pid == 0 ? "child" : "parent");
        if (pid == 0) {
            alarm(60);
            churn(200u << 20, 4);
            CHECK(wait_for_room(5000) != 0, "the room is not back in the child");
            _exit(0);
        }
        close(ends[0]);
        close(ends[1]);
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0, "child's status 0x%x", status);
        churn(200u << 20, 2);
        CHECK(wait_for_room(5000) != 0, "the room is not back in the parent");
    }
}

/* For long, too. */
static void churn_a_little(void) {
    test_sleep_ms(150);
    churn(16u << 20, 1);
}

/* Also where other handlers of the fork allocate after ours has stopped the room. */
static void fork_with_handlers(void) {
    CHECK(pthread_atfork(churn_a_little, churn_a_little, churn_a_little) == 0);
    at_fork();
}

/* In the child the stack on which fork was called is unmapped, above the one in use.  The room comes back there too. */
static struct {
    ucontext_t thread, coroutine;
    void *stack;
    pid_t pid;
} split;

enum { COROUTINE_BYTES = 1 << 20 };

static void fork_there(void) { split.pid = fork(); }

static void *fork_on_coroutine(void *unused) {
    CHECK(getcontext(&split.coroutine) == 0);
    split.coroutine.uc_stack = (stack_t){.ss_sp = split.stack, .ss_size = COROUTINE_BYTES};
    split.coroutine.uc_link = &split.thread;
    makecontext(&split.coroutine, fork_there, 0);
    CHECK(swapcontext(&split.thread, &split.coroutine) == 0);
    CHECK(munmap(split.stack, COROUTINE_BYTES) == 0);
    if (split.pid == 0) {
        alarm(60);
        churn(200u << 20, 4);
        CHECK(wait_for_room(5000) != 0, "the room is not back in the child");
        _exit(0);
    }
    return unused;
}

static void fork_and_unmap(void) {
    pthread_t thread;
    split.stack = mmap(NULL, COROUTINE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(split.stack != MAP_FAILED);
    CHECK(pthread_create(&thread, NULL, fork_on_coroutine, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    int status;
    CHECK(split.pid > 0 && waitpid(split.pid, &status, 0) == split.pid && status == 0, "child's status 0x%x", status);
}

static void *sleeper(void *argument) {
    pause();
    return argument;
}

/* With other threads, fork need not end the room, but both sides must work. */
static void threads_at_fork(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sleeper, NULL) == 0);
    churn(300u << 20, 4);
    CHECK(wait_for_room(5000) != 0, "no room");
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            alarm(60);
            CHECK(tasks_count(getpid()) == 1);
            churn(20u << 20, 2);
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0, "child's status 0x%x", status);
    }
}

static void grow_at_exit(void) {
    churn(300u << 20, 4);
    int count = tasks_count(getpid());
    _exit(count == 1 ? 0 : 1);
}

/* A handler of atexit that has much to do is no place to start a thread from. */
static void exits(void) {
    CHECK(atexit(grow_at_exit) == 0);
    exit(2);
}

/* What `core` starts with NGRT_CORE=cpu. */
static void runs_on(int cpu) {
    cpu_set_t own, of_room;
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    churn(300u << 20, 4);
    int room = wait_for_room(5000);
    CHECK(room != 0, "no room with NGRT_CORE=%d", cpu);
    check_affinity_and_signals(room, &own);
    CHECK(sched_getaffinity(room, sizeof of_room, &of_room) == 0);
    CHECK(!CPU_ISSET(cpu, &own) || (CPU_ISSET(cpu, &of_room) && CPU_COUNT(&of_room) == 1),
          "with NGRT_CORE=%d the room may run on %d processors", cpu, CPU_COUNT(&of_room));
}

/* On the processor that NGRT_CORE names; as without it where the program may not use that one.  Each in a program of its
 * own, since the option is read once. */
static void core(void) {
    cpu_set_t own;
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    if (CPU_COUNT(&own) < 2)
        test_skip("one processor: there is no room");
    bool other = false;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &own) && other)
            continue;
        other |= !CPU_ISSET(cpu, &own);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            char text[16];
            snprintf(text, sizeof text, "%d", cpu);
            setenv("NGRT_CORE", text, 1);
            execl("/proc/self/exe", "polite", "runs_on", text, (char *)NULL);
            CHECK(false, "execl");
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0, "with NGRT_CORE=%d: status 0x%x", cpu, status);
    }
}

/* A library whose constructor and destructor see that no room starts under the loader's lock; afterwards one does. */
static void load(const char *path) {
    cpu_set_t own;
    void *library = dlopen(path, RTLD_NOW);
    CHECK(library != NULL, "%s", dlerror());
    CHECK(dlclose(library) == 0, "%s", dlerror());
    churn(300u << 20, 2);
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    CHECK(CPU_COUNT(&own) < 2 || wait_for_room(5000) != 0, "no room after the library is gone");
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    test_begin();
    alarm(100);
    const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {{"small", small},
                 {"never", never},
                 {"early", early},
                 {"big", big},
                 {"parks", parks},
                 {"crowded", crowded},
                 {"crowded_at_start", crowded_at_start},
                 {"fork", at_fork},
                 {"fork_handlers", fork_with_handlers},
                 {"fork_and_unmap", fork_and_unmap},
                 {"threads_fork", threads_at_fork},
                 {"exit", exits},
                 {"core", core},
                 {"affinity", affinity},
                 {"pinned", pinned}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(argv[1], parts[i].name) == 0) {
            parts[i].run();
            return 0;
        }
    if (strcmp(argv[1], "runs_on") == 0 && argc > 2) {
        runs_on(atoi(argv[2]));
        return 0;
    }
    CHECK(strcmp(argv[1], "load") == 0 && argc > 2, "unknown part %s", argv[1]);
    load(argv[2]);
    return 0;
}
