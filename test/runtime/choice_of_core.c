/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Where the room's thread goes, on machines of several kinds as a folder of files describes them: to the weaker kind of
 * core where there are two, else to another physical core than the program's, else anywhere.
 */
#include "heap.h"

#include "os/os.h"

#include <sched.h>
#include <sys/stat.h>

static char folder[] = "/tmp/choice_of_core.XXXXXX";
static int cpu[2]; /* the first two that this process may use */

/* Without text: the file goes. */
static void tell(int which, const char *file, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/cpu%d/%s", folder, cpu[which], file);
    unlink(path);
    if (text == NULL)
        return;
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

static void make_folders(void) {
    static const char *const names[] = {"", "/topology", "/cpufreq"};
    CHECK(mkdtemp(folder) != NULL);
    for (int which = 0; which < 2; which++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            char path[256];
            snprintf(path, sizeof path, "%s/cpu%d%s", folder, cpu[which], names[i]);
            CHECK(mkdir(path, 0700) == 0);
        }
    }
}

/* With the program on the first CPU: whether each of the two is left to the room. */
static void expect(const char *machine, int wanted, bool first, bool second) {
    cpu_set_t set;
    ng_os_room_cpus(wanted, cpu[0], &set);
    CHECK(CPU_ISSET(cpu[0], &set) == first && CPU_ISSET(cpu[1], &set) == second, "%s: %s %s", machine,
          CPU_ISSET(cpu[0], &set) ? "the first" : "", CPU_ISSET(cpu[1], &set) ? "the second" : "");
}

static void kinds_of_cores(void) {
    expect("nothing is told", -1, true, true);
    tell(0, "cpu_capacity", "1024\n");
    tell(1, "cpu_capacity", "446\n");
    expect("a big core and a little one", -1, false, true);
    expect("the big one is asked for", cpu[0], true, false);
    tell(0, "cpu_capacity", "446\n");
    tell(1, "cpu_capacity", "1024\n");
    expect("a little core and a big one", -1, true, false);
    tell(0, "cpu_capacity", NULL);
    tell(1, "cpu_capacity", NULL);
    tell(0, "cpufreq/cpuinfo_max_freq", "5200000\n");
    tell(1, "cpufreq/cpuinfo_max_freq", "3800000\n");
    expect("a fast core and an efficient one", -1, false, true);
    tell(1, "cpufreq/cpuinfo_max_freq", "5000000\n");
    expect("equal cores, unequal turbo", -1, true, true);
}

static void physical_cores(void) {
    char text[64];
    snprintf(text, sizeof text, "%d,%d\n", cpu[0], cpu[1]);
    tell(0, "topology/thread_siblings_list", text);
    expect("both are one core", -1, true, true);
    snprintf(text, sizeof text, "%d,%d\n", cpu[0], CPU_SETSIZE - 1);
    tell(0, "topology/thread_siblings_list", text);
    expect("the program's core has another sibling", -1, false, true);
    snprintf(text, sizeof text, "%d\n", cpu[0]);
    tell(0, "topology/thread_siblings_list", text);
    expect("one thread a core", -1, true, true);
}

static void remove_folders(void) {
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    CHECK(system(command) == 0);
}

int main(void) {
    cpu_set_t own;
    test_begin();
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    if (CPU_COUNT(&own) < 2)
        test_skip("one processor: nothing to choose from");
    cpu_set_t two;
    CPU_ZERO(&two);
    for (int i = 0, found = 0; i < CPU_SETSIZE && found < 2; i++) {
        if (CPU_ISSET(i, &own)) {
            cpu[found++] = i;
            CPU_SET(i, &two);
        }
    }
    CHECK(sched_setaffinity(0, sizeof two, &two) == 0);
    make_folders();
    ng_os_cpu_folder = folder;
    kinds_of_cores();
    physical_cores();
    remove_folders();
    return 0;
}
