/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * options_test.c: the options' parser: what each value sets, what a bad one says word for word and that it changes
 * nothing, that the constructor reads the environment before ng_start, and that a program that runs with another user's
 * rights ignores it.  Linked with front/options.c alone.
 */
#include "check.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "front/options.h"
#include "room/room.h"

static int starts;
static int verbose_at_start;

/* Stands for front/start.c. */
void ng_start(void) {
    starts++;
    verbose_at_start = ng_options.verbose;
}

static char said[8192];

/* Parses an environment of these entries (up to the NULL); what it wrote to stderr is in said. */
static void parse(const char **envp) {
    int file = memfd_create("stderr", MFD_CLOEXEC);
    int kept = dup(STDERR_FILENO);
    CHECK(file >= 0 && kept >= 0);
    dup2(file, STDERR_FILENO);
    ng_options_parse((char **)(uintptr_t)envp); /* main declares it so, and nobody writes to it */
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t n = pread(file, said, sizeof said - 1, 0);
    close(file);
    CHECK(n >= 0);
    said[n] = '\0';
}

#define PARSE(...) parse((const char *[]){__VA_ARGS__, NULL})

static void silent(void) { CHECK(said[0] == '\0', "it said: %s", said); }
static void says(const char *text) { CHECK(strcmp(said, text) == 0, "it said: %s", said); }

static void defaults_hold_without_variables(void) {
    PARSE("PATH=/bin", "NGRT=1", "ngrt_server=off", "XNGRT_SERVER=off");
    silent();
    CHECK(ng_options.server == NG_AUTO && ng_options.core == NG_NUMBER_AUTO && ng_options.thp == NG_AUTO);
    CHECK(ng_options.verbose == 0 && ng_options.stats == NG_STATS_OFF && ng_options.slow == 0);
    CHECK(ng_options.limit == 0 && ng_options.decay_ms == 1000 && ng_options.stall[0] == '\0');
    parse(NULL);
    silent();
    CHECK(ng_options.decay_ms == 1000);
}

static void each_value_is_taken(void) {
    PARSE("NGRT_SERVER=off", "NGRT_CORE=17", "NGRT_THP=on", "NGRT_VERBOSE=1", "NGRT_STATS=json", "NGRT_SLOW=1",
          "NGRT_LIMIT=1536M", "NGRT_DECAY=0", "NGRT_STALL=drain");
    silent();
    CHECK(ng_options.server == NG_OFF && ng_options.core == 17 && ng_options.thp == NG_ON);
    CHECK(ng_options.verbose == 1 && ng_options.stats == NG_STATS_JSON && ng_options.slow == 1);
    CHECK(ng_options.limit == (size_t)1536 << 20, "%zu", ng_options.limit);
    CHECK(ng_options.decay_ms == 0 && strcmp(ng_options.stall, "drain") == 0);
    PARSE("NGRT_SERVER=on", "NGRT_CORE=auto", "NGRT_DECAY=never", "NGRT_STATS=1");
    silent();
    CHECK(ng_options.server == NG_ON && ng_options.core == NG_NUMBER_AUTO);
    CHECK(ng_options.decay_ms == NG_NUMBER_NEVER && ng_options.stats == NG_STATS_TEXT);
    CHECK(ng_options.thp == NG_AUTO && ng_options.limit == 0, "an earlier parse must leave nothing");
}

static void bad_words_cost_one_line(void) {
    PARSE("NGRT_SERVER=maybe");
    says("ngrt: NGRT_SERVER=maybe is not one of auto, on, off; using auto\n");
    CHECK(ng_options.server == NG_AUTO);
    PARSE("NGRT_STATS=xml", "NGRT_SERVER=off");
    says("ngrt: NGRT_STATS=xml is not one of 0, 1, json; using 0\n");
    CHECK(ng_options.stats == NG_STATS_OFF && ng_options.server == NG_OFF, "the others count");
    static const char *const bad[] = {"au", "autoo", "auto, on", "on,", " on", ",", "AUTO"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char entry[64];
        snprintf(entry, sizeof entry, "NGRT_SERVER=%s", bad[i]);
        PARSE(entry);
        CHECK(strstr(said, "is not one of") != NULL && ng_options.server == NG_AUTO, "value '%s'", bad[i]);
    }
}

static void numbers_have_limits(void) {
    PARSE("NGRT_CORE=4095");
    silent();
    CHECK(ng_options.core == 4095);
    PARSE("NGRT_CORE=0");
    silent();
    CHECK(ng_options.core == 0);
    PARSE("NGRT_CORE=4096");
    says("ngrt: NGRT_CORE=4096 is not auto, or a processor's number from 0 to 4095; using auto\n");
    static const char *const bad[] = {"-1", "1x", "0x1", " 1", "never", "18446744073709551616", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char entry[64];
        snprintf(entry, sizeof entry, "NGRT_CORE=%s", bad[i]);
        PARSE(entry);
        CHECK(strstr(said, "; using auto\n") != NULL && ng_options.core == NG_NUMBER_AUTO, "value '%s'", bad[i]);
    }
    PARSE("NGRT_DECAY=86400001");
    says("ngrt: NGRT_DECAY=86400001 is not never, or milliseconds from 0 to 86400000; using 1000\n");
    CHECK(ng_options.decay_ms == 1000);
}

