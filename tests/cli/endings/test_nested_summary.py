"""What people and programs read at the end of nested cross-validation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tuner.cli.endings.nested_summary import nested_ended, nested_lines
from tuner.commands.nested import NestedOutcome
from tuner.records.nested_results import NestedResults, OuterFold, PooledModel, WinningValues
from tuner.store.run_folder import RunFolder

COMMAND = "python -m tuner run faces --nested"
TUNED = PooledModel(
    name="tuned",
    title="Tuned",
    n=80,
    accuracy=0.9625,
    accuracy_low=0.895,
    accuracy_high=0.987,
    fold_accuracies=(0.9375, 1.0),
)
RESULTS = NestedResults(
    dataset="faces",
    title="Faces",
    fingerprint="0123",
    seed=1,
    preset="quick",
    command=COMMAND,
    objective="val_accuracy",
    folds=tuple(
        OuterFold(folder=f"r/{i}", n_test=40, best_score=0.9, duration_s=1.0) for i in range(2)
    ),
    models=(TUNED,),
    winners=(
        WinningValues(name="filters", counts=((32, 3), (64, 2))),
        WinningValues(
            name="learning_rate",
            counts=tuple((rate, 1) for rate in (0.01, 0.002, 0.003, 0.004, 0.005)),
        ),
        WinningValues(name="momentum", counts=()),
    ),
)
OUTCOME = NestedOutcome(
    folders=(RunFolder(Path("r/0")), RunFolder(Path("r/1"))),
    n_outer=2,
    file=Path("r/nested-1.json"),
    results=RESULTS,
    stopped=None,
)
STOPPED = replace(
    OUTCOME, folders=OUTCOME.folders[:1], file=None, results=None, stopped="interrupted"
)


def test_lines_state_scores_winners_and_where_the_reports_are() -> None:
    assert nested_lines(OUTCOME, COMMAND) == [
        "",
        "Accuracy of 2 outer folds; 80 images, each tested once:",
        "  Tuned  96.2 % [89.5, 98.7], 93.8 % to 100.0 % by outer fold",
        "What won, and in how many outer folds:",
        "  filters 32 (3×), 64 (2×); learning_rate 0.002 to 0.01",
        "",
        "Report 1 r/0/report.html",
        "Report 2 r/1/report.html",
        "Results  r/nested-1.json",
    ]


def test_outer_folds_without_a_model_are_said() -> None:
    few = replace(TUNED, title="Baseline", n=40, fold_accuracies=(0.5, None))
    none = replace(TUNED, title="EfficientNetB2", n=0, accuracy=None, fold_accuracies=(None, None))
    lines = nested_lines(replace(OUTCOME, results=replace(RESULTS, models=(few, none))), COMMAND)
    assert lines[2].endswith(", 50.0 % to 50.0 % by outer fold; only 1 fold, 40 images")
    assert lines[3] == "  EfficientNetB2  could not be trained"


def test_stopped_cross_validation_says_how_far_it_is_and_how_it_goes_on() -> None:
    assert nested_lines(STOPPED, COMMAND) == [
        "",
        "1 of 2 outer folds have been tested; the rest was interrupted. You can resume it.",
        f"Resume   {COMMAND} --resume",
    ]


def test_json_line_holds_the_results_or_how_it_goes_on() -> None:
    ended = nested_ended(OUTCOME, COMMAND)
    assert (ended["event"], ended["stopped"], ended["file"]) == (
        "NestedEnded",
        None,
        "r/nested-1.json",
    )
    assert ended["reports"] == ["r/0/report.html", "r/1/report.html"]
    assert ended["results"]["models"][0]["accuracy"] == 0.9625
    stopped = nested_ended(STOPPED, COMMAND)
    assert (stopped["stopped"], stopped["resume"]) == ("interrupted", f"{COMMAND} --resume")
    assert "results" not in stopped
