"""What a run writes is what is read back."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.report import fixtures
from tuner.errors import ConfigurationError
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.store.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run's folder as `create` leaves it."""
    made = RunFolder(tmp_path / "digits" / "run")
    made.create()
    return made


def make_trial(number: int = 0, **changes: Any) -> Trial:
    usual: dict[str, Any] = {
        "trial_id": f"{number:04d}",
        "values": {"filters": 32, "learning_rate": 1e-05},
        "bracket": 2,
        "rung": 0,
        "parent_id": None,
        "first_epoch": 1,
        "last_epoch": 1,
        "score": 0.1 + 0.2,
        "epochs": (EpochMetrics(epoch=1, metrics={"loss": 1 / 3, "val_accuracy": 0.1 + 0.2}, duration_s=0.125),),
        "duration_s": 1.5,
        "n_parameters": 1234,
    }
    return Trial(**usual | changes)


def round_trip(folder: RunFolder, *trials: Trial, names: list[str]) -> list[Trial]:
    for trial in trials:
        folder.append_trial(trial, names)
    return RunFolder(folder.path).read_trials()


def test_new_folder_holds_nothing_but_the_place_for_checkpoints(folder: RunFolder) -> None:
    assert list(folder.path.iterdir()) == [folder.checkpoints]


def test_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file, no folder")
    with pytest.raises(ConfigurationError, match=r"file/run: cannot write there: Not a directory") as caught:
        RunFolder(tmp_path / "file" / "run").create()
    assert caught.value.hint == "choose another folder with --out."


def test_trials_come_back_to_the_last_digit(folder: RunFolder) -> None:
    trials = [make_trial(0), make_trial(2000, parent_id="1000", rung=1, first_epoch=2, last_epoch=2)]
    assert round_trip(folder, *trials, names=["filters", "learning_rate"]) == trials


@pytest.mark.parametrize(
    "value", [True, False, 3, 0.05, "adam", "a, b", 'say "x"', "two\nlines", "true", "7", "1e-3", '"7"', "[1]", "null"]
)
def test_value_of_a_hyperparameter_keeps_its_type(folder: RunFolder, value: Any) -> None:
    (found,) = round_trip(folder, make_trial(values={"v": value}), names=["v"])
    assert found.values == {"v": value}
    assert type(found.values["v"]) is type(value)


def test_inactive_hyperparameters_are_empty_cells_and_stay_away(folder: RunFolder) -> None:
    trials = [make_trial(0, values={"a": 1}), make_trial(1, values={"b": False})]
    assert [t.values for t in round_trip(folder, *trials, names=["a", "b"])] == [{"a": 1}, {"b": False}]


def test_fixed_values_are_no_columns(folder: RunFolder) -> None:
    (found,) = round_trip(folder, make_trial(values={"a": 1, "fixed": 2}), names=["a"])
    assert found.values == {"a": 1}


def test_failed_trial_keeps_its_reason_with_commas_quotes_and_newlines(folder: RunFolder) -> None:
    failed = make_trial(1, score=None, error='ValueError: "a", b\nand c', epochs=(), n_parameters=None)
    trials = round_trip(folder, make_trial(0), failed, names=["filters", "learning_rate"])
    assert trials[1] == failed
    assert trials[1].status == "failed"


def test_trial_that_failed_after_some_epochs_keeps_them(folder: RunFolder) -> None:
    failed = make_trial(0, score=None, error="the training loss became nan in epoch 2", last_epoch=3)
    assert round_trip(folder, failed, names=["filters", "learning_rate"]) == [failed]


