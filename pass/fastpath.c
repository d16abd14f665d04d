/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fastpath.c: what the pass puts in line, written once, in C, from the header that the runtime is built from.  Compiled
 * to bitcode that the plugin carries (FastPath.cpp); each function here disappears into its callers.  Runs on the app's
 * core, needs no lock.
 *
 * Three kinds:  whole calls (ngrt_fast_malloc_bin) end in a slow path of the runtime;  the try_ functions return NULL
 * or 0 on a miss, and the pass keeps the program's own call for that case, since only it knows a nothrow, an aligned or
 * a sized operator from another;  ngrt_fast_request is what becomes of nextgen-hoist's requests.
 */
#include <ngrt/abi.h>

void *ngrt_fast_malloc_bin(uint32_t bin, size_t size);
void *ngrt_fast_malloc(size_t size);
void *ngrt_fast_new_bin(uint32_t bin, size_t size);
void *ngrt_fast_new(size_t size);
void *ngrt_fast_new_array_bin(uint32_t bin, size_t size);
void *ngrt_fast_new_array(size_t size);
void *ngrt_fast_realloc_zero(void *p);
void *ngrt_fast_try_take_bin(uint32_t bin);
void *ngrt_fast_try_take(size_t size);
void *ngrt_fast_try_take_zeroed(uint32_t bin, size_t bytes);
void *ngrt_fast_try_realloc(void *p, size_t size);
void *ngrt_fast_try_top(uint32_t bin, size_t blocks);
void *ngrt_fast_nth(void *top, size_t n);
void ngrt_fast_lower_top(uint32_t bin, void *top, size_t blocks);
void ngrt_fast_free(void *p);
void ngrt_fast_free_bin(void *p, uint32_t bin);
void ngrt_fast_delete(void *p);
void ngrt_fast_delete_array(void *p);
int ngrt_fast_try_give(void *p);
int ngrt_fast_try_give_bin(void *p, uint32_t bin);
void ngrt_fast_request(uint32_t bin, size_t blocks);
void ngrt_fast_request_large(uint32_t bin, size_t bytes);

static inline void *take_any(size_t size) { return ngrt_take_any(&ngrt_cache, size); }

void *ngrt_fast_malloc_bin(uint32_t bin, size_t size) {
  void *p = ngrt_take(&ngrt_cache, bin);
  return __builtin_expect(p != NULL, 1) ? p : ngrt_malloc_slow(size);
}

void *ngrt_fast_malloc(size_t size) {
  void *p = take_any(size);
  return __builtin_expect(p != NULL, 1) ? p : ngrt_malloc_slow(size);
}

void *ngrt_fast_new_bin(uint32_t bin, size_t size) {
  void *p = ngrt_take(&ngrt_cache, bin);
  return __builtin_expect(p != NULL, 1) ? p : ngrt_new_slow(size);
}

void *ngrt_fast_new(size_t size) {
  void *p = take_any(size);
  return __builtin_expect(p != NULL, 1) ? p : ngrt_new_slow(size);
}

void *ngrt_fast_new_array_bin(uint32_t bin, size_t size) {
  void *p = ngrt_take(&ngrt_cache, bin);
  return __builtin_expect(p != NULL, 1) ? p : ngrt_new_array_slow(size);
}

void *ngrt_fast_new_array(size_t size) {
  void *p = take_any(size);
  return __builtin_expect(p != NULL, 1) ? p : ngrt_new_array_slow(size);
}

/* realloc(p, 0) as glibc has it: frees p and returns NULL, or is malloc(0) where p is NULL. */
void *ngrt_fast_realloc_zero(void *p) {
  if (p == NULL)
    return ngrt_malloc_slow(0);
  if (!ngrt_give(&ngrt_cache, p))
    ngrt_free_slow(p);
  return NULL;
}

void *ngrt_fast_try_take_bin(uint32_t bin) { return ngrt_take(&ngrt_cache, bin); }

void *ngrt_fast_try_take(size_t size) { return take_any(size); }

void *ngrt_fast_try_take_zeroed(uint32_t bin, size_t bytes) {
  void *p = ngrt_take(&ngrt_cache, bin);
  if (__builtin_expect(p != NULL, 1))
    __builtin_memset(p, 0, bytes);
  return p;
}

void *ngrt_fast_try_realloc(void *p, size_t size) { return p == NULL ? take_any(size) : NULL; }

/* A batch: the bin's top if its magazine holds so many blocks, else NULL; each block, the next one first; and only then
 * the new top, since a signal handler that frees in between may overwrite what lies above it. */
void *ngrt_fast_try_top(uint32_t bin, size_t blocks) {
  return __builtin_expect(blocks <= ngrt_ready(&ngrt_cache, bin), 1) ? (void *)ngrt_bin_at(&ngrt_cache, bin)->top
                                                                     : NULL;
}

void *ngrt_fast_nth(void *top, size_t n) {
  void *block = *((void *volatile *)top - n);
  if (block == NULL)
    __builtin_unreachable();
  return block;
}

void ngrt_fast_lower_top(uint32_t bin, void *top, size_t blocks) {
  *(void **volatile *)&ngrt_bin_at(&ngrt_cache, bin)->top = (void **)top - blocks;
}

void ngrt_fast_free(void *p) {
  if (!ngrt_give(&ngrt_cache, p))
    ngrt_free_slow(p);
}

void ngrt_fast_free_bin(void *p, uint32_t bin) {
  if (!ngrt_give_bin(&ngrt_cache, p, bin))
    ngrt_free_slow(p);
}

void ngrt_fast_delete(void *p) {
  if (!ngrt_give(&ngrt_cache, p))
    ngrt_delete_slow(p);
}

void ngrt_fast_delete_array(void *p) {
  if (!ngrt_give(&ngrt_cache, p))
    ngrt_delete_array_slow(p);
}

int ngrt_fast_try_give(void *p) { return ngrt_give(&ngrt_cache, p); }

int ngrt_fast_try_give_bin(void *p, uint32_t bin) { return ngrt_give_bin(&ngrt_cache, p, bin); }

/* Nothing where the magazine holds enough already. */
void ngrt_fast_request(uint32_t bin, size_t blocks) {
  if (__builtin_expect(blocks > ngrt_ready(&ngrt_cache, bin), 0))
    ngrt_request_slow(bin, blocks);
}

/* bin: NGRT_BIN_LARGE or NGRT_BIN_GROWS. */
void ngrt_fast_request_large(uint32_t bin, size_t bytes) {
  if (__builtin_expect(bytes >= NGRT_REQUEST_MIN, 0))
    ngrt_request_slow(bin, bytes);
}
