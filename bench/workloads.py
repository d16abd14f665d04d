# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""workloads.py: the list of the workloads of our own, bench/workloads/NAME.c or NAME.cpp; what each one stresses is in its
head.  CMakeLists.txt builds the same list, and a test compares the two."""

import dataclasses


@dataclasses.dataclass
class Workload:
    name: str
    language: str
    stands_for: str
    threads: int = 1  # that run at a time, without the argument THREADS (which counts pairs or workers)
    figure: str = "elapsed"  # what ranks it; of its own figures where that is not the elapsed time
    unit: str = "s"
    memory_mib: int = 16  # at scale 1, with glibc: what has to be warm
    quick: bool = True  # whether --quick includes it
    most_threads: int = 0  # the most that the argument THREADS may say; 0: it takes none
    asks: str = ""  # which of bars.py's groups it belongs to


WORKLOADS = [
    Workload("grow_strings", "C++", "a large text read into tables of strings", memory_mib=1000, asks="growth"),
    Workload("grow_tree", "C++", "a document parsed into a tree", memory_mib=1100, asks="growth"),
    Workload("grow_graph", "C", "a graph whose lists grow by realloc", memory_mib=950, asks="growth"),
    Workload("aged_heap", "C", "a process that has run for days: holes of other sizes", figure="last_round_ns", unit="ns",
             memory_mib=400, asks="aged"),
    Workload("standing_heap", "C++", "an index in memory, updated at constant size", memory_mib=320, asks="standing"),
    Workload("requests", "C++", "a server's request loop, with sessions and a cache", threads=3, memory_mib=32,
             most_threads=16, asks="moving"),
    Workload("exchange", "C", "sessions that move from thread to thread", threads=2, most_threads=16, asks="moving"),
    Workload("producer_consumer", "C", "a stage of a pipeline: one thread allocates, another frees", threads=2, most_threads=8,
             asks="moving"),
    Workload("chain", "C", "a pipeline of four threads; the last one frees", threads=4, asks="moving"),
    Workload("false_sharing_active", "C", "small blocks of two threads, written all the time", threads=2, most_threads=16,
             asks="sharing"),
    Workload("false_sharing_passive", "C", "small blocks handed to other threads, freed and used there", threads=2,
             most_threads=16, asks="sharing"),
    Workload("churn_threads", "C", "a thread for each small job", threads=4, asks="moving"),
    Workload("shrink", "C", "a server after its peak: nine tenths freed", figure="left_ratio", unit="ratio", memory_mib=1050,
             quick=False, asks="shrinks"),
    Workload("latency", "C", "the slowest of ten million single calls", figure="churn_p99.99", unit="ns", memory_mib=650,
             asks="tails"),
    Workload("large_buffers", "C", "images and frames: buffers of 1 to 30 MiB", memory_mib=150),
    Workload("cold_start", "C", "a script or a build: hundreds of short programs"),
    Workload("fork_server", "C", "a server that forks for each connection", memory_mib=140),
]
