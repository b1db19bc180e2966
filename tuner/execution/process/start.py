"""How worker processes begin: early, with one thread each, without the driver's program."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, Literal

from tuner.backend import environment

StartMethod = Literal["forkserver", "spawn"]

_PRELOADED = "tuner.execution.process.preloaded"

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)

# Seconds for the system to notice that a fork server is gone.
_PATIENCE_S = 10.0


def default_start_method() -> StartMethod:
    """`forkserver` where there is one.

    macOS has one, but its own libraries do not survive a fork.
    """
    has_one = "forkserver" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
    return "forkserver" if has_one else "spawn"


def warm_up() -> None:
    """Start the process that workers are forked from, and return at once.

    It imports the framework meanwhile.

    Call it as early as possible; more calls do nothing, nor does one where there is no fork server.
    """
    if default_start_method() == "forkserver":
        multiprocessing.get_context("forkserver").set_forkserver_preload([_PRELOADED])
        with _as_children_need_it():
            forkserver.ensure_running()


def start_process(
    method: StartMethod, name: str, target: Callable[..., None], *args: Any
) -> BaseProcess:
    """Start a daemon process.

    Args:
        method: `forkserver` or `spawn`.
        name: Of the process.
        target: A function of a module.
        args: The function's arguments.
    """
    if method == "forkserver":
        warm_up()
    context: Any = multiprocessing.get_context(method)
    process: BaseProcess = context.Process(name=name, target=target, args=args, daemon=True)
    with _as_children_need_it(), _without_main():
        _start(process)
    return process


def _start(process: BaseProcess) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return process.start()
        except (ConnectionError, EOFError):
            # The fork server was killed a moment ago; once the system has cleaned up, another one
            # is started.
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)


@contextmanager
def _as_children_need_it() -> Iterator[None]:
    """Settings that children inherit: one thread for each library, and interrupts blocked.

    Interrupts are the driver's.
    """
    environment.prepare()
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    blocked = _block_interrupts()
    try:
        yield
    finally:
        _restore(before)
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _block_interrupts() -> set[int] | None:
    """What was blocked before; None on systems that cannot block a signal."""
    if not hasattr(signal, "pthread_sigmask"):
        return None
    # Starts with the first process otherwise, and unblocks interrupts then
    # (multiprocessing/resource_tracker.py).
    resource_tracker.ensure_running()
    return {int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})}


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module, which a child would run again.

    It may be a notebook, or a script without a guard.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
