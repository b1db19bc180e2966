"""A worker and the processes that its trainings have started.

What they take is the worker's, and they end with it.

They stay in the driver's group of processes, so that Ctrl-Z stops all of them.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from contextlib import suppress

import psutil

# Listing all processes of a machine takes milliseconds; a builder does not start processes all the
# time.
_LIST_EVERY_S = 0.5

# Of Linux' prctl.
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parents end; only Linux can."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_own_tree() -> None:
    """End this process with its children and theirs, at once."""
    _kill(_below(os.getpid()))
    os._exit(1)


class ProcessTree:
    """A worker and its descendants, seen from outside."""

    def __init__(self, pid: int) -> None:
        """Take the worker's process number."""
        self._pid = pid
        self._began_s = _created(_process(pid))
        self._known: dict[tuple[int, float], psutil.Process] = {}
        self._used_bytes = 0
        self._listed_s = float("-inf")

    def used_bytes(self) -> int:
        """Memory that the descendants have for themselves, not shared with the worker."""
        if time.monotonic() - self._listed_s >= _LIST_EVERY_S:
            self._list()
            self._used_bytes = sum(map(_private_bytes, self._known.values()))
        return self._used_bytes

    def end(self) -> None:
        """Kill the worker, which may be dead, and all that it and its children have started."""
        self._list()
        if worker := self._worker():
            _kill([worker])
        _kill(list(self._known.values()))

    def _worker(self) -> psutil.Process | None:
        """The worker; None once it has ended: its number may be somebody else's by now."""
        worker = _process(self._pid)
        return worker if self._began_s is not None and _created(worker) == self._began_s else None

    def _list(self) -> None:
        self._listed_s = time.monotonic()
        # Those that were seen before stay known: their parents may have ended since.
        found = [*self._known.values(), *(_below(self._pid) if self._worker() else ())]
        self._known = {(p.pid, created): p for p in found if (created := _created(p)) is not None}


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _below(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def _created(process: psutil.Process | None) -> float | None:
    """When a process began; None once it has ended, also where another one has its number now."""
    try:
        return float(process.create_time()) if process and process.is_running() else None
    except psutil.Error:
        return None


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()


def _private_bytes(process: psutil.Process) -> int:
    # A forked child shares the worker's memory until it writes to it; only what is its own counts.
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0
