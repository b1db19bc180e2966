"""The last words of a run: the model to use stands first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.report.differences import difference
from tests.report.fixtures import recommending, results, search_only
from tests.report.sections.test_recommendation import naming_one_class
from tuner.cli.endings.run_summary import run_ended, summary_lines
from tuner.commands.run import RunOutcome
from tuner.records.results import Results
from tuner.store.run_folder import RunFolder

FOLDER = "reports/faces/20250102-030405-ab12cd34"
USE = (
    "Use Baseline: 73.9 % [70.3, 77.3] on 600 test images, 14.9 MB, 3.2 ms per image;"
    f" {FOLDER}/model.keras."
)
TESTED = replace(results(), differences=(difference(),))


def ended(run: Results) -> RunOutcome:
    return RunOutcome(folder=RunFolder(Path(FOLDER)), results=run, stopped=None)


def test_the_model_to_use_stands_before_the_verdict() -> None:
    lines = summary_lines(ended(recommending(TESTED)), "python -m tuner run faces")
    assert lines[:2] == ["", USE]
    assert lines[2].startswith(
        "The verdict below compares on test images, where Tuned CNN is better."
    )
    assert lines[2].endswith("To use Tuned CNN, add --model tuned to predict.")
    assert lines[3].startswith("Tuning helped: Tuned CNN 81.7 %")
    assert lines[-5:] == [
        "",
        f"Report   {FOLDER}/report.html",
        f"Train    python -m tuner train --from {FOLDER}",
        f"Predict  python -m tuner predict {FOLDER} IMAGE",
        f"Export   python -m tuner export {FOLDER} --format litert",
    ]


@pytest.mark.parametrize(("n_failed", "told"), [(0, []), (3, ["3 of 8 trials failed"])])
def test_failed_trials_are_counted_with_the_place_of_their_reasons(
    n_failed: int, told: list[str]
) -> None:
    run = replace(TESTED, search=replace(TESTED.search, n_failed=n_failed, n_trials=8))
    lines = summary_lines(ended(recommending(run)), "")
    found = [line for line in lines if "failed" in line]
    assert [line.partition(";")[0] for line in found] == told
    assert all("trials.csv" in line for line in found)


def test_a_winner_that_names_one_class_is_told_in_the_first_line_and_once() -> None:
    tuned, *others = TESTED.models
    run = recommending(replace(TESTED, models=(naming_one_class(tuned), *others)))
    lines = summary_lines(ended(run), "")
    said = (
        "The winner of the search, Tuned CNN, predicts only one class, “angry”, for every test"
        " image."
    )
    assert lines[1] == f"{USE} {said}"
    assert "\n".join(lines).count("one class") == 1


def test_other_comparisons_stand_below_the_verdict_one_a_line() -> None:
    winner = replace(TESTED.search, best_origin="defaults", n_failed=0)
    other = difference(opponent="efficientnet_b2")
    models = tuple(replace(model, in_verdict=True) for model in TESTED.models)
    run = replace(TESTED, models=models, differences=(difference(), other), search=winner)
    lines = summary_lines(ended(recommending(run)), "")
    assert lines[3].startswith("Better than the baseline: ")
    assert lines[3].endswith(" test images.")
    assert lines[4].startswith("  The winner is a starting setting, defaults: no setting from")
    assert lines[5].startswith("  Against EfficientNetB2 (from scratch): ")
    assert lines[6] == ""


def test_paths_below_the_working_directory_are_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = RunOutcome(folder=RunFolder(tmp_path / FOLDER), results=TESTED, stopped=None)
    assert f"Report   {FOLDER}/report.html" in summary_lines(outcome, "")


def test_another_model_that_names_one_class_has_a_line_of_its_own() -> None:
    tuned, baseline, backbone = TESTED.models
    run = recommending(replace(TESTED, models=(tuned, baseline, naming_one_class(backbone))))
    assert summary_lines(ended(run), "")[4] == (
        'EfficientNetB2 (from scratch) predicts only one class, "angry", for every test image.'
    )


def test_where_no_model_keeps_the_constraints_the_winner_is_named_to_predict_with() -> None:
    models = tuple(replace(model, breach="too slow") for model in TESTED.models)
    lines = summary_lines(ended(replace(TESTED, models=models)), "")
    assert lines[1].startswith("No model is recommended: each breaks a constraint. Tuned CNN (too")
    assert lines[-2:] == [
        f"Predict  python -m tuner predict {FOLDER} --model tuned IMAGE",
        f"Export   python -m tuner export {FOLDER} --model tuned --format litert",
    ]


def test_models_that_break_a_constraint_are_named_below_the_one_to_use() -> None:
    tuned, baseline, backbone = TESTED.models
    run = recommending(replace(TESTED, models=(tuned, baseline, backbone)), "tuned")
    found = run.recommendation
    assert found is not None
    left = tuple(one for one in found.candidates if one.name != "baseline")
    marked = replace(
        run,
        models=(tuned, replace(baseline, breach="too slow"), backbone),
        recommendation=replace(found, candidates=left),
    )
    assert (
        summary_lines(ended(marked), "")[2] == "Excluded by the constraints: Baseline (too slow)."
    )
    assert "Left out" not in "\n".join(summary_lines(ended(run), ""))


def test_search_only_recommends_nothing() -> None:
    lines = summary_lines(ended(search_only()), "")
    assert lines[1].startswith("Search only: ")
    assert run_ended(ended(search_only()), "")["recommendation"] is None


def test_the_last_json_line_names_the_model_to_use() -> None:
    found = run_ended(ended(recommending(TESTED)), "")["recommendation"]
    assert (found["model"], found["file"]) == ("baseline", f"{FOLDER}/model.keras")
    assert found["sentence"].startswith("Use Baseline: 73.9 %")
    assert found["reason"].startswith("Chosen on 140 validation images: smoothed validation ")