def test_tables_have_a_header_of_their_own_names(folder: RunFolder) -> None:
    folder.append_trial(make_trial(), ["filters"])
    with open(folder.path / "trials.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert list(row)[:6] == ["trial_id", "status", "score", "epochs", "duration_s", "error"]
    assert (row["trial_id"], row["status"], row["epochs"], row["values.filters"]) == ("0000", "completed", "1", "32")
    with open(folder.path / "curves.csv", newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["trial_id", "epoch", "duration_s", "loss", "val_accuracy"]


def test_metrics_that_a_later_trial_brings_are_kept(folder: RunFolder) -> None:
    def trial(number: int, **metrics: float) -> Trial:
        return make_trial(number, epochs=(EpochMetrics(epoch=1, metrics=metrics, duration_s=0.125),))

    trials = [trial(0, loss=1 / 3), trial(1, loss=0.5, val_f1=0.25), trial(2, val_f1=0.75), trial(3, auc=1e-05)]
    assert round_trip(folder, *trials, names=["filters", "learning_rate"]) == trials
    with open(folder.path / "curves.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["trial_id", "epoch", "duration_s", "loss", "val_f1", "auc"]
    assert [row[0] for row in rows] == ["0000", "0001", "0002", "0003"]
    assert {path.name for path in folder.path.iterdir()} == {"state", "trials.csv", "curves.csv"}


def test_folder_without_trials_has_none(folder: RunFolder) -> None:
    assert folder.read_trials() == []


@pytest.mark.parametrize("results", [fixtures.results(), fixtures.search_only()], ids=["whole", "search only"])
def test_results_come_back_equal(folder: RunFolder, results: Any) -> None:
    folder.write_results(results)
    assert RunFolder(folder.path).read_results() == results


def test_a_metric_that_is_no_number_survives_and_leaves_the_file_valid_json(folder: RunFolder) -> None:
    results = fixtures.results()
    strange = EpochMetrics(epoch=1, metrics={"val_own": float("nan"), "loss": float("inf")}, duration_s=1.0)
    run = replace(results.models[0].runs[0], epochs=(strange,))
    folder.write_results(replace(results, models=(replace(results.models[0], runs=(run,)), *results.models[1:])))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    json.loads((folder.path / "results.json").read_text(), parse_constant=refuse)
    metrics = folder.read_results().models[0].runs[0].epochs[0].metrics
    assert np.isnan(metrics["val_own"])
    assert metrics["loss"] == float("inf")


def test_missing_results_name_the_folder(folder: RunFolder) -> None:
    with pytest.raises(ConfigurationError, match=r"run: there is no results\.json, so no finished run is there"):
        folder.read_results()


@pytest.mark.parametrize("text", ["", "{", '{"run": 3}', "[]"])
def test_unreadable_results_are_an_error_with_a_remedy(folder: RunFolder, text: str) -> None:
    (folder.path / "results.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"results\.json: cannot be read as results of this version") as caught:
        folder.read_results()
    assert caught.value.hint.startswith("run the search again")


def test_results_of_an_older_scheme_are_refused(folder: RunFolder) -> None:
    folder.write_results(replace(fixtures.results(), schema_version=0))
    with pytest.raises(ConfigurationError, match=r"results\.json: its schema_version is 0, but this version reads 1"):
        folder.read_results()


def test_predictions_hold_labels_and_each_models_probabilities(folder: RunFolder) -> None:
    found = np.array([[0.25, 0.75], [1.0, 0.0]])
    folder.write_predictions(np.array([1, 0]), {"tuned-0": found, "baseline-0": found[:, ::-1]})
    with np.load(folder.path / "predictions.npz") as archive:
        assert set(archive.files) == {"labels", "tuned-0", "baseline-0"}
        np.testing.assert_array_equal(archive["labels"], [1, 0])
        np.testing.assert_array_equal(archive["tuned-0"], found.astype("float32"))


def test_config_and_events_are_plain_files(folder: RunFolder) -> None:
    folder.write_config({"space": {"name": "Größe"}, "rate": 1e-05})
    assert yaml.safe_load((folder.path / "config.yaml").read_text(encoding="utf-8"))["space"] == {"name": "Größe"}
    for number in range(2):
        folder.append_event({"event": "TrialStarted", "n": number})
    lines = (folder.path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["n"] for line in lines] == [0, 1]


def test_checkpoints_are_removed_and_nothing_else(folder: RunFolder) -> None:
    (folder.checkpoints / "trial-0000.npz").write_bytes(b"")
    (folder.checkpoints / "baseline.keras").write_bytes(b"")
    folder.remove_checkpoints()
    assert [path.name for path in folder.checkpoints.iterdir()] == ["baseline.keras"]
