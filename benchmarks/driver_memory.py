"""Memory of a search's driver over 300 real trainings of tiny networks in worker processes.

    python benchmarks/driver_memory.py [--trials 300]

Prints the driver's resident memory after every 50 trials and its growth from the 20th trial, by
when everything is loaded, to the last; a growth of 50 MB or more exits with 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import psutil

from tuner.commands.run import run
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.stop import StopRequest
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Event, TrialEnded

LIMIT_MB = 50.0
FIRST = 20

SPACE = """
version: 1
dataset: digits
model: cnn
space:
  conv_blocks: 1
  filters: {type: int, min: 2, max: 8}
  dense_units: 8
  learning_rate: {type: float, min: 1e-4, max: 1e-1, sampling: log}
search: {method: random, max_epochs: 1}
"""


def main() -> int:
    """Search, and print what the driver holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=300)
    options = parser.parse_args()
    held_mb: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, TrialEnded):
            held_mb.append(psutil.Process().memory_info().rss / 1e6)
            if len(held_mb) % 50 == 0:
                print(f"{len(held_mb):4} trials: {held_mb[-1]:.0f} MB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder) / "space.yaml"
        space.write_text(SPACE)
        run(
            RunOptions(
                dataset="digits",
                space=space,
                limit=200,
                max_trials=options.trials,
                search_only=True,
                data_dir=Path(folder),
                out=Path(folder),
                execution=ExecutionOptions(),
            ),
            hear,
            StopRequest(),
        )
    growth_mb = held_mb[-1] - held_mb[FIRST]
    print(
        f"growth from trial {FIRST} to {len(held_mb)}: {growth_mb:.1f} MB, limit {LIMIT_MB:.0f} MB"
    )
    return 0 if growth_mb < LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
