/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ngcc, ng++: clang 19 with the pass and the runtime.  Reads the command line as far as it must to know whether there is
 * something to compile or to link, adds what belongs there, and becomes clang; all other arguments go through as they
 * are, in their order.  One source, built twice: NGCC_CLANG is the compiler that it runs, found at configure time, since
 * the pass crashes another major version.
 *
 * Where the parts are: ../lib from where this program really is, in the build tree and after installation.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXTRA_ARGUMENTS = 24, RESPONSE_DEPTH = 8, SANITIZERS_MAX = 32 };

/* What the command line asks for. */
struct request {
    bool links;       /* nothing stops before the link */
    bool inputs;      /* there is a file to work on */
    bool sources;     /* one that is more than a header to precompile */
    bool lto;         /* the last of -flto… and -fno-lto */
    bool is_static;   /* -static, -static-pie */
    bool relocatable; /* -r: the runtime comes at a later link */
    bool bare;        /* no libc, or another machine: neither half has a place */
    bool probe;       /* a configure script's check: nothing may be said */
    bool header_language;
    const char *linker; /* -fuse-ld=, --ld-path= */
    const char *sanitizers[SANITIZERS_MAX];
    int sanitizer_count;
    const char *pass_settings;                /* --ng-pass= */
    bool show, no_pass, no_runtime, no_rpath; /* our own options */
};

static const char *self = NGCC_NAME;

static _Noreturn void fail(const char *what, const char *value, const char *advice) {
    fprintf(stderr, "%s: %s%s%s%s\n", self, what, value, advice[0] != '\0' ? ": " : "", advice);
    exit(2);
}

static void *xmalloc(size_t size) {
    void *p = malloc(size);
    if (p == NULL)
        fail("no memory", "", "");
    return p;
}

