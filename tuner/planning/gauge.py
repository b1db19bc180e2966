"""What training processes take of the machine: memory, and how much of a core each of them gets."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress

import psutil

from tuner.execution.memory import used_bytes
from tuner.records.training import EpochMetrics, TrainTask


class Gauge:
    """Looks at the processes that train; those of other machines are out of sight.

    Attributes:
        peak_bytes: The most memory that each process has taken, by its id.
    """

    def __init__(self, *, is_inline: bool) -> None:
        """Begin; say whether this process itself trains."""
        self.peak_bytes: dict[int, int] = {}
        self._own = psutil.Process() if is_inline else None
        self._before_s = _cpu_s(self._own) if self._own else 0.0
        self._cpu_s: dict[int, float] = {}

    def read(self, task: TrainTask, epoch: EpochMetrics) -> None:
        """Look at the end of an epoch."""
        del task, epoch
        # A process may end at any moment.
        with suppress(psutil.Error):
            for process in self._processes():
                pid = process.pid
                self._cpu_s[pid] = _cpu_s(process)
                self.peak_bytes[pid] = max(self.peak_bytes.get(pid, 0), used_bytes(pid))

    def share(self, trained_s: float) -> float | None:
        """Which part of a core a training got, from 0 to 1; None where none was seen.

        Args:
            trained_s: Seconds of all trainings together.
        """
        if not self._cpu_s:
            return None
        return min(1.0, (sum(self._cpu_s.values()) - self._before_s) / trained_s)

    def _processes(self) -> list[psutil.Process]:
        if self._own:
            return [self._own]
        return [psutil.Process(child.pid) for child in multiprocessing.active_children()]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
