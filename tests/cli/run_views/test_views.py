"""What people see: counting, plain lines, the live panel; nothing in a name steers the terminal."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tuner.cli.run_views.choice import view
from tuner.cli.run_views.live import screen
from tuner.cli.run_views.plain_lines import SHOWN_TASKS, PlainLines, describe
from tuner.cli.run_views.progress import Progress, short_range, short_time
from tuner.cli.terminal import output, signals
from tuner.cli.terminal.output import plain, print_json
from tuner.cli.terminal.signals import STOPPING, TerminatedError
from tuner.execution.stop import StopRequest
from tuner.records.events import (
    EpochEnded,
    Event,
    FoldEnded,
    ModelStarted,
    ModelTrained,
    Notice,
    RunStarted,
    SearchResumed,
    SearchSized,
    StageAdvanced,
    StageStarted,
    TrialEnded,
    TrialStarted,
)
from tuner.records.training import EpochMetrics, FoldDone
from tuner.records.trial import Trial


def started(direction: str = "max", folder: str = "reports/x/1") -> RunStarted:
    return RunStarted(
        dataset="Photos",
        n_train=1200,
        n_validation=150,
        n_folds=1,
        n_test=150,
        folder=folder,
        n_trials=7,
        n_epochs=20,
        objective="val_accuracy" if direction == "max" else "val_loss",
        direction=direction,
    )


def trial(
    number: int,
    score: float | None = None,
    error: str | None = None,
    *,
    is_stopped: bool = False,
    **values: object,
) -> Trial:
    return Trial(
        trial_id=f"{number:04}",
        values=values,
        bracket=0,
        rung=0,
        parent_id=None,
        first_epoch=1,
        last_epoch=4,
        score=score,
        error=error,
        epochs=(EpochMetrics(epoch=2, metrics={}, duration_s=1.0),) if is_stopped else (),
        duration_s=1.25,
        n_parameters=10,
        is_stopped=is_stopped,
    )


def epoch(number: int, task_id: str = "0000") -> EpochEnded:
    metrics = {"loss": 0.5, "accuracy": 0.75, "val_accuracy": 0.5}
    return EpochEnded(
        task_id=task_id,
        last_epoch=4,
        epoch=EpochMetrics(epoch=number, metrics=metrics, duration_s=1.0),
    )


def heard(*events: Event) -> Progress:
    progress = Progress()
    for event in events:
        progress.hear(event)
    return progress


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("max", ["0005", "0000", "0004", "0001", "0006"]),
        ("min", ["0003", "0006", "0001", "0000", "0004"]),
    ],
)
def test_best_trials_are_sorted_by_direction_and_the_earlier_of_equals_leads(
    direction: str, expected: list[str]
) -> None:
    scores = [0.5, 0.4, None, 0.1, 0.5, 0.9, 0.3]
    ended = [
        TrialEnded(trial=trial(i, score, None if score else "x"), is_best=False)
        for i, score in enumerate(scores)
    ]
    progress = heard(started(direction), *ended)
    assert [t.trial_id for t in progress.best] == expected
    assert (progress.n_ended, progress.n_failed, progress.n_trials) == (7, 1, 7)


def test_run_that_follows_another_is_counted_from_nothing() -> None:
    first = (started(), TrialStarted(trial=trial(0)), TrialEnded(trial=trial(0, 0.9), is_best=True))
    progress = heard(*first, started(), TrialEnded(trial=trial(1, 0.5), is_best=True))
    assert ([t.trial_id for t in progress.best], progress.n_ended, progress.n_epochs) == (
        ["0001"],
        1,
        4,
    )


def test_numbers_of_a_sized_search_take_the_place_of_none() -> None:
    before = replace(started(), n_trials=0, n_epochs=0)
    sized = SearchSized(n_trials=9, n_epochs=30, is_exact=False, text="30 min: 5 settings")
    progress = heard(before)
    assert describe(before, progress).splitlines()[1] == "objective val_accuracy"
    progress.hear(sized)
    assert progress.n_trials == 9
    assert describe(sized, progress).splitlines() == [
        "  30 min: 5 settings",
        "  about 9 trials, 30 epochs planned",
    ]


class Clock:
    """Time as a test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("tuner.cli.run_views.progress.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_remaining_time_is_a_range_that_shrinks_as_epochs_end(clock: Clock) -> None:
    progress = heard(started(), TrialStarted(trial=trial(0)))
    assert progress.remaining() == "remaining time not known yet"
    clock.now += 10
    progress.hear(epoch(1))
    # Nothing but a start of 10 s is known: 6 more of them, and 13 epochs as slow.
    assert progress.remaining() == "search: 2 to 5 min left"
    clock.now += 3
    for number in (2, 3, 4):
        progress.hear(epoch(number))
    # 6 more starts of 10 s each, and 10 later epochs of 1 s.
    assert progress.remaining() == "search: 1 to 2 min left"


def test_two_workers_need_half_the_time_of_one(clock: Clock) -> None:
    alone = heard(started(), TrialStarted(trial=trial(0)))
    both = heard(started(), TrialStarted(trial=trial(0)), TrialStarted(trial=trial(1)))
    clock.now += 10
    alone.hear(epoch(1))
    both.hear(epoch(1))
    both.hear(epoch(1, "0001"))
    # 19 epochs of 10 s one after the other; 18 by two workers.
    assert alone.remaining() == "search: 2 to 5 min left"
    assert both.remaining() == "search: 1 to 3 min left"


def test_one_long_trial_cannot_be_shared_out(clock: Clock) -> None:
    long = TrialStarted(trial=replace(trial(2), last_epoch=18))
    progress = heard(started(), TrialStarted(trial=trial(0)), TrialStarted(trial=trial(1)))
    for end in (
        TrialEnded(trial=trial(0, 0.5), is_best=True),
        TrialEnded(trial=trial(1, 0.5), is_best=False),
        long,
    ):
        progress.hear(end)
    for number in (1, 2):
        clock.now += 10
        progress.hear(
            replace(
                epoch(number, "0002"), epoch=EpochMetrics(epoch=number, metrics={}, duration_s=10.0)
            )
        )
    # 10 planned epochs are left, 16 of this trial: they take 160 s however many workers there are.
    assert progress.remaining() == "search: 2 to 5 min left"


def test_time_budget_limits_what_is_said_to_remain(clock: Clock) -> None:
    progress = Progress(time_budget_s=30.0)
    for event in (started(), TrialStarted(trial=trial(0))):
        progress.hear(event)
    clock.now += 10
    progress.hear(epoch(1))
    assert progress.remaining() == "search: 20 s left"


def test_what_an_earlier_session_did_counts_but_not_for_the_pace(clock: Clock) -> None:
    before = SearchResumed(
        trials=(trial(0, 0.5), trial(1, error="odd"), trial(2, 0.75, is_stopped=True))
    )
    progress = heard(started(), before)
    assert (progress.n_ok, progress.n_failed, progress.n_stopped, progress.n_epochs) == (
        1,
        1,
        1,
        12,
    )
    assert [t.trial_id for t in progress.best] == ["0002", "0000"]
    assert progress.remaining() == "remaining time not known yet"
    progress.hear(TrialStarted(trial=trial(3)))
    clock.now += 10
    progress.hear(epoch(1, "0003"))
    # Of 20 epochs 7 are left, 3 of them begin trials; all are as slow as the one seen, 10 s.
    assert progress.remaining() == "search: 1 to 2 min left"


def test_several_retrainings_run_at_a_time_under_their_own_names() -> None:
    first = ModelStarted(task_id="tuned-0", title="Tuned", seed=0, last_epoch=4)
    second = ModelStarted(task_id="tuned-1", title="Tuned", seed=1, last_epoch=4)
    progress = heard(
        started(), StageStarted(title="Retraining Tuned"), first, second, epoch(2, "tuned-1")
    )
    assert [(t.title, t.state) for t in progress.running.values()] == [
        ("Tuned, seed 0", "starting, 0 s"),
        ("Tuned, seed 1", "epoch 2 of 4"),
    ]
    progress.hear(ModelTrained(title="Tuned", seed=0, text=""))
    assert list(progress.running) == ["tuned-1"]


def test_epochs_of_retraining_do_not_count_as_search() -> None:
    progress = heard(
        started(), TrialStarted(trial=trial(0)), TrialEnded(trial=trial(0, 0.5), is_best=True)
    )
    progress.hear(StageStarted(title="Retraining Tuned"))
    progress.hear(epoch(1, "tuned-0"))
    assert progress.stage == "Retraining Tuned"
    assert "search:" not in " ".join(drawn(progress, 100))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.4, "4 s"), (89, "89 s"), (91, "2 min"), (5399, "90 min"), (9000, "2.5 h")],
)
def test_short_time(seconds: float, words: str) -> None:
    assert short_time(seconds) == words


