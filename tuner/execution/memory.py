"""How much memory there is, and how much a worker has taken."""

from __future__ import annotations

from pathlib import Path

import psutil

GIB = 2**30

# The rest is the driver's and the system's.
_SHARE = 0.8

_CGROUPS = Path("/sys/fs/cgroup")


def used_bytes(pid: int) -> int:
    """Memory that a process has for itself; 0 once it has ended.

    Pages that it shares are left out: all workers map the same images.
    """
    try:
        process = psutil.Process(pid)
        memory = process.memory_info()
        if hasattr(memory, "shared"):
            return int(memory.rss) - int(memory.shared)
        # macOS and Windows do not tell; this takes longer, as it goes through all pages.
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0


def default_limit_bytes(n_workers: int) -> int:
    """A worker's part of the machine's memory, or of what its container grants."""
    total: int = psutil.virtual_memory().total
    return int(min([total, *_cgroup_limits(_CGROUPS)]) * _SHARE / n_workers)


def in_gib(n_bytes: int) -> str:
    """Such as `3.1 GiB`."""
    return f"{n_bytes / GIB:.3g} GiB"


def _cgroup_limits(root: Path) -> list[int]:
    """What a container grants, by the files of either version of control groups.

    Empty where nothing is limited.
    """
    found = (_read(root / name) for name in ("memory.max", "memory/memory.limit_in_bytes"))
    return [int(text) for text in found if text.isdigit()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
