"""`run --require-improvement`: the exit code follows the verdict; nothing is trained here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.calling import Outcome, call
from tests.report.differences import difference
from tests.report.fixtures import results
from tuner.commands.run import RunOutcome
from tuner.records.comparison import Difference
from tuner.records.results import Results
from tuner.store.run_folder import RunFolder

Ended = Callable[..., Outcome]


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ended:
    """Calls `run` as if it came to these differences."""

    def ask(
        *arguments: str, differences: tuple[Difference, ...] = (), stopped: str | None = None
    ) -> Outcome:
        found: Results = replace(results(), differences=differences)
        outcome = RunOutcome(
            folder=RunFolder(Path("reports/faces/run")), results=found, stopped=stopped
        )
        monkeypatch.setattr("tuner.commands.run.run", lambda *_: outcome)
        return call("run", "faces", *arguments, cwd=tmp_path)

    return ask


def test_better_is_0(ended: Ended) -> None:
    shown = ended("--require-improvement", differences=(difference("better"),))
    assert shown.code == 0
    assert "--require-improvement" not in shown.err


def test_quick_may_be_held_to_it_with_seeds_of_its_own(ended: Ended) -> None:
    several = ("--preset", "quick", "--set", "retrain.seeds=3")
    assert ended("--require-improvement", *several, differences=(difference("better"),)).code == 0


@pytest.mark.parametrize(
    ("differences", "reason"),
    [
        ((difference("worse"),), "the verdict is worse"),
        (
            (difference("inconclusive", reason="one seed each"),),
            "the verdict is inconclusive (one seed each)",
        ),
        (
            (
                difference("no clear difference", reason="too\nclose"),
                difference("better", opponent="efficientnet_b2"),
            ),
            "the verdict is no clear difference (too close)",
        ),
        (
            (difference("better", opponent="efficientnet_b2"),),
            "the winner could not be tested against another model",
        ),
        ((), "the winner could not be tested against another model"),
    ],
)
def test_anything_else_is_3_with_the_verdict_and_its_reason_in_one_line(
    ended: Ended, differences: tuple[Difference, ...], reason: str
) -> None:
    shown = ended("--require-improvement", "-q", differences=differences)
    assert (shown.code, shown.err) == (3, f"--require-improvement was missed: {reason}\n")
    assert shown.out == "reports/faces/run/report.html\n"


def test_without_the_option_any_verdict_is_0(ended: Ended) -> None:
    assert ended(differences=(difference("worse"),)).code == 0


@pytest.mark.parametrize(("stopped", "code"), [("interrupted", 130), ("terminated", 143)])
def test_a_run_that_was_stopped_keeps_its_own_code(ended: Ended, stopped: str, code: int) -> None:
    shown = ended("--require-improvement", stopped=stopped)
    assert shown.code == code
    assert "was missed" not in shown.err


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "--search-only",
            "--require-improvement needs the comparison that --search-only leaves out.",
        ),
        (
            "--nested",
            (
                "--require-improvement needs one verdict, but --nested gives pooled scores without"
                " one."
            ),
        ),
        (
            "--preset=quick",
            (
                "--require-improvement needs several seeds, but the quick preset may train only"
                " one: add --set retrain.seeds=3."
            ),
        ),
    ],
)
def test_what_gives_no_verdict_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, message: str
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("something ran")

    monkeypatch.setattr("tuner.commands.run.run", never)
    monkeypatch.setattr("tuner.commands.nested.run_nested", never)
    shown = call("run", "faces", "--require-improvement", option, cwd=tmp_path)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.endswith(f"Error: {message}\n")


def test_json_record_names_the_verdict_and_the_difference(ended: Ended) -> None:
    (record,) = ended("--json", differences=(difference("worse", -0.06),)).records
    assert record["event"] == "RunEnded"
    assert record["verdict_word"] == "worse"
    assert record["difference"] == {
        "opponent": "baseline",
        "value": -0.06,
        "low": pytest.approx(-0.1),
        "high": pytest.approx(-0.02),
    }


def test_json_record_without_a_difference_says_so(ended: Ended) -> None:
    (record,) = ended("--json").records
    assert (record["verdict_word"], record["difference"]) == (None, None)


def test_model_that_names_one_class_is_told(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "predicts only one class" not in ended().err
    monkeypatch.setattr(
        "tuner.cli.endings.run_summary.only_class",
        lambda model: "happy" if model.name == "tuned" else None,
    )
    assert 'Tuned CNN predicts only one class, "happy", for every test image.\n' in ended().err
    last = ended("--json").records[-1]
    assert last["only_class"]["tuned"] == "happy"
    assert last["only_class"]["baseline"] is None