@pytest.mark.parametrize(
    ("low_s", "high_s", "words"),
    [
        (20.0, 60.0, "20 to 60 s"),
        (70.0, 180.0, "1 to 3 min"),
        (20.0, 100.0, "up to 2 min"),
        (3240.0, 84_240.0, "0.9 to 23.4 h"),
        (20.0, 20.4, "20 s"),
    ],
)
def test_both_ends_of_a_range_have_the_unit_of_the_longer_one(
    low_s: float, high_s: float, words: str
) -> None:
    assert short_range(low_s, high_s) == words


def test_a_promotion_names_the_trial_that_it_continues() -> None:
    promoted = replace(trial(8, 0.94), parent_id="0004", first_epoch=2)
    line = describe(TrialEnded(trial=promoted, is_best=False), heard(started()))
    assert line.startswith("  trial 0008, continues 0004 (0 of 7): 0.9400 (epochs 2-4, ")


def test_events_as_lines() -> None:
    progress = heard(started(), TrialEnded(trial=trial(0, 0.5), is_best=True))
    lines = [
        describe(event, progress)
        for event in (
            started(),
            StageStarted(title="Searching"),
            Notice(text="odd"),
            ModelTrained(title="Tuned", seed=1, text="4 epochs"),
            TrialEnded(trial=trial(0, 0.5), is_best=True),
            TrialEnded(trial=trial(1, error="no memory"), is_best=False),
            TrialEnded(trial=trial(2, 0.25, is_stopped=True), is_best=False),
            SearchResumed(trials=(trial(0, 0.5),)),
            epoch(1),
        )
    ]
    assert lines == [
        (
            "Photos, 1,200 training, 150 validation, 150 test images\n"
            "7 trials, 20 epochs planned; objective val_accuracy\nlog reports/x/1/run.log"
        ),
        "Searching ...",
        "  note: odd",
        "  Tuned, seed 1: 4 epochs",
        (
            "  trial 0000 (1 of 7): 0.5000 (epochs 1-4, 1.2 s), best so far, remaining time not"
            " known yet"
        ),
        "  trial 0001 (1 of 7): failed: no memory, remaining time not known yet",
        (
            "  trial 0002 (1 of 7): 0.2500 (epochs 1-2, 1.2 s), stopped by the time budget,"
            " remaining time not known yet"
        ),
        "  1 of 7 trials ended earlier; best 0.5000",
        "",
    ]


