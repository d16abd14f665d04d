#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# redis.sh: a redis-server under a fixed load, for the benchmark.  programs.py puts a copy beside the server that it built.
#
# This process becomes the server, so that what is measured of it is the server's alone: the client is no child of the server's
# to wait for, and runs with the C library's malloc.  The client prints what it read back and then ends the server.
here=$(dirname "$(readlink -f "$0")")/src
folder=$(mktemp -d) || exit 1
socket=$folder/socket
server=$$

ask() {
    "$here/redis-cli" -s "$socket" "$@"
}

load() {
    while ! [ -S "$socket" ]; do
        kill -0 "$server" 2>/dev/null || exit 1
        sleep 0.01
    done
    # Clients of redis-benchmark race for the server, so that what they leave differs from run to run and is dropped; what is
    # looked at after that is made by scripts in the server.
    "$here/redis-benchmark" -s "$socket" -q -c 10 -P 32 -n 150000 -r 50000 -d 120 \
        -t set,get,lpush,lpop,sadd,hset,zadd >"$folder/rates" ||
        echo "redis-benchmark failed"
    ask flushall
    ask eval "local n = 0
        for i = 1, 60000 do redis.call('set', 'k' .. i, string.rep('x', i * 7919 % 500)) end
        for i = 1, 60000, 3 do redis.call('append', 'k' .. i, string.rep('y', i % 300)) end
        for i = 1, 60000, 2 do n = n + redis.call('del', 'k' .. i) end
        for i = 1, 40000 do redis.call('hset', 'h' .. i % 500, 'field' .. i, i * 31337) end
        for i = 1, 40000 do redis.call('zadd', 'z' .. i % 50, i * 48271 % 65521, 'member' .. i) end
        for i = 1, 40000 do redis.call('rpush', 'l' .. i % 100, string.rep('z', i % 90)) end
        return n" 0
    ask dbsize
    ask eval "local sum = 0
        for i = 2, 60000, 2 do sum = sum + redis.call('strlen', 'k' .. i) end
        return sum" 0
    ask zrange z7 0 9 withscores
    ask hget h77 field577
    ask llen l42
    ask shutdown nosave
    rm -rf "$folder"
}

(unset LD_PRELOAD && load </dev/null 2>&1) &
exec "$here/redis-server" --port 0 --unixsocket "$socket" --save "" --appendonly no --loglevel warning >/dev/null
