"""What a worker sends while it trains."""

from __future__ import annotations

import pytest

from tests.images import train_task
from tuner.execution.channel import Channel
from tuner.records.training import EpochMetrics, FoldDone
from tuner.training.hooks import CHECKPOINT_S

EPOCH = EpochMetrics(epoch=1, metrics={}, duration_s=1.0)
FOLD = FoldDone(epoch=1, n_done=1, n_folds=2)


def test_training_sends_its_folds_and_epochs() -> None:
    sent: list[object] = []
    hooks = Channel(sent.append).hooks(lambda: True, None)
    hooks.on_fold(train_task(), FOLD)
    hooks.on_epoch(train_task(), EPOCH)
    assert sent == [FOLD, EPOCH]
    assert (hooks.is_stopping(), hooks.checkpoint_s) == (True, CHECKPOINT_S)
    assert Channel(sent.append).hooks(lambda: False, 5.0).checkpoint_s == 5.0


def test_sign_of_life_is_sent_only_after_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, sent = [0.0], list[object]()
    monkeypatch.setattr("tuner.execution.channel.time.monotonic", lambda: now_s[0])
    hooks = Channel(sent.append).hooks(lambda: False, None)
    for now_s[0] in (0.5, 1.1, 1.5, 2.2, 2.3):
        hooks.on_step()
    assert sent == [None, None]