def test_size_that_is_not_known_exactly_is_about_right() -> None:
    event = replace(started(), is_exact=False)
    line = describe(event, heard(event)).splitlines()[1]
    assert line.startswith("about 7 trials, 20 epochs planned; ")


def test_plain_lines_give_a_sign_of_life_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", errors)
    clock = {"now": 0.0}
    monkeypatch.setattr("tuner.cli.run_views.plain_lines.time.monotonic", lambda: clock["now"])
    lines = PlainLines(StopRequest(), Progress())
    for now in (30.0, 61.0, 100.0, 122.0, 400.0, 700.0):
        clock["now"] = now
        if now == 100.0:
            lines(TrialStarted(trial=trial(0)))
            lines(TrialStarted(trial=trial(1)))
            lines(epoch(3))
        lines.give_sign_of_life()
    assert errors.getvalue().splitlines() == [
        "  running: starting, 61 s",
        "  running: trial 0000 (epoch 3 of 4), trial 0001 (starting, 22 s)",
        # Nothing has changed at 400 s.
        "  running: trial 0000 (epoch 3 of 4), trial 0001 (starting, 10 min)",
    ]


def test_a_stage_with_parts_says_how_many_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", errors)
    clock = {"now": 0.0}
    monkeypatch.setattr("tuner.cli.run_views.plain_lines.time.monotonic", lambda: clock["now"])
    lines = PlainLines(StopRequest(), Progress())
    lines(StageStarted(title="Measuring models"))
    for now, n_done in ((61.0, 6), (130.0, 6), (480.0, 7)):
        clock["now"] = now
        lines(StageAdvanced(n_done=n_done, n=11))
        lines.give_sign_of_life()
    assert errors.getvalue().splitlines() == [
        "Measuring models ...",
        "  running: Measuring models: 6 of 11, 61 s",
        "  running: Measuring models: 7 of 11, 8 min",
    ]


def test_plain_lines_tell_once_that_the_run_is_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", errors)
    request = StopRequest()
    lines = PlainLines(request, Progress())
    lines.give_sign_of_life()
    assert errors.getvalue() == ""
    request.reason = "interrupted"
    lines.give_sign_of_life()
    lines.give_sign_of_life()
    assert errors.getvalue() == f"{STOPPING}\n"


