/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * public_api.cpp: ngrt/ngrt.h from C++, linked with -lngrt.
 */
#include "expect.h"

#include <ngrt/ngrt.h>

static size_t written(int form, char *text, size_t size) {
    int pipes[2];
    EXPECT(pipe(pipes) == 0);
    EXPECT(ngrt_stats_print(pipes[1], form) == 0);
    close(pipes[1]);
    ssize_t n = read(pipes[0], text, size - 1);
    close(pipes[0]);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

int main() {
    static char text[65536];
    EXPECT(strcmp(ngrt_version(), NGRT_EXPECTED_VERSION) == 0, "version %s", ngrt_version());
    EXPECT(ngrt_in_use() == 1);
    EXPECT(written(NGRT_STATS_TEXT, text, sizeof text) > 100 && strncmp(text, "ngrt ", 5) == 0);
    EXPECT(written(NGRT_STATS_JSON, text, sizeof text) > 100 && strncmp(text, "{\"ngrt\":\"", 9) == 0);
    errno = 0;
    EXPECT(ngrt_stats_print(1, 0) == -1 && errno == EINVAL);
    errno = 0;
    EXPECT(ngrt_stats_print(-1, NGRT_STATS_TEXT) == -1 && errno == EBADF);

    size_t bytes = (size_t)256 << 20, before = test_rss();
    void *p = malloc(bytes);
    EXPECT(is_block(p, bytes, 16));
    free(p);
    errno = 1234;
    int given_back = ngrt_trim(0);
    EXPECT((given_back == 0 || given_back == 1) && errno == 1234);
    EXPECT(test_rss() < before + bytes / 4, "%zu bytes resident before, %zu after", before, test_rss());
    return expect_result();
}
