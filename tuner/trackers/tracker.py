"""What a tracker is: a store that one run's trainings are written to, once each."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tuner.errors import TunerError
from tuner.trackers.tracked import Points, RunEnd, TrackedRun, Training


class TrackingError(TunerError):
    """A tracker that could not write what it was given."""


class Tracker(ABC):
    """Writes one run to one store.

    A run may be written several times: after a crash, or with `track`. So `begin` says what the
    store has already, and is then given only what is missing.
    """

    def __init__(self, run: TrackedRun) -> None:
        """Take the run; nothing is opened or imported yet."""
        self.run = run

    @abstractmethod
    def open(self) -> None:
        """Open the store, and find or make the run there."""

    @abstractmethod
    def begin(self, training: Training) -> Points:
        """Find or make a training, with its hyperparameters; called once for each.

        Returns:
            The points that the store has of it. A tracker that cannot read its store starts the
            training anew, and returns none.
        """

    @abstractmethod
    def discard(self, training: Training) -> None:
        """Make a training anew, without points: those in the store are of another try."""

    @abstractmethod
    def add(self, training: Training, points: Points) -> None:
        """Add points that the store has not, in the order of the epochs.

        Args:
            training: All of it, with these points.
            points: The new ones.
        """

    @abstractmethod
    def end(self, training: Training) -> None:
        """Write how a trial or a retraining ended; another rung may continue it."""

    # Most stores can change what has ended.
    def settle(self, training: Training) -> None:  # noqa: B027
        """Write that no rung will continue a training."""

    @abstractmethod
    def finish(self, end: RunEnd) -> None:
        """Write what the run has come to."""

    # Most stores hold nothing open.
    def close(self) -> None:  # noqa: B027
        """Let go of the store."""

    @property
    @abstractmethod
    def viewer(self) -> str:
        """The command that shows the run."""

    def named(self, metric: str) -> str:
        """What the store calls a metric."""
        return metric

    def keeps(self, metric: str) -> bool:
        """Whether the store has a place for a metric."""
        return bool(metric)
