/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * count.c: the least that a plugin of QEMU's user mode can do here: it counts each thread's instructions, loads and stores.
 * To compare QEMU with valgrind as ng-sim's instrument (docs/decisions/0030).  Debian has no package with QEMU's header, so
 * what is used of the interface, version 1, is declared here.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct block;
struct instruction;
typedef uint64_t plugin_id;
typedef void block_callback(plugin_id id, struct block *block);
typedef void end_callback(plugin_id id, void *data);
typedef void run_callback(unsigned cpu, void *data);
typedef void memory_callback(unsigned cpu, uint32_t info, uint64_t address, void *data);

size_t qemu_plugin_tb_n_insns(const struct block *block);
struct instruction *qemu_plugin_tb_get_insn(const struct block *block, size_t i);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, block_callback *callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct block *block, run_callback *callback, int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct instruction *one, memory_callback *callback, int flags, int what,
                                      void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, end_callback *callback, void *data);
_Bool qemu_plugin_mem_is_store(uint32_t info);

enum { CPUS = 64, NO_REGISTERS = 0, LOADS_AND_STORES = 3, LINE = 128 };

static struct {
    _Alignas(LINE) uint64_t instructions;
    uint64_t accesses[2];
} counts[CPUS];

static void on_run(unsigned cpu, void *length) { counts[cpu % CPUS].instructions += (uintptr_t)length; }

static void on_access(unsigned cpu, uint32_t info, uint64_t address, void *data) {
    (void)address, (void)data;
    counts[cpu % CPUS].accesses[qemu_plugin_mem_is_store(info)]++;
}

static void on_block(plugin_id id, struct block *block) {
    (void)id;
    size_t n = qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_run, NO_REGISTERS, (void *)n);
    for (size_t i = 0; i < n; ++i)
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(block, i), on_access, NO_REGISTERS, LOADS_AND_STORES,
                                         NULL);
}

static void on_end(plugin_id id, void *data) {
    (void)id, (void)data;
    for (int i = 0; i < CPUS; ++i)
        if (counts[i].instructions != 0)
            fprintf(stderr, "  thread %d: %lu instructions, %lu loads, %lu stores\n", i, counts[i].instructions,
                    counts[i].accesses[0], counts[i].accesses[1]);
}

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);
int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
