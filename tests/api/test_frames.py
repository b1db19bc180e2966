"""Frames hold what results.json and the run's tables hold."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.commands.finished import Finished
from tests.report.fixtures import results as made_results
from tests.report.fixtures import search_only
from tests.report.fixtures import trials as made_trials
from tuner.api.finished_run import FinishedRun
from tuner.api.frames import curves_frame, retraining_curves_frame, scores_frame, trials_frame
from tuner.records.training import EpochMetrics


@pytest.fixture(params=["finished", "digits"])
def whole(request: pytest.FixtureRequest) -> Finished:
    """Each of the runs."""
    found: Finished = request.getfixturevalue(request.param)
    return found


def trainings(results: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each model of results.json with each of its trainings."""
    return ((model, run) for model in results["models"] for run in model["runs"])


def test_every_number_of_a_training_is_that_of_the_results(whole: Finished) -> None:
    frame, results = FinishedRun(whole.path).scores, whole.results
    assert len(frame) == len(list(trainings(results)))
    recommended = results["recommendation"]["model"]
    for row, (model, run) in zip(frame.to_dict("records"), trainings(results), strict=True):
        test = run["test"]
        expected = {
            "model": model["name"],
            "family": model["model"],
            "n_test": test["n"],
            "is_recommended": model["name"] == recommended,
        }
        for name in row.keys() - expected.keys():
            # A model has means of two of the scores under the same names.
            expected[name] = next(one for one in (test, run, model) if name in one)[name]
        assert row == expected


def test_every_epoch_of_a_retraining_is_that_of_the_results(whole: Finished) -> None:
    frame, results = FinishedRun(whole.path).retraining_curves, whole.results
    expected = [
        {
            "model": model["name"],
            "seed": run["seed"],
            "epoch": epoch["epoch"],
            "duration_s": epoch["duration_s"],
            **epoch["metrics"],
        }
        for model, run in trainings(results)
        for epoch in run["epochs"]
    ]
    assert frame.to_dict("records") == expected


def test_trials_and_curves_are_those_that_the_search_sums_up(whole: Finished) -> None:
    loaded, search = FinishedRun(whole.path), whole.results["search"]
    trials, curves = loaded.trials, loaded.curves
    assert len(trials) == search["n_trials"]
    assert (trials["status"] == "failed").sum() == search["n_failed"]
    assert (trials["status"] == "stopped").sum() == search["n_stopped"]
    assert trials["epochs"].sum() == len(curves) == search["n_epochs"]
    best = trials.set_index("trial_id").loc[search["best_trial_id"]]
    assert best["score"] == search["best_score"]
    for name in {one["name"] for one in search["parameters"]} & search["best_values"].keys():
        if not pd.isna(best[f"values.{name}"]):
            assert best[f"values.{name}"] == search["best_values"][name]
    scores = trials.set_index("trial_id")["score"]
    for one in search["finalists"]:
        assert scores[one["trial_id"]] == one["search_score"]
    objective = curves.groupby("trial_id")[search["objective"]].max()
    pd.testing.assert_series_equal(
        objective, scores.dropna().sort_index(), check_names=False, check_exact=True
    )
    assert loaded.best_values == search["best_values"]


def test_trials_and_curves_have_the_cells_of_the_tables(whole: Finished) -> None:
    loaded = FinishedRun(whole.path)
    for frame, name in ((loaded.trials, "trials.csv"), (loaded.curves, "curves.csv")):
        rows = whole.rows(name)
        assert list(frame) == list(rows[0])
        for found, row in zip(frame.to_dict("records"), rows, strict=True):
            for column, cell in row.items():
                value = found[column]
                if column == "model":
                    assert value == (cell or loaded.results.search.model)
                elif column == "origin":
                    assert value == cell
                elif not cell:
                    assert pd.isna(value)
                elif isinstance(value, str):
                    assert value == cell
                else:
                    assert value == json.loads(cell)


