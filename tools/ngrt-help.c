/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ngrt-help: prints the runtime's options (and, with --man, the manual page ngrt.7) from the list that the runtime itself
 * is built with.  A tool of its own: it links nothing of the runtime.
 */
#include <stdio.h>
#include <string.h>

struct option {
    const char *variable;
    const char *text;
    const char *allowed;
    const char *sentence;
};

static const struct option options[] = {
#define NG_OPTION(kind, field, variable, value, text, max, allowed, sentence) {variable, text, allowed, sentence},
#include "room/options.def"
#undef NG_OPTION
};

enum { OPTIONS = sizeof(options) / sizeof(options[0]), COLUMNS = 100, INDENT = 4 };

/* Prints the text in lines of at most COLUMNS, each indented. */
static void print_wrapped(const char *text) {
    int column = 0;
    while (*text != '\0') {
        int word = (int)strcspn(text, " ");
        if (column == 0 || column + 1 + word > COLUMNS) {
            printf("%s%*s", column == 0 ? "" : "\n", INDENT, "");
            column = INDENT;
        } else {
            putchar(' ');
            column++;
        }
        printf("%.*s", word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_help(void) {
    printf("ngrt %s: options, each a variable of the program's environment\n", NGRT_VERSION);
    for (size_t i = 0; i < OPTIONS; i++) {
        printf("\n%s=%s\n", options[i].variable, options[i].text);
        print_wrapped(options[i].sentence);
        printf("%*sAllowed: %s.\n", INDENT, "", options[i].allowed);
    }
    puts("\nThe value shown is the default; an empty value means the default too.");
}

/* One row for each option: variable, default, allowed, sentence, between bars. */
static void print_table(void) {
    puts("| variable | default | allowed | what it does |\n| --- | --- | --- | --- |");
    for (size_t i = 0; i < OPTIONS; i++)
        printf("| `%s` | %s | %s | %s |\n", options[i].variable, options[i].text[0] != '\0' ? options[i].text : "none",
               options[i].allowed, options[i].sentence);
}

/* roff takes a line's first dot or quote as a command, and a backslash everywhere. */
static void print_roff(const char *text) {
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text != '\0'; text++)
        fputs(*text == '\\' ? "\\e" : *text == '-' ? "\\-" : (char[]){*text, '\0'}, stdout);
    putchar('\n');
}

static void print_manual(void) {
    printf(".TH NGRT 7 \"\" \"ngrt %s\" \"Environment\"\n", NGRT_VERSION);
    puts(".SH NAME\nngrt \\- the memory allocator NextGen\\-Malloc\n.SH SYNOPSIS\n.nf\n"
         ".B LD_PRELOAD=libngrt.so \\fIprogram\\fR\n"
         ".B ngcc \\-O2 \\fIfile.c\\fR\n"
         ".B ng++ \\-O2 \\fIfile.cpp\\fR\n"
         ".B cc \\fIfile.c\\fR \\-lngrt\n.fi\n.SH DESCRIPTION\n"
         "libngrt replaces malloc and its relatives, and every operator new and delete.\n"
         "The work on its metadata is done by a thread on a core of its own where there is one to spare, and by the\n"
         "threads that need it where there is none.\n"
         "Programs built by\n.B ngcc\nor\n.B ng++\nhave the fast path in line.\n"
         "It reads the options below from the environment, once, before main.\n"
         "A value that is not allowed costs one line on stderr, and the default is used.\n"
         "An empty value means the default.\n"
         "A program that runs with the rights of another user (setuid, file capabilities) ignores all of them.\n"
         ".SH ENVIRONMENT");
    for (size_t i = 0; i < OPTIONS; i++) {
        printf(".TP\n.B %s\n", options[i].variable);
        print_roff(options[i].sentence);
        printf("Allowed: ");
        print_roff(options[i].allowed);
        printf(".br\nDefault: ");
        print_roff(options[i].text[0] != '\0' ? options[i].text : "none");
    }
    puts(".SH SEE ALSO\n.BR malloc (3),\n.BR ld.so (8)");
}

int main(int argc, char **argv) {
    if (argc == 1)
        print_help();
    else if (argc == 2 && strcmp(argv[1], "--man") == 0)
        print_manual();
    else if (argc == 2 && strcmp(argv[1], "--markdown") == 0)
        print_table();
    else {
        fprintf(stderr, "ngrt-help: %s is not an option; use none, --man or --markdown\n", argv[1]);
        return 2;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
