"""Ctrl-C and SIGTERM: the first ends a command in order, a second one at once."""

from __future__ import annotations

import os
import signal
from types import FrameType

from tuner.cli import output
from tuner.cli.output import say
from tuner.execution.stop import StopRequest

INTERRUPTED, TERMINATED = 130, 143

# A run's loops look here; a signal is for the whole process.
REQUEST = StopRequest()


class TerminatedError(BaseException):
    """SIGTERM arrived."""


class _Stop:
    """What a signal asked for where no loop looks at the request; None as long as none came."""

    asked: type[BaseException] | None = None


def catch_signals() -> None:
    """Turn Ctrl-C and SIGTERM into an orderly end."""
    signal.signal(signal.SIGINT, _first)
    signal.signal(signal.SIGTERM, _first)


def stop_if_asked() -> None:
    """Raise what a signal asked for, once more.

    A signal may arrive while Python runs a destructor, which swallows every exception; Keras collects garbage at the
    start of each training.
    """
    if _Stop.asked is not None:
        raise _Stop.asked


def _first(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    is_interrupt = number == signal.SIGINT
    REQUEST.reason = "interrupted" if is_interrupt else "terminated"
    if REQUEST.is_heeded:
        say("\nStopping: what runs ends after its epoch, in half a minute at most. Once more to stop at once.")
        return
    _Stop.asked = KeyboardInterrupt if is_interrupt else TerminatedError
    raise _Stop.asked


def _leave(number: int, frame: FrameType | None) -> None:
    # The live view hides the cursor, and what would show it again is skipped here.
    if output.ERRORS.isatty():
        os.write(output.ERRORS.fileno(), b"\x1b[?25h\n")
    os._exit(INTERRUPTED if number == signal.SIGINT else TERMINATED)