def test_predictions_give_the_scores_of_the_results(whole: Finished) -> None:
    frame, results = FinishedRun(whole.path).predictions, whole.results
    names = results["data"]["class_names"]
    shares = [f"probability.{name}" for name in names]
    groups = dict(iter(frame.groupby(["model", "seed"])))
    assert len(groups) == len(list(trainings(results)))
    for model, run in trainings(results):
        found, test = groups[model["name"], run["seed"]], run["test"]
        assert len(found) == test["n"]
        confusion = pd.crosstab(found["label"], found["class"]).reindex(
            index=names, columns=names, fill_value=0
        )
        assert confusion.to_numpy().tolist() == test["confusion"]
        assert (found["label"] == found["class"]).mean() == pytest.approx(test["accuracy"])
        of_label = found[shares].to_numpy()[
            range(len(found)), [names.index(x) for x in found["label"]]
        ]
        assert -np.log(of_label.astype("float64")).mean() == pytest.approx(
            test["log_loss"], rel=1e-4
        )
        assert (found["confidence"] == found[shares].max(axis=1)).all()
        counts = found["label"].value_counts().reindex(names, fill_value=0)
        assert counts.tolist() == results["data"]["test_counts"]


def test_predictions_carry_the_names_and_labels_of_the_split(whole: Finished) -> None:
    frame = FinishedRun(whole.path).predictions
    expected = [
        (row["image"], row["class"]) for row in whole.rows("split.csv") if row["part"] == "test"
    ]
    for _, found in frame.groupby(["model", "seed"]):
        assert list(zip(found["image"], found["label"], strict=True)) == expected


def test_ids_keep_their_form_and_missing_cells_leave_whole_numbers_whole() -> None:
    first, second = made_trials(2)
    second = replace(second, parent_id="0000", values={"filters_0": 32, "optimizer": "adam"})
    frame = trials_frame([first, second], made_results())
    assert frame["trial_id"].tolist() == ["0000", "0001"]
    assert pd.isna(frame["parent_id"][0])
    assert frame["parent_id"][1] == "0000"
    assert str(frame["values.filters_0"].dtype) == "Int64"
    assert math.isnan(frame["values.dropout"][1])
    assert str(frame["values.dropout"].dtype) == "float64"


def test_hyperparameters_of_several_kinds_keep_their_values() -> None:
    values: list[Any] = [{"a": True, "b": 1, "c": "x"}, {"a": False, "b": "one", "c": [1, 2]}]
    some = [replace(one, values=v) for one, v in zip(made_trials(2), values, strict=True)]
    frame = trials_frame(some, made_results())
    assert frame["values.a"].tolist() == [True, False]
    assert frame["values.b"].tolist() == [1, "one"]
    assert frame["values.c"].tolist() == ["x", [1, 2]]


def test_metric_with_the_name_of_a_column_has_one_of_its_own() -> None:
    (first,) = made_trials(1)
    epoch = EpochMetrics(epoch=1, metrics={"epoch": 0.5, "loss": 1.0}, duration_s=2.0)
    frame = curves_frame([replace(first, epochs=(epoch,))])
    assert frame.to_dict("records") == [
        {"trial_id": "0000", "epoch": 1, "duration_s": 2.0, "metrics.epoch": 0.5, "loss": 1.0}
    ]


def test_a_search_alone_has_frames_without_rows_for_models() -> None:
    run = search_only()
    assert scores_frame(run).empty
    assert {"model", "accuracy", "is_kept"} <= set(scores_frame(run))
    assert retraining_curves_frame(run).empty
    assert {"model", "epoch"} <= set(retraining_curves_frame(run))
    assert trials_frame((), run).empty


def test_frames_are_read_once(run: FinishedRun) -> None:
    run.trials["mine"] = 1
    assert "mine" in run.trials
    assert "mine" not in FinishedRun(run.folder).trials


def test_csv_of_predictions_has_the_same_columns(run: FinishedRun, tmp_path: Path) -> None:
    run.predictions.to_csv(tmp_path / "p.csv", index=False)
    with (tmp_path / "p.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert header[:6] == ["image", "label", "model", "seed", "class", "confidence"]
    assert header[6:] == [f"probability.{name}" for name in run.results.data.class_names]
