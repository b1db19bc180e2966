"""Work in separate processes: within limits where it may hang or crash, or to be killed.

The limits hold for memory as well.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a case may take.

    Attributes:
        seconds: Of processor time, whatever else the machine does.
        wait_s: By the clock, for what waits for ever.
        n_bytes: Of memory.
        n_addresses: Of address space, at which an allocation fails.
    """

    seconds: float
    wait_s: float
    n_bytes: int
    n_addresses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the work ended.

    Attributes:
        problem: What went wrong; nothing if all is well.
        told: What it returned, as JSON gives it back; None where it did not come to its end.
        duration_s: Processor time.
        peak_bytes: Memory.
    """

    problem: str
    told: Any
    duration_s: float
    peak_bytes: int


def within(limits: Limits, work: Callable[[], Any]) -> Ended:
    """Do some work in a process of its own, which ends with the limits of memory or `start_timers`.

    Args:
        limits: What it may take.
        work: Returns what JSON can hold.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _be_child(limits, work, writing)
    os.close(writing)
    with open(reading, "rb") as pipe:
        answer = pipe.read()
    _, status, usage = os.wait4(child, 0)
    problem, told = json.loads(answer) if answer else ("", None)
    peak_bytes = usage.ru_maxrss * 1024
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        late = {
            signal.SIGPROF: f"it takes over {limits.seconds:g} s",
            signal.SIGALRM: f"it waits over {limits.wait_s:g} s",
        }
        problem = late.get(signal.Signals(number), f"it dies of signal {number}")
    elif not answer:
        problem = f"it ends with {os.waitstatus_to_exitcode(status)}"
    elif peak_bytes > limits.n_bytes:
        problem = problem or f"it takes {peak_bytes / 1e6:,.0f} MB"
    return Ended(
        problem=problem,
        told=told,
        duration_s=usage.ru_utime + usage.ru_stime,
        peak_bytes=peak_bytes,
    )


def start_timers(limits: Limits) -> None:
    """End this process if what follows takes too long.

    A signal without a handler stops even code that hangs in C.
    """
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    signal.setitimer(signal.ITIMER_REAL, limits.wait_s)


def stop_timers() -> None:
    """Let this process take its time again."""
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)


def _be_child(limits: Limits, work: Callable[[], Any], pipe: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.n_addresses, limits.n_addresses))
    problem, told = "", None
    try:
        told = work()
    except BaseException:
        problem = traceback.format_exc()
    with open(pipe, "wb") as file:
        file.write(json.dumps([problem, told]).encode())
    os._exit(0)


def started(work: Callable[[], object], log: Path) -> int:
    """Start some work in its own process, append its prints to a log, and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        target = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(target, 1)
        os.dup2(target, 2)
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)
