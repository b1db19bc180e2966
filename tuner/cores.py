"""How many processor cores there are: for workers, threads and decoding alike."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def n_cores() -> int:
    """Cores that this process may use: those of its affinity, and whole ones of its quota."""
    n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min(n, _quota())))


def _quota() -> float:
    """Cores that a container grants (cgroup v2, then v1); infinite where no limit can be read."""
    try:
        quota, period = (_CGROUPS / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota, period = (
                (_CGROUPS / "cpu" / f"cpu.cfs_{name}_us").read_text(encoding="ascii").strip()
                for name in ("quota", "period")
            )
        except OSError:
            return math.inf
    return int(quota) / int(period) if quota not in ("max", "-1") else math.inf