@pytest.mark.parametrize(
    "letter", ["\x1b", "\x07", "\r", "\x9b", "\x7f", "\u202e", "\u2066", "\u2028", "\udcff"]
)
def test_what_steers_a_terminal_is_replaced(letter: str) -> None:
    assert plain(f"a{letter}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_ordinary_text_stays_as_it_is() -> None:
    assert plain("naïve 漢字 😀 <b>\n\tx") == "naïve 漢字 😀 <b>\n\tx"


def test_json_lines_are_valid_and_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    results = io.StringIO()
    monkeypatch.setattr(output, "RESULTS", results)
    print_json(
        {
            "name": "\x9b31m \udcff 漢",
            "scores": [float("nan"), float("inf"), 0.5],
            "at": {"x": float("-inf")},
        }
    )
    line = results.getvalue()
    assert line.isascii()
    assert json.loads(line) == {
        "name": "\x9b31m \udcff 漢",
        "scores": [None, None, 0.5],
        "at": {"x": None},
    }


def drawn(progress: Progress, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(screen(progress, 75.0, is_roomy=width >= 70))
    return capture.get().splitlines()


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
    assert lines[3].rstrip().endswith("val_accuracy 0.5000")
    assert lines[4].split("  ")[0] == "best so far"
    assert [line.split() for line in lines[5:]] == [
        ["trial", "0001", "0.7500", "4", "filters", "32"],
        ["trial", "0000", "0.5000", "4", "filters", "16"],
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
        "best so far 0.7500",
    ]


def test_panel_before_anything_was_heard() -> None:
    assert drawn(Progress(), 80) == ["Reading the data, 75 s"]


class NoChatter(contextlib.nullcontext["NoChatter"]):
    """Leaves the descriptors of the tests' own process alone."""

    def __init__(self) -> None:
        super().__init__(self)

    def move_to(self, log: Path) -> None:
        """Move nothing."""


def said_when(stop: BaseException, monkeypatch: pytest.MonkeyPatch, *events: Event) -> str:
    """What a view tells when something ends a run after some events."""
    errors = io.StringIO()
    monkeypatch.setattr("tuner.cli.run_views.choice.chatter_kept_away", NoChatter)
    monkeypatch.setattr(output, "ERRORS", errors)
    shown = view(json_lines=False, quiet=True, live=False, resume="python -m tuner run x --resume")
    with pytest.raises(type(stop)), shown as listener:
        for event in events:
            listener(event)
        raise stop
    return errors.getvalue()


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), TerminatedError(), RuntimeError("odd"), OSError("disk full")]
)
def test_whatever_ends_a_run_tells_what_is_kept_and_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "open").touch()
    (tmp_path / "config.yaml").touch()
    path = tmp_path.as_posix()
    begun, end = started(folder=path), TrialEnded(trial=trial(0, 0.5), is_best=True)
    resume = "Resume   python -m tuner run x --resume\n"
    assert (
        said_when(stop, monkeypatch, begun)
        == f"\nNo trial has ended; the log is in {path}.\n{resume}"
    )
    assert (
        said_when(stop, monkeypatch, begun, end)
        == f"\nKept: 1 ended trial, in {path}/trials.csv and curves.csv.\n{resume}"
    )
    before = SearchResumed(trials=(trial(0, 0.5), trial(1, 0.5)))
    assert "Kept: 3 ended trials, in " in said_when(stop, monkeypatch, begun, before, end)


def test_what_ends_a_command_without_state_tells_no_command_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said_when(KeyboardInterrupt(), monkeypatch) == "\nNothing was written.\n"
    assert said_when(RuntimeError("odd"), monkeypatch) == ""
    assert said_when(RuntimeError("odd"), monkeypatch, started(folder=tmp_path.as_posix())) == ""


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), RuntimeError("odd")])
def test_finished_runs_of_outer_folds_are_told_whatever_ends_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    folders = [tmp_path / name for name in ("1", "2", "failed")]
    for folder in folders:
        folder.mkdir()
    for folder in folders[:2]:
        (folder / "report.html").touch()
    first, second, failed = (started(folder=folder.as_posix()) for folder in folders)
    resume = "Resume   python -m tuner run x --resume\n"
    assert (
        said_when(stop, monkeypatch, first)
        == f"\nKept: 1 finished run, the last in {tmp_path}/1.\n{resume}"
    )
    two = f"\nKept: 2 finished runs, the last in {tmp_path}/2.\n{resume}"
    assert said_when(stop, monkeypatch, first, second) == two
    assert said_when(stop, monkeypatch, first, second, failed) == two
    assert said_when(stop, monkeypatch, failed) == ""


def test_stop_that_a_destructor_swallowed_is_raised_at_the_next_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tuner.cli.run_views.choice.chatter_kept_away", NoChatter)
    monkeypatch.setattr(output, "ERRORS", io.StringIO())
    monkeypatch.setattr(signals._Stop, "asked", None)
    with (
        pytest.raises(KeyboardInterrupt),
        view(json_lines=False, quiet=True, live=False) as listener,
    ):
        listener(Notice(text="before"))
        monkeypatch.setattr(signals._Stop, "asked", KeyboardInterrupt)
        listener(Notice(text="after"))
