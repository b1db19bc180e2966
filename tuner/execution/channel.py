"""What a worker sends to the driver while it trains; imports no framework."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tuner.records.training import EpochMetrics, FoldDone, TrainTask
from tuner.training.hooks import CHECKPOINT_S, Hooks

# Seconds between two signs of life of a worker.
LIFE_S = 1.0


class Channel:
    """Sends epochs, folds and signs of life during one task; None is a sign of life."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        """Take what sends a message."""
        self._send_message = send
        self._sent_s = time.monotonic()

    def hooks(self, is_stopping: Callable[[], bool], checkpoint_s: float | None) -> Hooks:
        """What a training calls.

        Args:
            is_stopping: Whether the driver has asked for the end.
            checkpoint_s: Seconds between two checkpoints; None for the usual.
        """
        return Hooks(
            on_epoch=self.send_epoch,
            on_fold=self.send_fold,
            on_step=self.send_sign_of_life,
            is_stopping=is_stopping,
            checkpoint_s=CHECKPOINT_S if checkpoint_s is None else checkpoint_s,
        )

    def send_epoch(self, task: TrainTask, epoch: EpochMetrics) -> None:
        """Send what an epoch has measured."""
        del task
        self.send(epoch)

    def send_fold(self, task: TrainTask, fold: FoldDone) -> None:
        """Send that a fold's part of an epoch is done."""
        del task
        self.send(fold)

    def send_sign_of_life(self) -> None:
        """Send a sign of life where nothing was sent for a while."""
        if time.monotonic() - self._sent_s >= LIFE_S:
            self.send(None)

    def send(self, message: object) -> None:
        """Send a message of any kind."""
        self._send_message(message)
        self._sent_s = time.monotonic()
