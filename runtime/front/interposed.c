/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * interposed.c: finds out whose malloc and whose operators the process uses.  See interposed.h.
 *
 * The table's addresses are relocations, so the linker that chose the functions also filled it in: nothing is looked up
 * here.  They stand in a file of their own since a compiler that sees a definition may take its address for known; for
 * the same reason this library must not be linked with -Bsymbolic.  ng_operators_start runs in the constructor, no lock.
 */
#include "front/interposed.h"
#include "ngrt/abi.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

/* Weak: the static library's other members come into a program only where it needs them. */
#define WEAK __attribute__((weak))

extern WEAK void *malloc(size_t size);
extern WEAK void free(void *p);
extern WEAK void *_Znwm(size_t size);
extern WEAK void *_Znam(size_t size);
extern WEAK void *_ZnwmSt11align_val_t(size_t size, size_t align);
extern WEAK void *_ZnamSt11align_val_t(size_t size, size_t align);
extern WEAK void _ZdlPv(void *p);
extern WEAK void _ZdaPv(void *p);
extern WEAK void _ZdlPvSt11align_val_t(void *p, size_t align);
extern WEAK void _ZdaPvSt11align_val_t(void *p, size_t align);

const struct ng_interposed ng_interposed = {
    .malloc = malloc,
    .free = free,
    .new_one = _Znwm,
    .new_array = _Znam,
    .new_aligned = _ZnwmSt11align_val_t,
    .new_array_aligned = _ZnamSt11align_val_t,
    .delete_one = _ZdlPv,
    .delete_array = _ZdaPv,
    .delete_aligned = _ZdlPvSt11align_val_t,
    .delete_array_aligned = _ZdaPvSt11align_val_t,
};

/* Our own, by names that nobody else can define; absent where the program does not link them. */
extern WEAK void *ng_entry_malloc(size_t size);
extern WEAK void ng_entry_free(void *p);
extern WEAK void *ng_entry_new(size_t size);
extern WEAK void *ng_entry_new_array(size_t size);
extern WEAK void *ng_entry_new_aligned(size_t size, size_t align);
extern WEAK void *ng_entry_new_array_aligned(size_t size, size_t align);
extern WEAK void ng_entry_delete(void *p);
extern WEAK void ng_entry_delete_array(void *p);
extern WEAK void ng_entry_delete_aligned(void *p, size_t align);
extern WEAK void ng_entry_delete_array_aligned(void *p, size_t align);

extern WEAK int dladdr1(const void *address, Dl_info *info, void **extra, int flags);
extern WEAK int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);

bool ng_new_replaced;

/* A program that is not position-independent and takes a function's address gets that of a stub of its own, and so does
 * everybody else in the process.  The stub leads to the function that the linker chose: most likely ours. */
static bool is_stub(const void *function) {
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    return dladdr1 != NULL && dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) != 0 && symbol != NULL &&
           symbol->st_shndx == SHN_UNDEF;
}

static bool is_replaced(uintptr_t bound, uintptr_t own) {
    return own != 0 && bound != own && !is_stub((const void *)bound);
}

/* ---- who uses the inlined fast paths: the objects that import the thread cache ---- */

static const void *dynamic_entry(const struct dl_phdr_info *object, ElfW(Sxword) tag) {
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *d = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        for (; d->d_tag != DT_NULL; d++) {
            /* glibc rewrites these entries to addresses, but not in the vDSO. */
            if (d->d_tag == tag)
                return (const void *)(d->d_un.d_ptr < object->dlpi_addr ? object->dlpi_addr + d->d_un.d_ptr
                                                                        : d->d_un.d_ptr);
        }
    }
    return NULL;
}

/* The symbols an object imports stand before those that it hashes; with the old table only the total is known. */
static size_t imports(const struct dl_phdr_info *object) {
    const uint32_t *gnu = dynamic_entry(object, DT_GNU_HASH);
    if (gnu != NULL)
        return gnu[1];
    const uint32_t *old = dynamic_entry(object, DT_HASH);
    return old != NULL ? old[1] : 0;
}

static bool contains(const struct dl_phdr_info *object, uintptr_t address) {
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &object->dlpi_phdr[i];
        if (h->p_type == PT_LOAD && address - (object->dlpi_addr + h->p_vaddr) < h->p_memsz)
            return true;
    }
    return false;
}

static int imports_cache(struct dl_phdr_info *object, size_t bytes, void *unused) {
    (void)bytes;
    /* Linked statically: this library is part of the program, which then imports nothing from it. */
    if (object->dlpi_name[0] == '\0' && contains(object, (uintptr_t)&ng_new_replaced))
        return 1;
    (void)unused;
    const ElfW(Sym) *symbols = dynamic_entry(object, DT_SYMTAB);
    const char *names = dynamic_entry(object, DT_STRTAB);
    if (symbols == NULL || names == NULL)
        return 0;
    for (size_t i = 1, n = imports(object); i < n; i++)
        if (symbols[i].st_shndx == SHN_UNDEF && strcmp(names + symbols[i].st_name, NGRT_CACHE_SYMBOL) == 0)
            return 1;
    return 0;
}

/* True where it cannot be known: in a program linked statically.  A library that comes later by dlopen is not seen; it is
 * wrong only in a program that also replaces operator new. */
static bool inlined_code_is_there(void) {
    if (dladdr1 == NULL || dl_iterate_phdr == NULL)
        return true;
    return dl_iterate_phdr(imports_cache, NULL) != 0;
}

#define REPLACED(name, own) is_replaced((uintptr_t)ng_interposed.name, (uintptr_t)(own))

bool ng_malloc_is_ours(void) { return !REPLACED(malloc, ng_entry_malloc) && !REPLACED(free, ng_entry_free); }

bool ng_operators_start(void) {
    ng_new_replaced = REPLACED(new_one, ng_entry_new) || REPLACED(new_array, ng_entry_new_array) ||
                      REPLACED(new_aligned, ng_entry_new_aligned) ||
                      REPLACED(new_array_aligned, ng_entry_new_array_aligned) ||
                      REPLACED(delete_one, ng_entry_delete) || REPLACED(delete_array, ng_entry_delete_array) ||
                      REPLACED(delete_aligned, ng_entry_delete_aligned) ||
                      REPLACED(delete_array_aligned, ng_entry_delete_array_aligned);
    return (ng_new_replaced || !ng_malloc_is_ours()) && inlined_code_is_there();
}
