"""A task under way in workers, and the rules that hold for it on one machine as on many."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from tuner.records.training import EpochMetrics, Failure, TrainResult, TrainTask

# Seconds that a task has for the epoch under way once it is asked to stop.
GRACE_S = 30.0

# A task whose workers die is begun again this often.
MAX_LOST = 2

# A driver that has not looked for so many seconds was paused, as its workers may have been.
PAUSE_S = 5.0


@dataclass(slots=True, kw_only=True)
class Assignment:
    """A task under way, over all workers that it gets.

    Attributes:
        task: The order.
        epochs: Those that were reported.
        n_lost: Workers that died under it.
        began_s: Monotonic seconds, as all times here.
        alive_s: When its worker last sent something; None until the worker is ready.
        asked_s: When it was asked to stop; None if it was not.
    """

    task: TrainTask
    epochs: list[EpochMetrics] = field(default_factory=list)
    n_lost: int = 0
    began_s: float = field(default_factory=monotonic)
    alive_s: float | None = None
    asked_s: float | None = None

    def begin(self, *, is_ready: bool) -> None:
        """Go to a worker.

        One that is not ready still loads the framework, however long that takes.
        """
        self.alive_s = monotonic() if is_ready else None
        self.asked_s = None

    def mark_alive(self) -> None:
        """Note that its worker has sent something."""
        self.alive_s = monotonic()

    def ask_to_stop(self) -> bool:
        """Begin the time that it has to end; False if it was asked before."""
        if self.asked_s is not None:
            return False
        self.asked_s = monotonic()
        return True

    def is_overdue(self) -> bool:
        """Whether it was asked to stop, and has had its time for that."""
        return self.asked_s is not None and monotonic() - self.asked_s > GRACE_S

    def hang(self, timeout_s: float | None) -> Failure | None:
        """The failure of a task whose worker has been silent for longer than that."""
        if timeout_s is None or self.alive_s is None or monotonic() - self.alive_s <= timeout_s:
            return None
        return Failure(reason=f"no step in {timeout_s:g} s", kind="hang")

    def ignore_pause(self, pause_s: float) -> None:
        """Leave a pause of the driver out of the times."""
        now_s = monotonic()
        if self.alive_s is not None:
            self.alive_s = min(self.alive_s + pause_s, now_s)
        if self.asked_s is not None:
            self.asked_s = min(self.asked_s + pause_s, now_s)

    def is_new(self, epoch: EpochMetrics) -> bool:
        """Whether an epoch was not reported before.

        A worker that takes over may train some again.
        """
        return not self.epochs or epoch.epoch > self.epochs[-1].epoch

    def lose(self, failure: Failure, *, is_stopping: bool) -> TrainResult | None:
        """Count a worker that died.

        Returns the result of a task that ends with it, or None where it begins again.
        """
        self.n_lost += 1
        if is_stopping:
            return self.cut_off(None)
        return self.cut_off(failure) if self.n_lost > MAX_LOST else None

    def cut_off(self, failure: Failure | None) -> TrainResult:
        """The result of a task whose worker sent none; without a failure it was asked to stop."""
        return TrainResult(
            task_id=self.task.task_id,
            epochs=tuple(self.epochs),
            duration_s=monotonic() - self.began_s,
            failure=failure,
            ended_by="last_epoch" if failure else "request",
            n_lost_workers=self.n_lost,
        )


class PauseDetector:
    """Finds pauses of the driver: stopped by Ctrl-Z, asleep with its laptop, or otherwise busy."""

    def __init__(self) -> None:
        """Begin with a look."""
        self._looked_s = monotonic()

    def pause_s(self) -> float:
        """Seconds since the last look, if that is a pause; else 0."""
        before_s, self._looked_s = self._looked_s, monotonic()
        gap_s = self._looked_s - before_s
        return gap_s if gap_s > PAUSE_S else 0.0
