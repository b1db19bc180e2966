"""The live panel: it fits its width, and nothing in a name steers the terminal."""

from __future__ import annotations

import pytest

from tests.cli.run_views.events import drawn, epoch, heard, started, trial
from tuner.cli.run_views.plain_lines import SHOWN_TASKS
from tuner.cli.run_views.progress import Progress
from tuner.records.events import (
    FoldEnded,
    StageStarted,
    TrialEnded,
    TrialStarted,
)
from tuner.records.training import FoldDone


def test_epochs_of_retraining_do_not_count_as_search() -> None:
    progress = heard(
        started(), TrialStarted(trial=trial(0)), TrialEnded(trial=trial(0, 0.5), is_best=True)
    )
    progress.hear(StageStarted(title="Retraining Tuned"))
    progress.hear(epoch(1, "tuned-0"))
    assert progress.stage == "Retraining Tuned"
    assert "search:" not in " ".join(drawn(progress, 100))


def searching() -> Progress:
    setting = {
        "filters": 16,
        "learning_rate": 0.0012345,
        "optimizer": "adam\x1b[31m",
        "batch_size": 32,
    }
    other = setting | {"filters": 32}
    return heard(
        started(),
        StageStarted(title="Searching"),
        TrialEnded(trial=trial(0, 0.5, **setting), is_best=True),
        TrialEnded(trial=trial(1, 0.75, **other), is_best=True),
        TrialEnded(trial=trial(2, error="odd"), is_best=False),
        TrialStarted(trial=trial(3, **setting)),
        TrialStarted(trial=trial(4, **setting)),
        epoch(2, "0004"),
    )


def test_wide_panel_shows_every_running_trial_and_what_tells_the_best_apart() -> None:
    lines = drawn(searching(), 100)
    assert lines[0].startswith("Searching, 0 s (run: 75 s); search: ")
    assert lines[1].startswith("3 of 7 trials ")
    assert lines[1].rstrip().endswith("2 ok, 1 failed; epochs 14 of 20")
    assert lines[2].startswith("trial 0003: starting, 0 s ")
    assert lines[3].startswith("trial 0004: epoch 2 of 4 ")
    assert lines[3].rstrip().endswith("val_accuracy 50.00 %")
    assert lines[4].split("  ")[0] == "best so far"
    assert [line.split() for line in lines[5:]] == [
        ["trial", "0001", "75.00", "%", "4", "filters", "32"],
        ["trial", "0000", "50.00", "%", "4", "filters", "16"],
    ]


def test_once_the_search_has_ended_its_best_trials_are_not_shown() -> None:
    progress = searching()
    progress.hear(StageStarted(title="Scoring on the test set"))
    for width in (40, 100):
        assert drawn(progress, width) == ["Scoring on the test set, 0 s (run: 75 s)"]


@pytest.mark.parametrize("width", [80, 120])
def test_optimizer_and_learning_rate_of_the_best_stand_first(width: int) -> None:
    values = {f"filters_{number}": 64 for number in range(9)}
    found = [
        trial(n, 0.5, **{k: v + n for k, v in values.items()}, optimizer=name, learning_rate=rate)
        for n, (name, rate) in enumerate((("adam", 0.001), ("sgd", 0.02)))
    ]
    progress = heard(
        started(),
        StageStarted(title="Searching"),
        *(TrialEnded(trial=one, is_best=False) for one in found),
    )
    assert " 4       optimizer sgd, learning_rate 0.02, " in drawn(progress, width)[-1]


def fold(epoch: int, n_done: int, task: str = "0003") -> FoldEnded:
    return FoldEnded(
        task_id=task, last_epoch=4, fold=FoldDone(epoch=epoch, n_done=n_done, n_folds=5)
    )


def test_with_folds_the_panel_shows_each_as_it_ends() -> None:
    progress = searching()
    progress.hear(fold(1, 2))
    (row,) = [line for line in drawn(progress, 100) if line.startswith("trial 0003")]
    assert row.startswith("trial 0003: epoch 1 of 4, fold 2 of 5 ")
    assert progress.running["0003"].share == (2, 20)
    progress.hear(fold(1, 5))
    progress.hear(epoch(1, "0003"))
    assert progress.running["0003"].state == "epoch 1 of 4"
    assert progress.running["0003"].share == (5, 20)
    progress.hear(fold(2, 1))
    assert progress.running["0003"].state == "epoch 2 of 4, fold 1 of 5"
    assert progress.running["0003"].share == (6, 20)


def test_a_fold_of_a_task_that_has_ended_changes_nothing() -> None:
    progress = searching()
    progress.hear(fold(1, 1, task="0009"))
    assert sorted(progress.running) == ["0003", "0004"]


def test_panel_of_many_workers_says_how_many_it_leaves_out() -> None:
    many = [TrialStarted(trial=trial(number)) for number in range(SHOWN_TASKS + 12)]
    lines = drawn(heard(started(), StageStarted(title="Searching"), *many), 100)
    assert len(lines) == 2 + SHOWN_TASKS + 1
    assert lines[-1].rstrip() == "and 12 more"


@pytest.mark.parametrize("width", [20, 40, 69, 70, 80, 200])
def test_panel_stays_within_its_width_and_carries_no_foreign_codes(width: int) -> None:
    lines = drawn(searching(), width)
    assert all(len(line) <= width for line in lines)
    assert not any("\x1b[31m" in line for line in lines)


def test_narrow_panel_has_one_line_each() -> None:
    assert [line.split("  ")[0].rstrip() for line in drawn(searching(), 40)][1:] == [
        "3 of 7 trials",
        "trial 0003: starting, 0 s",
        "trial 0004: epoch 2 of 4",
        "best so far 75.00 %",
    ]


def test_panel_before_anything_was_heard() -> None:
    assert drawn(Progress(), 80) == ["Reading the data, 75 s"]