static void sizes_take_units(void) {
    static const struct {
        const char *value;
        size_t bytes;
    } good[] = {{"0", 0},
                {"1", 1},
                {"4k", 4096},
                {"3K", 3072},
                {"2m", 2u << 20},
                {"5G", (size_t)5 << 30},
                {"65536G", (size_t)1 << 46},
                {"70368744177664", (size_t)1 << 46}};
    char entry[64];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(entry, sizeof entry, "NGRT_LIMIT=%s", good[i].value);
        PARSE(entry);
        silent();
        CHECK(ng_options.limit == good[i].bytes, "value '%s' gave %zu", good[i].value, ng_options.limit);
    }
    static const char *const bad[] = {
        "G", "1T", "1GB", "1.5G", "-1", "65537G", "70368744177665", "99999999999999999999K"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(entry, sizeof entry, "NGRT_LIMIT=%s", bad[i]);
        PARSE(entry);
        CHECK(strstr(said, " is not a number of bytes ") != NULL && ng_options.limit == 0, "value '%s'", bad[i]);
    }
}

static void every_place_of_the_loop_is_a_name(void) {
    static const char *const places[] = {NG_ROOM_PLACES};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char entry[64];
        snprintf(entry, sizeof entry, "NGRT_STALL=%s", places[i]);
        PARSE(entry);
        silent();
        CHECK(strcmp(ng_options.stall, places[i]) == 0, "%s gave '%s'", entry, ng_options.stall);
    }
    PARSE("NGRT_STALL=nowhere");
    says("ngrt: NGRT_STALL=nowhere is not one of idle, key, drain, populate; using none\n");
    CHECK(ng_options.stall[0] == '\0');
}

static void an_empty_value_is_the_default(void) {
    PARSE("NGRT_SERVER=", "NGRT_CORE=", "NGRT_LIMIT=", "NGRT_STALL=");
    silent();
    CHECK(ng_options.server == NG_AUTO && ng_options.core == NG_NUMBER_AUTO && ng_options.limit == 0);
}

static void hostile_values_stay_on_one_line(void) {
    char entry[4096] = "NGRT_SERVER=a\nb\033[31m";
    memset(entry + strlen(entry), 'x', 4000);
    PARSE(entry);
    CHECK(strchr(said, '\n') == said + strlen(said) - 1, "it said: %s", said);
    CHECK(strlen(said) < 200 && strchr(said, '\033') == NULL && strstr(said, "=a?b?[31m") != NULL, "it said: %s", said);
    CHECK(strstr(said, "; using auto\n") != NULL, "it said: %s", said);
}

static void unknown_variables_are_named_where_asked(void) {
    PARSE("NGRT_SERVR=off", "NGRT_COLOUR=red");
    silent();
    PARSE("NGRT_SERVR=off", "NGRT_COLOUR=red", "NGRT_VERBOSE=1");
    says("ngrt: NGRT_SERVR is not an option; did you mean NGRT_SERVER?\nngrt: NGRT_COLOUR is not an option\n");
    PARSE("NGRT_VERBOSE=1", "NGRT_STAT=1");
    says("ngrt: NGRT_STAT is not an option; did you mean NGRT_STATS?\n");
}

static void errno_is_kept(void) {
    errno = EXDEV;
    int closed = dup(STDERR_FILENO);
    close(STDERR_FILENO); /* the message itself fails with EBADF */
    errno = EXDEV;
    static char bad[] = "NGRT_SERVER=maybe";
    ng_options_parse((char *[]){bad, NULL});
    int after = errno;
    dup2(closed, STDERR_FILENO);
    close(closed);
    CHECK(after == EXDEV);
}

/* Runs a program as "PATH child" with NGRT_VERBOSE=1; its exit status. */
static int run_child(const char *path) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        execle(path, path, "child", (char *)NULL, (const char *[]){"NGRT_VERBOSE=1", NULL});
        _exit(127);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

enum { CHILD_PLAIN = 10, CHILD_SECURE = 20 };

static int child(void) { return (getauxval(AT_SECURE) != 0 ? CHILD_SECURE : CHILD_PLAIN) + verbose_at_start; }

static void the_constructor_reads_the_environment_before_start(void) {
    CHECK(starts == 1, "%d calls of ng_start", starts);
    CHECK(run_child("/proc/self/exe") == CHILD_PLAIN + 1);
}

static void a_setuid_program_ignores_the_environment(const char *self) {
    if (geteuid() != 0) {
        puts("options_test: not root, the setuid case is left out");
        return;
    }
    char copy[4096], command[8400];
    snprintf(copy, sizeof copy, "%s.setuid", self);
    snprintf(command, sizeof command, "cp '%s' '%s'", self, copy);
    CHECK(system(command) == 0);
    CHECK(chown(copy, 65534, 65534) == 0 && chmod(copy, 04755) == 0);
    int status = run_child(copy);
    unlink(copy);
    if (status == CHILD_PLAIN + 1 || status == 127) {
        puts("options_test: the file system ignores setuid, the setuid case is left out");
        return;
    }
    CHECK(status == CHILD_SECURE + 0, "status %d", status);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "child") == 0)
        _exit(child()); /* not return: the leak sanitizer cannot look at a setuid process */
    defaults_hold_without_variables();
    each_value_is_taken();
    bad_words_cost_one_line();
    numbers_have_limits();
    sizes_take_units();
    every_place_of_the_loop_is_a_name();
    an_empty_value_is_the_default();
    hostile_values_stay_on_one_line();
    unknown_variables_are_named_where_asked();
    errno_is_kept();
    the_constructor_reads_the_environment_before_start();
    a_setuid_program_ignores_the_environment(argv[0]);
    puts("options_test: all good");
    return 0;
}
