"""Ctrl-C and SIGTERM: the first one ends a command cleanly, a second one at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from tuner.cli.terminal import output
from tuner.execution.stop import StopRequest

INTERRUPTED, TERMINATED = 130, 143

# What whoever shows the run tells once a loop has been asked to end: a signal may come in the
# middle of a write.
STOPPING = (
    "Stopping: running trainings finish their epoch, in half a minute at most. Press Ctrl-C again"
    " to stop at once."
)

# A run's loops look here; a signal is for the whole process.
REQUEST = StopRequest()


class TerminatedError(BaseException):
    """SIGTERM arrived."""


class _Stop:
    """What signals need to know.

    Attributes:
        asked: What a signal asked for where no loop looks at the request; None as long as none
            came.
        last_words: What is told when a second signal ends everything at once.
    """

    asked: type[BaseException] | None = None
    last_words: str = ""


def catch_signals() -> None:
    """Turn Ctrl-C and SIGTERM into an orderly end."""
    signal.signal(signal.SIGINT, _first)
    signal.signal(signal.SIGTERM, _first)


@contextmanager
def clean_interrupts() -> Iterator[StopRequest]:
    """Turn the first Ctrl-C of a call within a program or notebook into an orderly end.

    A second one stops the call at once, as Python would. Whatever handled interrupts before does so
    again afterwards. Nothing changes in a thread, since interrupts go to the main one, nor where
    they are ignored, as in the background of a shell.
    """
    REQUEST.reason, _Stop.asked = None, None
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    is_handled = is_main and callable(before)

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        REQUEST.reason = "interrupted"
        if not REQUEST.is_heeded:
            _Stop.asked = KeyboardInterrupt
            raise KeyboardInterrupt

    if is_handled:
        signal.signal(signal.SIGINT, ask)
    try:
        yield REQUEST
    finally:
        if is_handled:
            signal.signal(signal.SIGINT, before)
        REQUEST.reason, _Stop.asked = None, None


def keep_last_words(text: str) -> None:
    """Keep what a person is told should a second signal end everything at once."""
    _Stop.last_words = output.plain(f"{text}\n") if text else ""


def stop_if_asked() -> None:
    """Raise what a signal asked for, once more.

    A signal may arrive while Python runs a destructor, which swallows every exception; Keras
    collects garbage at the start of each training.
    """
    if _Stop.asked is not None:
        raise _Stop.asked


def _first(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    is_interrupt = number == signal.SIGINT
    REQUEST.reason = "interrupted" if is_interrupt else "terminated"
    if REQUEST.is_heeded:
        return
    _Stop.asked = KeyboardInterrupt if is_interrupt else TerminatedError
    raise _Stop.asked


def _leave(number: int, frame: FrameType | None) -> None:
    # The live view hides the cursor, and what would show it again is skipped here.
    show_cursor = "\x1b[?25h" if output.ERRORS.isatty() else ""
    with suppress(OSError):
        os.write(output.ERRORS.fileno(), f"{show_cursor}\n{_Stop.last_words}".encode())
    os._exit(INTERRUPTED if number == signal.SIGINT else TERMINATED)
