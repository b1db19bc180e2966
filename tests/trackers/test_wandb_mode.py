"""W&B as its own environment variable has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trackers.tracked_runs import events, finished, tracked
from tuner.trackers.follower import Follower
from tuner.trackers.make_tracker import make_tracker


# The first import takes seconds.
@pytest.mark.slow
def test_disabled_stays_disabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    run = tracked(tmp_path)
    before = sorted(run.folder.rglob("*"))
    tracker = make_tracker("wandb", run)
    tracker.open()
    follower = Follower(tracker)
    for event in events():
        follower.take(event)
    follower.take_results(finished())
    tracker.close()
    assert sorted(run.folder.rglob("*")) == before
    assert tracker.viewer == "nothing is written, as WANDB_MODE is disabled"
