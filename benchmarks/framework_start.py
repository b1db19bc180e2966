#!/usr/bin/env python3
"""Processor seconds and memory of a process that starts Keras and ends, by itself and by tuner.

    python benchmarks/framework_start.py [--rounds 5]

Alternates fresh processes that import the framework plainly and by `tuner.backend.framework`, so
that a machine's noise falls on both. Their ends count too: Python looks for garbage then.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

_WAYS = {
    "plain": "import keras",
    "tuner": "from tuner.backend import framework; framework.load()",
}


def start(script: str) -> tuple[float, int]:
    """Processor seconds, and peak memory in MB, of one process from its start to its end."""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{script!r} ended with status {status}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found: dict[str, list[tuple[float, int]]] = {way: [] for way in _WAYS}
    for _ in range(arguments.rounds + 1):
        for way, script in _WAYS.items():
            found[way].append(start(script))
    # The first round fills the disk's cache.
    medians = {
        way: [statistics.median(column) for column in zip(*measured[1:], strict=True)]
        for way, measured in found.items()
    }
    for way, (seconds, memory_mb) in medians.items():
        print(f"{way}: {seconds:.2f} s of a core, {memory_mb:.0f} MB")
    (plain, _), (ours, _) = medians.values()
    print(f"tuner / plain {ours / plain:.2f}")


if __name__ == "__main__":
    main()
