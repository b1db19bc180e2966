"""A worker process as the driver sees it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

from tuner.execution.assignment import Assignment
from tuner.execution.memory import used_bytes
from tuner.execution.process import task_server
from tuner.execution.process.process_tree import ProcessTree
from tuner.execution.process.start import StartMethod, start_process
from tuner.execution.process.task_server import Order, WorkerSettings
from tuner.execution.shared_data import SharedData


class WorkerProcess:
    """A worker: starts it, sends it orders, reads its messages and ends it.

    Attributes:
        slot: Its number among the workers, from 0.
        assignment: What it trains; None while it has nothing to do.
        saved: Where its tasks left checkpoints.
        connection: Its messages come here; it ends when the worker does.
    """

    def __init__(self, method: StartMethod, slot: int, settings: WorkerSettings) -> None:
        """Start it."""
        self.slot = slot
        self.assignment: Assignment | None = None
        self.saved: set[Path] = set()
        self._is_ready = False
        self.connection, other_end = Pipe()
        self._process = start_process(
            method, f"worker-{slot}", task_server.main, other_end, settings
        )
        assert self._process.pid is not None
        self._tree = ProcessTree(self._process.pid)
        # Else the end of the worker would not be the end of its messages.
        other_end.close()

    def is_alive(self) -> bool:
        """Whether it has not died."""
        return self._process.is_alive()

    def begin(self, assignment: Assignment, data: SharedData) -> None:
        """Let it train."""
        self.assignment, task = assignment, assignment.task
        assignment.begin(is_ready=self._is_ready)
        if task.save_to:
            self.saved.add(task.save_to)
        self._send(Order(task=task, data=data))

    def ask_to_stop(self) -> None:
        """Ask it, once, to end its task after the epoch under way."""
        if self.assignment and self.assignment.ask_to_stop():
            self._send(None)

    def release(self) -> None:
        """Take its task from it, which has ended."""
        self.assignment = None

    def messages(self) -> Iterator[object]:
        """What it has sent since."""
        # It has died, perhaps in the middle of a message.
        with suppress(EOFError, OSError):
            while self.connection.poll():
                message = self.connection.recv()
                self._is_ready = True
                if self.assignment:
                    self.assignment.mark_alive()
                yield message

    def used_bytes(self) -> int:
        """Memory that it has taken, with its children."""
        assert self._process.pid is not None
        return used_bytes(self._process.pid) + self._tree.used_bytes()

    def exit_reason(self) -> str:
        """How it died."""
        self._process.join()
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"its worker ended with exit code {code}"
        # Python has no names for most of the real-time signals.
        name = signal.Signals(-code).name if -code in list(signal.Signals) else f"signal {-code}"
        why = "; the system does this when memory runs out" if name == "SIGKILL" else ""
        return f"its worker was killed by {name}{why}"

    def end(self) -> None:
        """Kill it, if it is alive, and whatever it has started."""
        self._tree.end()
        self._process.kill()
        self._process.join()
        # A worker whose fork server has died passes for dead; it leaves by itself when this is
        # closed.
        self._process.close()
        self.connection.close()

    def _send(self, message: object) -> None:
        # It has died, which its messages will show.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)
