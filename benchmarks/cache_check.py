"""What it costs to check a cache on opening and to write its sums: some gigabytes, in memory."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tuner.data.cache.cache_sums import check, sums_of

_MEGABYTE = 2**20


def main() -> None:
    """Write a file, and time what is done with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder, noise = Path(made), os.urandom(_MEGABYTE)
        with open(folder / "images.npy", "wb") as file:
            for _ in range(int(options.gigabytes * 1e9 / _MEGABYTE)):
                file.write(noise)
        sums = sums_of(folder, ["images.npy"])
        whole_s = _timed(lambda: sums_of(folder, ["images.npy"]))
        sampled_s = _timed(lambda: check(folder, sums))
        (folder / "stamps.json").unlink()
        untrusted_s = _timed(lambda: check(folder, sums))
    print(
        f"{options.gigabytes:g} GB: sums written in {whole_s:.2f} s; opened in {sampled_s:.3f} s;",
        end=" ",
    )
    print(f"opened after a change in {untrusted_s:.2f} s")


def _timed(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
