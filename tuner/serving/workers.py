"""The worker processes of a service: started, watched, replaced and ended."""

from __future__ import annotations

import logging
import math
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from uvicorn.supervisors import multiprocess

from tuner.errors import TunerError
from tuner.serving.metrics import forget_process
from tuner.serving.start_failure import StartError, take_failure

LOG = logging.getLogger("tuner")
# For requests that run when the service is stopped.
GRACE_S = 30
# Beyond it, for a worker to close its threads on a busy machine; then it is killed.
_CLOSING_S = 30
# A worker that loads a framework on a busy machine answers nothing meanwhile.
WORKER_ANSWERS_S = 120
# The folder of the workers' numbers, in that of the service.
METRICS = "metrics"
_LOOK_S = 0.1
_STOPPING = frozenset({signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGBREAK", signal.SIGTERM)})


class Workers(multiprocess.Multiprocess):
    """uvicorn's supervisor: a worker that dies or hangs is replaced.

    A worker that ends before all have been ready ends the service: the next one would most likely
    end as well.

    Attributes:
        is_told_to_stop: Whether a signal ended the service.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        sockets: list[socket.socket],
        folder: Path,
        is_up: Callable[[], None],
    ) -> None:
        """Take over the signals.

        Args:
            config: Of each worker.
            sockets: Which they share.
            folder: Of the service's files.
            is_up: Called once all workers answer requests.
        """
        super().__init__(config, sockets)
        self._folder = folder
        self._is_up = is_up
        self._pids: set[int] = set()
        self._exit_code: int | None = None
        self.is_told_to_stop = False

    def run(self) -> None:
        """Serve until a signal, or until a worker cannot be started."""
        try:
            super().run()
        # Python would wait for the workers before it ends, and they would serve on.
        except BaseException:
            for one in self.processes:
                _kill(one)
            raise

    def init_processes(self) -> None:
        """Start the workers and wait for all of them, however long they load; signals end it."""
        super().init_processes()
        if self._are_ready(self.processes, math.inf):
            self._is_up()
            return
        self._note_exit(self.processes)
        self.is_told_to_stop = self._sees_stop()
        self.should_exit.set()
        for one in self.processes:
            # It may load for long yet, and has no request to answer.
            if not one.is_ready(timeout=1):
                _kill(one)

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that have ended."""
        super().keep_subprocess_alive()
        self._note_exit(self.processes)
        pids = {one.pid for one in self.processes if one.pid is not None}
        for pid in self._pids - pids:
            forget_process(pid, self._folder / METRICS)
        self._pids = pids

    def restart_all(self) -> None:
        """Replace each worker once its successor is ready; if one is not, keep the old ones."""
        for place, old in enumerate(self.processes):
            new = multiprocess.Process(self.config, self.sockets)
            new.start()
            if not self._are_ready([new], WORKER_ANSWERS_S):
                self._note_exit([new])
                _kill(new)
                if not self._sees_stop():
                    LOG.error(
                        "the model is not reloaded, and the previous workers continue: %s",
                        self.failure(),
                    )
                return
            old.terminate()
            _see_end([old])
            self.processes[place] = new

    def join_all(self) -> None:
        """Wait for the workers that were told to stop, and kill what is left after their grace."""
        _see_end(self.processes)

    def handle_int(self) -> None:
        """End the service."""
        self.is_told_to_stop = True
        super().handle_int()

    def handle_term(self) -> None:
        """End the service."""
        self.is_told_to_stop = True
        super().handle_term()

    def handle_break(self) -> None:
        """End the service."""
        self.is_told_to_stop = True
        super().handle_break()

    def failure(self) -> TunerError:
        """Why the last worker that did not start did not."""
        how = (
            f"did not answer within {WORKER_ANSWERS_S} s"
            if self._exit_code is None
            else f"ended with exit code {self._exit_code}"
        )
        return take_failure(self._folder) or StartError(
            f"a worker process {how} before it was ready",
            "see the messages above; if memory is short, use fewer --workers.",
        )

    def _are_ready(self, workers: Sequence[multiprocess.Process], timeout_s: float) -> bool:
        """Wait until all are ready; False where one ends, time is up or a signal ends the wait."""
        end_s = time.monotonic() + timeout_s
        while not self._sees_stop() and time.monotonic() < end_s:
            if not all(one.process.is_alive() for one in workers):
                return False
            if all(one.is_ready(timeout=1) for one in workers):
                return True
            self.should_exit.wait(_LOOK_S)
        return False

    def _sees_stop(self) -> bool:
        # Only a look: uvicorn takes the signals out of the queue one after the other, and this may
        # be called while it does.
        return self.should_exit.is_set() or not _STOPPING.isdisjoint(self.signal_queue)

    def _note_exit(self, workers: Sequence[multiprocess.Process]) -> None:
        codes = [one.exitcode for one in workers if one.exitcode is not None]
        self._exit_code = codes[0] if codes else None


def _see_end(workers: Sequence[multiprocess.Process]) -> None:
    end_s = time.monotonic() + GRACE_S + _CLOSING_S
    for one in workers:
        one.process.join(max(0.0, end_s - time.monotonic()))
        if one.process.is_alive():
            LOG.warning("worker %s did not stop and was killed", one.pid)
            _kill(one)


def _kill(worker: multiprocess.Process) -> None:
    worker.kill()
    worker.join()
