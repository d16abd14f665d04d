#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs a command with overcommit_memory=2, and sets it back.  That setting is the whole machine's and can make other
# programs fail, so it is touched only where NGRT_TEST_OVERCOMMIT=1 allows it.
#
# Usage: no_overcommit.sh COMMAND [ARGUMENT...]
set -euo pipefail
setting=/proc/sys/vm/overcommit_memory ratio=/proc/sys/vm/overcommit_ratio
if [ "${NGRT_TEST_OVERCOMMIT:-0}" != 1 ]; then
    echo "skipped: changes the machine's overcommit_memory; NGRT_TEST_OVERCOMMIT=1 allows it"
    exit 77
fi
old=$(cat $setting) old_ratio=$(cat $ratio)
if ! (echo 99 > $ratio) 2> /dev/null; then
    echo "skipped: $setting cannot be written"
    exit 77
fi
trap 'echo "$old" > $setting; echo "$old_ratio" > $ratio' EXIT
echo 2 > $setting
"$@"
