/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * model_atomic.h: what channel/atomic.h becomes under the model checker.
 *
 * Each operation goes to the explorer (explore.c), which decides what a load returns and who goes on.  A call site is an
 * object, so that a mutant can weaken that one site; its name is the function and the text of the operand.
 * Included by channel/atomic.h alone, where NGRT_MODEL is defined as the name of this file.
 */
#ifndef NG_MODEL_ATOMIC_H
#define NG_MODEL_ATOMIC_H

#define NG_RELAXED 0
#define NG_ACQUIRE 1
#define NG_RELEASE 2
#define NG_ACQ_REL 3 /* NG_ACQUIRE | NG_RELEASE */
#define NG_SEQ_CST 7 /* checked as NG_ACQ_REL, which is weaker: no error is missed, a false one is possible */

enum model_op {
    MODEL_NOTHING,
    MODEL_LOAD,
    MODEL_STORE,
    MODEL_SWAP,
    MODEL_ADD,
    MODEL_CAS,
    MODEL_FENCE,
    MODEL_LOCK,  /* the futex's bucket, inside the explorer */
    MODEL_READ,  /* plain data */
    MODEL_WRITE, /* plain data */
};

struct model_site {
    const char *file;
    int line;
    const char *function;
    const char *operand;
    enum model_op op;
    int order;
    bool known;
};

typedef struct {
    uint64_t value; /* the first value; later ones are the explorer's */
} ng_atomic;

uint64_t model_load(struct model_site *site, const ng_atomic *a, int order);
void model_store(struct model_site *site, ng_atomic *a, uint64_t v, int order);
uint64_t model_swap(struct model_site *site, ng_atomic *a, uint64_t v, int order);
uint64_t model_add(struct model_site *site, ng_atomic *a, uint64_t v, int order);
bool model_cas(struct model_site *site, ng_atomic *a, uint64_t *seen, uint64_t v, int order);
void model_fence(struct model_site *site);
uint64_t model_data_read(const char *function, const uint64_t *p);
void model_data_write(const char *function, uint64_t *p, uint64_t v);

#define MODEL_SITE(op, operand)                                                                                        \
    ({                                                                                                                 \
        static struct model_site site_ = {__FILE__, __LINE__, __func__, operand, op, NG_RELAXED, false};               \
        &site_;                                                                                                        \
    })

#define ng_load(a, order) model_load(MODEL_SITE(MODEL_LOAD, #a), a, order)
#define ng_store(a, v, order) model_store(MODEL_SITE(MODEL_STORE, #a), a, v, order)
#define ng_swap(a, v, order) model_swap(MODEL_SITE(MODEL_SWAP, #a), a, v, order)
#define ng_add(a, v, order) model_add(MODEL_SITE(MODEL_ADD, #a), a, v, order)
#define ng_cas(a, seen, v, order) model_cas(MODEL_SITE(MODEL_CAS, #a), a, seen, v, order)
#define ng_fence() model_fence(MODEL_SITE(MODEL_FENCE, ""))
#define ng_data_read(p) model_data_read(__func__, p)
#define ng_data_write(p, v) model_data_write(__func__, p, v)

static inline void ng_relax(void) {}

#endif
