"""Results come back equal; those of other versions and damaged ones are told apart."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.report import fixtures
from tuner.errors import ConfigurationError
from tuner.records.training import EpochMetrics
from tuner.store.run_folder import RunFolder


def test_importance_that_an_earlier_version_wrote_is_read(folder: RunFolder) -> None:
    folder.write_results(fixtures.results())
    path = folder.path / "results.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    row = {"name": "dropout", "importance": {"value": 0.3, "low": 0.1, "high": 0.4}}
    old = {"n_trials": 140, "n_needed": 100, "explained": 0.6, "parameters": [row], "reason": ""}
    path.write_text(json.dumps(plain | {"importance": old}), encoding="utf-8")
    found = folder.read_results().importance
    assert found is not None
    assert (found.n_trials, found.n_settings) == (140, None)
    (one,) = found.parameters
    assert (one.is_told, one.parameters, one.importance.value) == (True, ("dropout",), 0.3)
    assert not replace(one, importance=replace(one.importance, low=0.0)).is_told


def test_results_of_a_version_that_recommended_nothing_are_read(folder: RunFolder) -> None:
    run = fixtures.recommending(fixtures.results())
    folder.write_results(run)
    assert folder.read_results() == run
    path = folder.path / "results.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    del plain["recommendation"]
    path.write_text(json.dumps(plain), encoding="utf-8")
    assert folder.read_results() == replace(run, recommendation=None)


def test_a_metric_that_is_no_number_survives_and_leaves_the_file_valid_json(
    folder: RunFolder,
) -> None:
    results = fixtures.results()
    strange = EpochMetrics(
        epoch=1, metrics={"val_own": float("nan"), "loss": float("inf")}, duration_s=1.0
    )
    run = replace(results.models[0].runs[0], epochs=(strange,))
    folder.write_results(
        replace(results, models=(replace(results.models[0], runs=(run,)), *results.models[1:]))
    )

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    json.loads((folder.path / "results.json").read_text(), parse_constant=refuse)
    metrics = folder.read_results().models[0].runs[0].epochs[0].metrics
    assert np.isnan(metrics["val_own"])
    assert metrics["loss"] == float("inf")


def test_missing_results_name_the_folder(folder: RunFolder) -> None:
    with pytest.raises(
        ConfigurationError, match=r"run: there is no results\.json, so no finished run is there"
    ):
        folder.read_results()


@pytest.mark.parametrize("text", ["", "{", '{"run": 3}', "[]"])
def test_unreadable_results_are_an_error_with_a_remedy(folder: RunFolder, text: str) -> None:
    (folder.path / "results.json").write_text(text)
    with pytest.raises(
        ConfigurationError, match=r"results\.json: cannot be read as results of this version"
    ) as caught:
        folder.read_results()
    assert caught.value.hint.startswith("run the search again")


def test_results_of_an_older_scheme_are_refused(folder: RunFolder) -> None:
    folder.write_results(replace(fixtures.results(), schema_version=0))
    with pytest.raises(
        ConfigurationError,
        match=r"results\.json: its schema_version is 0, but this version reads 2",
    ):
        folder.read_results()


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"schema_version": 2, "schema_version": 2}', '{"a": "\\ud800"}', "\xff"],
)
def test_results_that_no_run_writes_are_an_error_in_one_line(folder: RunFolder, text: str) -> None:
    (folder.path / "results.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(
        ConfigurationError, match=r"results\.json: cannot be read as results of this version"
    ) as caught:
        folder.read_results()
    assert "\n" not in caught.value.message
