"""Ctrl-C and SIGTERM: the first ends a command in order, a second Ctrl-C at once."""

from __future__ import annotations

import os
import signal
from types import FrameType

from tuner.cli import output

INTERRUPTED, TERMINATED = 130, 143


class TerminatedError(BaseException):
    """SIGTERM arrived."""


class _Stop:
    """What a signal asked for; None as long as none came."""

    asked: type[BaseException] | None = None


def catch_signals() -> None:
    """Turn Ctrl-C into KeyboardInterrupt and SIGTERM into TerminatedError, each with an orderly end."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)


def stop_if_asked() -> None:
    """Raise what a signal asked for, once more.

    A signal may arrive while Python runs a destructor, which swallows every exception; Keras collects garbage at the
    start of each training.
    """
    if _Stop.asked is not None:
        raise _Stop.asked


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, _leave)
    _Stop.asked = KeyboardInterrupt
    raise KeyboardInterrupt


def _leave(number: int, frame: FrameType | None) -> None:
    # The live view hides the cursor, and what would show it again is skipped here.
    if output.ERRORS.isatty():
        os.write(output.ERRORS.fileno(), b"\x1b[?25h\n")
    os._exit(INTERRUPTED)


def _terminate(number: int, frame: FrameType | None) -> None:
    _Stop.asked = TerminatedError
    raise TerminatedError