static bool starts(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static bool ends(const char *s, const char *with) {
    size_t n = strlen(s), m = strlen(with);
    return n >= m && strcmp(s + n - m, with) == 0;
}

static bool one_of(const char *s, const char *const *list) {
    for (; *list != NULL; ++list)
        if (strcmp(s, *list) == 0)
            return true;
    return false;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void print_help(void) {
    printf(
        "%s: %s with NextGen-Malloc: allocations in line, and libngrt linked in\n\n"
        "Use it as you would use the compiler.  It adds\n"
        "  when it compiles   -fpass-plugin=…/NextGenPass.so\n"
        "  when it links      -L…/lib -lngrt and an rpath to that folder; with -static libngrt.a\n"
        "  with -flto         lld as the linker, and the pass in it\n\n"
        "  --ng-help          this text\n"
        "  --ng-show          print the command that would be run, and do not run it\n"
        "  --ng-pass=TEXT     parameters of the passes, such as 'nextgen-promote<max-bytes=64>' (or set NGRT_PASS)\n"
        "  --ng-no-pass       leave the pass out: calls stay calls\n"
        "  --ng-no-runtime    leave libngrt out: the program brings it in another way\n"
        "  --ng-no-rpath      no rpath: libngrt is where the loader looks (or set NGCC_NO_RPATH=1)\n\n"
        "With a sanitizer that brings its own allocator (-fsanitize=address and its like) both are left out.  So they\n"
        "are with -ffreestanding, -nostdlib, -nodefaultlibs, -nolibc and for other machines; -r leaves out the "
        "runtime.\n"
        "What the pass did and why: -Rpass=nextgen -Rpass-missed=nextgen.\n",
        self, NGCC_CLANG);
}

/* ---- reading the command line ---- */

/* Options whose value is the next argument, so that it is not taken for an input. */
static const char *const with_value[] = {"-o",
                                         "-x",
                                         "-I",
                                         "-L",
                                         "-l",
                                         "-D",
                                         "-U",
                                         "-A",
                                         "-B",
                                         "-F",
                                         "-G",
                                         "-T",
                                         "-e",
                                         "-u",
                                         "-z",
                                         "-include",
                                         "-imacros",
                                         "-isystem",
                                         "-iquote",
                                         "-idirafter",
                                         "-isysroot",
                                         "-iprefix",
                                         "-iwithprefix",
                                         "-iwithprefixbefore",
                                         "-iframework",
                                         "-cxx-isystem",
                                         "-c-isystem",
                                         "-include-pch",
                                         "-ivfsoverlay",
                                         "-imultilib",
                                         "-MF",
                                         "-MT",
                                         "-MQ",
                                         "-MJ",
                                         "-Xlinker",
                                         "-Xassembler",
                                         "-Xpreprocessor",
                                         "-Xclang",
                                         "-Xanalyzer",
                                         "-Xopenmp-target",
                                         "-mllvm",
                                         "-mthread-model",
                                         "-target",
                                         "-arch",
                                         "-rpath",
                                         "-Tbss",
                                         "-Tdata",
                                         "-Ttext",
                                         "-working-directory",
                                         "-serialize-diagnostics",
                                         "--serialize-diagnostics",
                                         "-gcc-toolchain",
                                         "-resource-dir",
                                         "--param",
                                         "--sysroot",
                                         "--config",
                                         "--output",
                                         "--language",
                                         "--include",
                                         "--include-directory",
                                         "--define-macro",
                                         "--undefine-macro",
                                         "--library-directory",
                                         "--for-linker",
                                         "--entry",
                                         "-dependency-file",
                                         "-install_name",
                                         "-framework",
                                         "-stdlib++-isystem",
                                         "-aux-info",
                                         NULL};

static const char *const stops_before_link[] = {"-c",
                                                "-S",
                                                "-E",
                                                "-M",
                                                "-MM",
                                                "-fsyntax-only",
                                                "--compile",
                                                "--assemble",
                                                "--preprocess",
                                                "--analyze",
                                                "-emit-ast",
                                                "--emit-ast",
                                                "--precompile",
                                                "-emit-interface-stubs",
                                                "-extract-api",
                                                "-verify-pch",
                                                "-module-file-info",
                                                NULL};

static const char *const bare_options[] = {"-ffreestanding", "-nostdlib", "-nodefaultlibs", "-nolibc", "-m32",   "-m16",
                                           "-mx32",          "-mkernel",  "-fapple-kext",   "-cc1",    "-cc1as", NULL};

static const char *const own_allocator[] = {
    "address",  "kernel-address", "hwaddress", "kernel-hwaddress", "memory",      "kernel-memory", "thread", "leak",
    "dataflow", "scudo",          "fuzzer",    "memtag",           "memtag-heap", "memtag-stack",  NULL};

static const char *const header_suffixes[] = {".h", ".hh", ".hpp", ".hxx", ".h++", ".hp", ".H", ".inl", NULL};

static void drop_sanitizer(struct request *r, const char *name) {
    bool all = strcmp(name, "all") == 0;
    int kept = 0;
    for (int i = 0; i < r->sanitizer_count; ++i)
        if (!all && strcmp(r->sanitizers[i], name) != 0)
            r->sanitizers[kept++] = r->sanitizers[i];
    r->sanitizer_count = kept;
}

static void add_sanitizer(struct request *r, const char *name) {
    if (r->sanitizer_count < SANITIZERS_MAX)
        r->sanitizers[r->sanitizer_count++] = name;
}

/* -fsanitize=a,b adds, -fno-sanitize=a takes away; only those count that bring an allocator. */
static void read_sanitizers(struct request *r, const char *list, bool add) {
    char *copy = strcpy(xmalloc(strlen(list) + 1), list);
    for (char *name = strtok(copy, ","); name != NULL; name = strtok(NULL, ",")) {
        drop_sanitizer(r, name);
        if (add && one_of(name, own_allocator))
            add_sanitizer(r, name);
    }
}

static void read_target(struct request *r, const char *triple) {
    if (!starts(triple, NGCC_ARCH) || strstr(triple, "linux") == NULL)
        r->bare = true;
}

static void read_input(struct request *r, const char *name) {
    const char *dot = strrchr(base_name(name), '.');
    r->inputs = true;
    if (!r->header_language && (dot == NULL || !one_of(dot, header_suffixes)))
        r->sources = true;
    if (starts(base_name(name), "conftest") || strstr(name, "cmTC_") != NULL)
        r->probe = true;
}

static void read_own_option(struct request *r, const char *a) {
    if (strcmp(a, "--ng-help") == 0) {
        print_help();
        exit(0);
    }
    if (strcmp(a, "--ng-show") == 0)
        r->show = true;
    else if (starts(a, "--ng-pass="))
        r->pass_settings = a + strlen("--ng-pass=");
    else if (strcmp(a, "--ng-no-pass") == 0)
        r->no_pass = true;
    else if (strcmp(a, "--ng-no-runtime") == 0)
        r->no_runtime = true;
    else if (strcmp(a, "--ng-no-rpath") == 0)
        r->no_rpath = true;
    else
        fail("no such option: ", a,
             "there are --ng-help, --ng-show, --ng-pass=, --ng-no-pass, --ng-no-runtime, --ng-no-rpath");
}

/* An option that has its value, if any, in the same argument. */
static void read_option(struct request *r, const char *a) {
    if (starts(a, "--ng-"))
        read_own_option(r, a);
    else if (one_of(a, stops_before_link))
        r->links = false;
    else if (one_of(a, bare_options))
        r->bare = true;
    else if (strcmp(a, "-r") == 0)
        r->relocatable = true;
    else if (strcmp(a, "-static") == 0 || strcmp(a, "--static") == 0 || strcmp(a, "-static-pie") == 0)
        r->is_static = true;
    else if (strcmp(a, "-flto") == 0 || starts(a, "-flto="))
        r->lto = true;
    else if (strcmp(a, "-fno-lto") == 0)
        r->lto = false;
    else if (starts(a, "-fuse-ld=") || starts(a, "--ld-path="))
        r->linker = strchr(a, '=') + 1;
    else if (starts(a, "-fsanitize="))
        read_sanitizers(r, a + strlen("-fsanitize="), true);
    else if (starts(a, "-fno-sanitize="))
        read_sanitizers(r, a + strlen("-fno-sanitize="), false);
    else if (starts(a, "-fmemory-profile") && !starts(a, "-fmemory-profile-use"))
        add_sanitizer(r, "memory profile"); /* MemProf's runtime has an allocator too */
    else if (starts(a, "--target="))
        read_target(r, a + strlen("--target="));
    else if (starts(a, "-x"))
        r->header_language = ends(a, "-header");
}

static void read_value(struct request *r, const char *option, const char *value) {
    if (strcmp(option, "-target") == 0)
        read_target(r, value);
    else if (strcmp(option, "-x") == 0)
        r->header_language = ends(value, "-header");
    else if (strcmp(option, "-o") == 0 && (starts(base_name(value), "conftest") || strstr(value, "cmTC_") != NULL))
        r->probe = true;
}

static void read_arguments(struct request *r, int count, char **arguments, int depth);

/* The whole file as a string, or NULL. */
static char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    size_t size = 0, room = 1 << 16;
    char *text = xmalloc(room);
    for (size_t n; (n = fread(text + size, 1, room - size - 1, file)) > 0;) {
        size += n;
        if (room - size > 1)
            continue;
        char *more = realloc(text, room *= 2);
        if (more == NULL)
            fail("no memory", "", "");
        text = more;
    }
    fclose(file);
    text[size] = '\0';
    *length = size;
    return text;
}

/* Splits text into words where it stands, quoted as in a shell; the words are never longer than what they came from. */
static int split_words(char *text, char **words) {
    static const char space[] = " \t\r\n";
    int count = 0;
    char *out = text;
    for (const char *p = text + strspn(text, space); *p != '\0'; p += strspn(p, space)) {
        words[count++] = out;
        for (char quote = '\0'; *p != '\0' && (quote != '\0' || strchr(space, *p) == NULL); ++p) {
            if (*p == '\\' && p[1] != '\0' && quote != '\'')
                *out++ = *++p;
            else if (*p == quote)
                quote = '\0';
            else if (quote == '\0' && (*p == '"' || *p == '\''))
                quote = *p;
            else
                *out++ = *p;
        }
        if (*p != '\0')
            ++p; /* before out catches up with it */
        *out++ = '\0';
    }
    return count;
}

/* @file holds further arguments.  Read only to know them: clang reads the file again itself, and says what is wrong. */
static void read_response_file(struct request *r, const char *path, int depth) {
    size_t length;
    char *text = depth < RESPONSE_DEPTH ? read_file(path, &length) : NULL;
    if (text == NULL)
        return;
    char **words = xmalloc((length / 2 + 2) * sizeof(char *));
    int count = split_words(text, words);
    read_arguments(r, count, words, depth + 1);
}

static void read_arguments(struct request *r, int count, char **arguments, int depth) {
    for (int i = 0; i < count; ++i) {
        const char *a = arguments[i];
        if (a[0] == '@' && access(a + 1, R_OK) == 0) {
            read_response_file(r, a + 1, depth);
        } else if (strcmp(a, "--") == 0) {
            while (++i < count)
                read_input(r, arguments[i]);
        } else if (a[0] != '-' || a[1] == '\0') {
            read_input(r, a);
        } else if (one_of(a, with_value)) {
            if (++i < count)
                read_value(r, a, arguments[i]);
        } else {
            read_option(r, a);
        }
    }
}

/* ---- where the parts are ---- */

/* The folder of the libraries, as a real path, so that an rpath to it means the same everywhere. */
static const char *find_library_folder(void) {
    static const char *const places[] = {"../lib", NGCC_LIBDIR_FROM_BINDIR, NULL};
    static char found[PATH_MAX];
    char exe[PATH_MAX], path[2 * PATH_MAX];
    if (realpath("/proc/self/exe", exe) == NULL)
        fail("cannot find itself by ", "/proc/self/exe", strerror(errno));
    *strrchr(exe, '/') = '\0';
    for (const char *const *place = places; *place != NULL; ++place) {
        snprintf(path, sizeof(path), "%s/%s/NextGenPass.so", exe, *place);
        if (access(path, R_OK) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", exe, *place);
        if (realpath(path, found) != NULL)
            return found;
    }
    snprintf(path, sizeof(path), "%s/../lib", exe);
    fail("NextGenPass.so is not in ", path, "build it (cmake --build) or install the whole package");
}

static char *joined(const char *a, const char *b, const char *c) {
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *s = xmalloc(size);
    snprintf(s, size, "%s%s%s", a, b, c);
    return s;
}

/* ---- the command ---- */

struct command {
    char **argv;
    int argc;
};

static void add(struct command *c, const char *argument) { c->argv[c->argc++] = (char *)(uintptr_t)argument; }

/* Whether the link is lld's, which can load the pass; another's has of it what was compiled. */
static bool links_by_lld(const struct request *r) {
    if (r->linker == NULL)
        return access(NGCC_LLD, X_OK) == 0;
    return strcmp(r->linker, "lld") == 0 || ends(r->linker, "ld.lld");
}

static void add_lto(struct command *c, const struct request *r, const char *plugin) {
    if (!links_by_lld(r))
        return;
    if (r->linker == NULL)
        add(c, "-fuse-ld=lld");
    add(c, joined("-Wl,--load-pass-plugin=", plugin, ""));
}

/* What the pass is told beside the command line, which has no place for it. */
static void set_environment(const struct request *r) {
    if (r->pass_settings != NULL)
        setenv("NGRT_PASS", r->pass_settings, 1);
    /* The link sees calls across files, so it is the link that lowers them. */
    if (r->lto && !r->no_pass && links_by_lld(r))
        setenv("NGRT_PASS_AT_LINK", "1", 1);
}

/* --no-as-needed: a program that allocates only inside of libraries refers to nothing of libngrt. */
static void add_runtime(struct command *c, const struct request *r, const char *lib) {
    if (access(joined(lib, r->is_static ? "/libngrt.a" : "/libngrt.so", ""), R_OK) != 0)
        fail(r->is_static ? "libngrt.a is not in " : "libngrt.so is not in ", lib, "build it, or give --ng-no-runtime");
    add(c, joined("-L", lib, ""));
    if (r->is_static) {
        /* So that it comes in before libc's own, whatever of it the program itself names. */
        add(c, "-Wl,-u,malloc");
        add(c, "-l:libngrt.a");
        return;
    }
    add(c, "-Wl,--push-state,--no-as-needed");
    add(c, "-lngrt");
    add(c, "-Wl,--pop-state");
    if (!r->no_rpath && getenv("NGCC_NO_RPATH") == NULL)
        add(c, joined("-Wl,-rpath,", lib, ""));
}

/* Once for a program, so at its link; never to a configure script, which takes any word for a failure. */
static void say_aside(const struct request *r) {
    if (r->sanitizer_count > 0 && r->links && r->sources && !r->probe && !r->no_runtime && !r->show)
        fprintf(stderr, "%s: note: the %s sanitizer brings its own allocator; NextGen-Malloc is left out\n", self,
                r->sanitizers[0]);
}

static struct command build_command(const struct request *r, int argc, char **argv) {
    struct command c = {xmalloc(((size_t)argc + EXTRA_ARGUMENTS) * sizeof(char *)), 0};
    bool stands = r->inputs && !r->bare && r->sanitizer_count == 0;
    bool pass = stands && !r->no_pass;
    bool links = stands && r->links && r->sources && !r->relocatable;
    const char *lib = pass || (links && !r->no_runtime) ? find_library_folder() : NULL;

    add(&c, NGCC_CLANG);
    if (pass)
        add(&c, joined("-fpass-plugin=", lib, "/NextGenPass.so"));
    int rest = 1;
    for (; rest < argc && strcmp(argv[rest], "--") != 0; ++rest)
        if (!starts(argv[rest], "--ng-"))
            add(&c, argv[rest]);
    if (links && pass && (r->lto || r->linker != NULL))
        add_lto(&c, r, joined(lib, "/NextGenPass.so", ""));
    if (links && !r->no_runtime)
        add_runtime(&c, r, lib);
    /* After "--" all are inputs: ours had to come before. */
    for (; rest < argc; ++rest)
        add(&c, argv[rest]);
    add(&c, NULL);
    return c;
}

static void show(const struct command *c) {
    for (int i = 0; c->argv[i] != NULL; ++i) {
        const char *a = c->argv[i];
        bool plain = *a != '\0' && a[strspn(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                               "-_=+,./:@%")] == '\0';
        fputs(i == 0 ? "" : " ", stdout);
        if (plain) {
            fputs(a, stdout);
            continue;
        }
        putchar('\'');
        for (; *a != '\0'; ++a)
            *a == '\'' ? (void)fputs("'\\''", stdout) : (void)putchar(*a);
        putchar('\'');
    }
    putchar('\n');
}

int main(int argc, char **argv) {
    struct request r = {.links = true};
    /* clang's own inner calls are none of our business. */
    if (argc < 2 || !starts(argv[1], "-cc1"))
        read_arguments(&r, argc - 1, argv + 1, 0);
    struct command c = build_command(&r, argc, argv);
    if (r.show) {
        show(&c);
        return 0;
    }
    say_aside(&r);
    set_environment(&r);
    execv(NGCC_CLANG, c.argv);
    fprintf(stderr, "%s: cannot run %s: %s: install clang 19 there\n", self, NGCC_CLANG, strerror(errno));
    return 127;
}
