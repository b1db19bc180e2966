"""Whether another command is working on a run; `RunFolder.locked` keeps it from doing so."""

from __future__ import annotations

import filelock

from tuner.store.run_folder import RunFolder


def is_worked_on(folder: RunFolder) -> bool:
    """Whether another command is working on a run; False on drives that lock nothing."""
    if not folder.is_unfinished:
        return False
    lock = filelock.FileLock(folder.path / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    lock.release()
    return False
