/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_mailbox.c: a thread asks for a block, writes to it, and gives it back, and withdraws a question that is not
 * answered in time, while the key's holder answers.
 *
 * Holds: the block is one side's at a time, each side sees what the other did to it, and a question that was withdrawn is
 * not answered.
 */
#include "explore.h"

#include "channel/mailbox.h"

enum { LOOKS = 2, BLOCK = 64 };

static struct {
    struct ng_mailbox mailbox;
    uint64_t block;   /* how often it was written to; plain: both sides touch it */
    uint64_t written; /* the same, as the thread knows it */
    bool threads;     /* who has it */
    bool rooms;
} s;

static void setup(void) {
    model_name(&s.mailbox.word, "mailbox");
    model_name(&s.block, "block");
    s.rooms = true;
}

static bool ask(uint64_t question, uint64_t *answer) {
    ng_mailbox_ask(&s.mailbox, question);
    for (int look = 0; look < LOOKS; look++)
        if (ng_mailbox_answer(&s.mailbox, answer))
            return true;
    if (ng_mailbox_withdraw(&s.mailbox, question))
        return false;
    MODEL_CHECK(ng_mailbox_answer(&s.mailbox, answer), "neither withdrawn nor answered");
    return true;
}

static void own(void) {
    uint64_t answer;
    if (!ask(1u << 3 | NG_MAIL_TAKE, &answer))
        return;
    MODEL_CHECK(answer == BLOCK, "answered with %u", (unsigned)answer);
    s.threads = true;
    ng_data_write(&s.block, ng_data_read(&s.block) + 1);
    s.threads = false;
    if (!ask(BLOCK | NG_MAIL_GIVE, &answer))
        s.threads = true;
}

static void serve(void) {
    for (int look = 0; look < 3; look++) {
        uint64_t question = ng_mailbox_look(&s.mailbox);
        if (question == 0)
            continue;
        if ((question & NG_MAIL_KIND) == NG_MAIL_TAKE) {
            MODEL_CHECK(s.rooms, "asked for a block that the room has not");
            ng_data_write(&s.block, ng_data_read(&s.block) + 1);
            if (ng_mailbox_reply(&s.mailbox, question, BLOCK))
                s.rooms = false;
        } else if (ng_mailbox_reply(&s.mailbox, question, 0)) {
            MODEL_CHECK(!s.rooms && !s.threads, "given back by who has it not");
            s.rooms = true;
            ng_data_write(&s.block, ng_data_read(&s.block) + 1);
        }
    }
}

static void finish(void) {
    uint64_t answer = 0;
    bool answered = ng_mailbox_answer(&s.mailbox, &answer);
    MODEL_CHECK(!answered, "an answer to nobody");
    MODEL_CHECK(s.threads + s.rooms == 1, "%d have the block", s.threads + s.rooms);
}

int main(int argc, char **argv) {
    static const struct model_scenario scenarios[] = {
        {"mailbox: a block taken, written to and given back",
         &s,
         sizeof(s),
         setup,
         {{"thread", own}, {"key's holder", serve}},
         finish},
        {.name = NULL},
    };
    static const struct model_suite suite = {.scenario = scenarios};
    return model_main(&suite, argc, argv);
}
