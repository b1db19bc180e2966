"""The log of trials: what was written is there after any crash, and is never changed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.trials import make_trial
from tuner.errors import ConfigurationError
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.store.search_log import LogEntry, SearchLog


def begun(trial: Trial) -> Trial:
    return replace(trial, score=None, epochs=(), duration_s=0.0, n_parameters=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is."""
    return tmp_path / "trials.jsonl"


def test_log_that_was_never_written_is_empty(path: Path) -> None:
    assert SearchLog(path).read() == []


def test_entries_come_back_in_order_and_to_the_last_digit(path: Path) -> None:
    trial, state = make_trial(), {"generator": np.random.default_rng(0).bit_generator.state, "rejected": {"k": "why"}}
    log = SearchLog(path)
    log.started(begun(trial), state)
    log.ended(trial)
    log.close(state)
    assert SearchLog(path).read() == [
        LogEntry(kind="started", trial=begun(trial), state=state),
        LogEntry(kind="ended", trial=trial),
        LogEntry(kind="closed", state=state),
    ]


@pytest.mark.parametrize("value", [1, 1.0, True, False, 0.1 + 0.2, 1e-300, "1", "no", "Größe \u202e", [1, 2.5], None])
def test_values_keep_their_type(path: Path, value: Any) -> None:
    SearchLog(path).started(begun(make_trial(values={"v": value})), {})
    (entry,) = SearchLog(path).read()
    assert entry.trial is not None
    assert entry.trial.values == {"v": value}
    assert type(entry.trial.values["v"]) is type(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_metric_that_is_no_number_survives(path: Path, value: float) -> None:
    epoch = EpochMetrics(epoch=1, metrics={"own": value}, duration_s=0.5)
    SearchLog(path).ended(make_trial(epochs=(epoch,)))
    (entry,) = SearchLog(path).read()
    assert entry.trial is not None
    assert entry.trial.epochs[0].metrics["own"] == pytest.approx(value, nan_ok=True)


def test_line_cut_off_anywhere_is_removed_and_the_log_goes_on(path: Path) -> None:
    log = SearchLog(path)
    log.ended(make_trial(0))
    whole = path.read_bytes()
    log.ended(make_trial(1))
    both = path.read_bytes()
    for cut in range(len(whole), len(both)):
        path.write_bytes(both[:cut])
        assert [entry.trial for entry in SearchLog(path).read()] == [make_trial(0)]
        SearchLog(path).ended(make_trial(1))
        assert path.read_bytes() == both


def test_damage_before_the_end_is_an_error_that_names_the_line(path: Path) -> None:
    for number in range(3):
        SearchLog(path).ended(make_trial(number))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1][:20] + b"\n", lines[2]]))
    with pytest.raises(ConfigurationError, match=r"trials\.jsonl:2: the line is damaged, so the search cannot"):
        SearchLog(path).read()
