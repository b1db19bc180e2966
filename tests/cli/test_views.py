"""What people see: counting, plain lines, the live panel; nothing in a name steers the terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tuner.cli import output, signals
from tuner.cli.lines import PlainLines, describe
from tuner.cli.live import screen
from tuner.cli.output import plain, print_json
from tuner.cli.progress import Progress, short_time
from tuner.cli.signals import TerminatedError
from tuner.cli.views import view
from tuner.records.events import (
    EpochEnded,
    Event,
    ModelTrained,
    Notice,
    RunStarted,
    StageStarted,
    TrialEnded,
    TrialStarted,
)
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial


def started(direction: str = "max", folder: str = "reports/x/1") -> RunStarted:
    return RunStarted(
        dataset="Photos",
        n_train=1200,
        n_validation=150,
        n_test=150,
        folder=folder,
        n_trials=7,
        n_epochs=20,
        objective="val_accuracy" if direction == "max" else "val_loss",
        direction=direction,
    )


def trial(number: int, score: float | None = None, error: str | None = None, **values: object) -> Trial:
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
        epochs=(),
        duration_s=1.25,
        n_parameters=10,
    )


def epoch(number: int, task_id: str = "0000") -> EpochEnded:
    metrics = {"loss": 0.5, "accuracy": 0.75, "val_accuracy": 0.5}
    return EpochEnded(task_id=task_id, last_epoch=4, epoch=EpochMetrics(epoch=number, metrics=metrics, duration_s=1.0))


def heard(*events: Event) -> Progress:
    progress = Progress()
    for event in events:
        progress.hear(event)
    return progress


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("max", ["0005", "0000", "0004", "0001", "0006"]), ("min", ["0003", "0006", "0001", "0000", "0004"])],
)
def test_best_trials_are_sorted_by_direction_and_the_earlier_of_equals_leads(
    direction: str, expected: list[str]
) -> None:
    scores = [0.5, 0.4, None, 0.1, 0.5, 0.9, 0.3]
    ended = [TrialEnded(trial=trial(i, score, None if score else "x"), is_best=False) for i, score in enumerate(scores)]
    progress = heard(started(direction), *ended)
    assert [t.trial_id for t in progress.best] == expected
    assert (progress.n_ended, progress.n_failed, progress.n_trials) == (7, 1, 7)


def test_remaining_time_is_a_range_that_shrinks_as_epochs_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 110.0, 120.0])
    monkeypatch.setattr("tuner.cli.progress.time.monotonic", lambda: next(clock))
    progress = heard(started(), TrialStarted(trial=trial(0)))
    assert progress.remaining() == "remaining time not known yet"
    progress.hear(epoch(1))
    assert progress.remaining() == "search: 2 min to 5 min left"
    for number in range(2, 11):
        progress.hear(epoch(number))
    # 6 more starts of 11 s each, and 4 later epochs of 1 s.
    assert progress.remaining() == "search: 42 s to 2 min left"


def test_epochs_of_retraining_do_not_count_as_search() -> None:
    progress = heard(started(), TrialStarted(trial=trial(0)), TrialEnded(trial=trial(0, 0.5), is_best=True))
    progress.hear(epoch(1, "tuned-0"))
    assert progress.remaining() == "remaining time not known yet"


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.4, "4 s"), (89, "89 s"), (91, "2 min"), (5399, "90 min"), (9000, "2.5 h")]
)
def test_short_time(seconds: float, words: str) -> None:
    assert short_time(seconds) == words


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
            epoch(1),
        )
    ]
    assert lines == [
        "Photos: 1,200 training, 150 validation, 150 test images\n"
        "7 trials, 20 epochs planned; objective val_accuracy\nlog reports/x/1/run.log",
        "Searching ...",
        "  note: odd",
        "  Tuned, seed 1: 4 epochs",
        "  trial 1 of 7: 0.5000 (epochs 1-4, 1.2 s), best so far, remaining time not known yet",
        "  trial 1 of 7: failed: no memory, remaining time not known yet",
        "",
    ]


def test_plain_lines_give_a_sign_of_life_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", errors)
    clock = {"now": 0.0}
    monkeypatch.setattr("tuner.cli.lines.time.monotonic", lambda: clock["now"])
    lines = PlainLines()
    for now in (30.0, 61.0, 100.0, 122.0):
        clock["now"] = now
        if now == 100.0:
            lines(epoch(3))
        lines.give_sign_of_life()
    assert errors.getvalue().splitlines() == ["  still at it: starting", "  0000: epoch 3 of 4 done"]


@pytest.mark.parametrize("letter", ["\x1b", "\x07", "\r", "\x9b", "\x7f", "\u202e", "\u2066", "\u2028", "\udcff"])
def test_what_steers_a_terminal_is_replaced(letter: str) -> None:
    assert plain(f"a{letter}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_ordinary_text_stays_as_it_is() -> None:
    assert plain("naïve 漢字 😀 <b>\n\tx") == "naïve 漢字 😀 <b>\n\tx"


def test_json_lines_are_valid_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "\x9b31m \udcff 漢", "scores": [float("nan"), float("inf"), 0.5], "at": {"x": float("-inf")}})
    line = capsys.readouterr().out
    assert line.isascii()
    assert json.loads(line) == {"name": "\x9b31m \udcff 漢", "scores": [None, None, 0.5], "at": {"x": None}}


def drawn(progress: Progress, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(screen(progress, 75.0, is_roomy=width >= 70))
    return capture.get().splitlines()


def searching() -> Progress:
    setting = {"filters": 16, "learning_rate": 0.0012345, "optimizer": "adam\x1b[31m", "batch_size": 32}
    other = setting | {"filters": 32}
    return heard(
        started(),
        StageStarted(title="Searching"),
        TrialEnded(trial=trial(0, 0.5, **setting), is_best=True),
        TrialEnded(trial=trial(1, 0.75, **other), is_best=True),
        TrialEnded(trial=trial(2, error="odd"), is_best=False),
        TrialStarted(trial=trial(3, **setting)),
        epoch(2, "0003"),
    )


def test_wide_panel_shows_trial_epoch_and_what_tells_the_best_apart() -> None:
    lines = drawn(searching(), 100)
    assert lines[0].startswith("Searching, 75 s so far; search: ")
    assert lines[1].split()[:4] == ["trial", "4", "of", "7"]
    assert lines[1].rstrip().endswith("1 failed")
    assert lines[2].startswith("trial 0003: epoch 2 of 4 ")
    assert lines[2].rstrip().endswith("accuracy 0.7500  val_accuracy 0.5000")
    assert lines[3].split("  ")[0] == "best so far"
    assert [line.split() for line in lines[4:]] == [
        ["trial", "0001", "0.7500", "4", "filters", "32"],
        ["trial", "0000", "0.5000", "4", "filters", "16"],
    ]


@pytest.mark.parametrize("width", [20, 40, 69, 70, 80, 200])
def test_panel_stays_within_its_width_and_carries_no_foreign_codes(width: int) -> None:
    lines = drawn(searching(), width)
    assert all(len(line) <= width for line in lines)
    assert not any("\x1b[31m" in line for line in lines)


def test_narrow_panel_has_one_line_each() -> None:
    assert [line.split("  ")[0].rstrip() for line in drawn(searching(), 40)][1:] == [
        "trial 4 of 7",
        "trial 0003: epoch 2 of 4",
        "best so far 0.7500",
    ]


def test_panel_before_anything_was_heard() -> None:
    assert drawn(Progress(), 80) == ["Reading the data, 75 s so far"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, TerminatedError])
def test_whoever_stops_a_run_is_told_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    monkeypatch.setattr("tuner.cli.views.send_chatter_to", lambda path: None)

    def said(*events: Event) -> str:
        errors = io.StringIO()
        monkeypatch.setattr(output, "ERRORS", errors)
        with pytest.raises(stop), view(json_lines=False, quiet=True, live=False) as listener:
            for event in events:
                listener(event)
            raise stop
        return errors.getvalue()

    end = TrialEnded(trial=trial(0, 0.5), is_best=True)
    folder = tmp_path.as_posix()
    assert said() == "\nNothing was written.\n"
    assert said(started(folder=folder)) == f"\nNo trial had ended; the log is in {folder}.\n"
    assert said(started(folder=folder), end) == f"\nKept: 1 ended trial, in {folder}/trials.csv and curves.csv.\n"
    assert "2 ended trials" in said(started(folder=folder), end, end)


def test_stop_that_a_destructor_swallowed_is_raised_at_the_next_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.cli.views.send_chatter_to", lambda path: None)
    monkeypatch.setattr(output, "ERRORS", io.StringIO())
    monkeypatch.setattr(signals._Stop, "asked", None)
    with pytest.raises(KeyboardInterrupt), view(json_lines=False, quiet=True, live=False) as listener:
        listener(Notice(text="before"))
        monkeypatch.setattr(signals._Stop, "asked", KeyboardInterrupt)
        listener(Notice(text="after"))
