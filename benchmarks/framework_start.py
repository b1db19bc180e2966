#!/usr/bin/env python3
"""Processor seconds and memory of a process that imports Keras and Keras Tuner.

    python benchmarks/framework_start.py [--rounds 5]

Alternates fresh processes with and without `tuner.backend.deferred_imports`, so that a machine's
noise falls on both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

_SCRIPT = """
import resource, time
start = time.process_time()
{prepare}
import keras, keras_tuner
memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(time.process_time() - start, memory_mb)
"""
_WAYS = {
    "as they are": "",
    "deferred": "from tuner.backend.deferred_imports import defer_imports; defer_imports()",
}


def start(prepare: str) -> tuple[float, int]:
    """Processor seconds and peak memory in MB of one process."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(prepare=prepare)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, memory_mb = done.stdout.split()[-2:]
    return float(seconds), int(memory_mb)


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found: dict[str, list[tuple[float, int]]] = {way: [] for way in _WAYS}
    for _ in range(arguments.rounds + 1):
        for way, prepare in _WAYS.items():
            found[way].append(start(prepare))
    # The first round fills the disk's cache.
    medians = {
        way: [statistics.median(column) for column in zip(*measured[1:], strict=True)]
        for way, measured in found.items()
    }
    for way, (seconds, memory_mb) in medians.items():
        print(f"{way}: {seconds:.2f} s of a core, {memory_mb:.0f} MB")
    (as_they_are, _), (deferred, _) = medians.values()
    print(f"deferred / as they are {deferred / as_they_are:.2f}")


if __name__ == "__main__":
    main()
