#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Below two processors of cgroup quota the room never starts.  The quota is one that only this command sees: a mount
# namespace of its own, with a cpu.max that says half a processor, or four.
#
# Usage: quota.sh LIBNGRT POLITE [COMMAND ARGUMENT... that runs POLITE]
set -euo pipefail
library=$1 polite=$2 under=("${@:3}")

# In the namespace: cgroup v2's files, at the root and wherever this process's group is said to be.
see_quota() {
    mount -t tmpfs none /sys/fs/cgroup
    while IFS=: read -r _ controllers path; do
        [ -z "$controllers" ] || continue
        mkdir -p "/sys/fs/cgroup$path"
        echo "$1" > "/sys/fs/cgroup$path/cpu.max"
    done < /proc/self/cgroup
    echo "$1" > /sys/fs/cgroup/cpu.max
}
export -f see_quota

if [ "$(nproc)" -lt 2 ] || ! unshare -m bash -c 'see_quota "max 100000"' 2> /dev/null; then
    echo "skipped: needs two processors, and the right to mount in a namespace of its own"
    exit 77
fi
with_quota() {
    unshare -m env quota="$1" bash -c 'see_quota "$quota" && exec "$@"' bash \
        env LD_PRELOAD="$library" TEST_EXPECT=libngrt "${under[@]}" "$polite" "$2"
}
with_quota "50000 100000" never
with_quota "150000 100000" never
with_quota "400000 100000" big
