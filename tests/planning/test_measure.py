"""Steps that are really trained, and what the training processes take."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images import SMALL_CNN, train_task
from tests.planning.costs import candidate
from tuner.execution.executor import Reports
from tuner.execution.inline import InlineExecutor
from tuner.models.backbones.stages import HEAD
from tuner.models.registry import complete
from tuner.planning.gauge import Gauge
from tuner.planning.measure import Allowance, Candidate, Measured, is_measuring, measure, part
from tuner.records.training import EpochMetrics, TrainTask

EPOCH = EpochMetrics(epoch=1, metrics={}, duration_s=0.0)


def measured(folder: Path, *candidates: Candidate) -> Measured:
    with InlineExecutor(Reports(on_epoch=lambda task, epoch: None)) as executor:
        return measure(candidates, executor, folder)


def test_measured_part_is_a_few_batches_with_its_share_of_validation_images() -> None:
    found = part(candidate(values={"batch_size": 4}))
    assert (len(found.folds[0].train), len(found.folds[0].validation), len(found.inputs)) == (
        80,
        20,
        100,
    )
    large = part(candidate(values={"batch_size": 4, "input_size": 260}))
    assert (len(large.folds[0].train), len(large.folds[0].validation)) == (4, 1)
    deep = part(candidate(model="efficientnet_b2", values={"batch_size": 4, "input_size": 24}))
    assert len(deep.folds[0].train) == 24, "where a usual network gets eighty"
    head = part(
        candidate(model=f"efficientnet_b2{HEAD}", values={"batch_size": 4, "input_size": 260})
    )
    assert len(head.folds[0].train) == 80, "whatever the size of the images"


def test_measured_part_holds_the_rows_that_it_names() -> None:
    whole = candidate(values={"batch_size": 4})
    found = part(whole)
    fold, whole_fold = found.folds[0], whole.data.folds[0]
    for rows, original in (
        (fold.train, whole_fold.train),
        (fold.validation, whole_fold.validation),
    ):
        np.testing.assert_array_equal(found.inputs[rows], whole.data.inputs[original[: len(rows)]])
        np.testing.assert_array_equal(found.labels[rows], whole.data.labels[original[: len(rows)]])


def test_measured_costs_are_those_of_real_trainings(tmp_path: Path) -> None:
    first, other = candidate(), candidate(name="b", values=SMALL_CNN | {"filters": 5})
    found = measured(tmp_path, first, other)
    assert found.failures == {}
    assert list(found.costs) == [first.key, other.key]
    cost = found.costs[first.key]
    assert cost.trace_s > cost.step_s > cost.image_s > 0
    assert cost.step_s == pytest.approx(20 * cost.image_s), "ten whole batches of twenty"
    assert cost.image_s == pytest.approx(3.25 * cost.predict_s), (
        "forward, backward twice, and a quarter for validation"
    )
    assert cost.build_s > 0
    assert cost.checkpoint_bytes == (tmp_path / "measured-0.npz").stat().st_size
    assert found.trained_s > sum(c.build_s + c.trace_s for c in found.costs.values())


def test_equal_models_are_measured_once_so_that_no_second_one_finds_itself_traced(
    tmp_path: Path,
) -> None:
    first = candidate()
    found = measured(tmp_path, first, candidate(name="b", values=complete("cnn", SMALL_CNN)))
    assert list(found.costs) == [first.key]
    assert [path.name for path in tmp_path.iterdir()] == ["measured-0.npz"]


def test_models_are_measured_in_the_precision_of_the_run(tmp_path: Path) -> None:
    seen = []

    class Watched(InlineExecutor):
        def submit(self, task: TrainTask) -> None:
            seen.append(task.precision)
            super().submit(task)

    with Watched(Reports(on_epoch=lambda task, epoch: None)) as executor:
        measure([candidate()], executor, tmp_path, "mixed_bfloat16")
    assert seen == ["mixed_bfloat16"]


def test_when_the_time_is_over_no_model_begins_but_one_that_is_needed(tmp_path: Path) -> None:
    names = ("opponent", "setting 1", "setting 2")
    some = [candidate(name=n, values=SMALL_CNN | {"filters": i + 4}) for i, n in enumerate(names)]
    late = Allowance(seconds=0.0, at_least=some[1:])
    told: list[tuple[int, int]] = []
    with InlineExecutor(Reports(on_epoch=lambda task, epoch: None)) as executor:
        found = measure(
            some, executor, tmp_path, None, late, lambda n_done, n: told.append((n_done, n))
        )
    assert list(found.costs) == [some[1].key]
    assert found.skipped == ("opponent", "setting 2")
    assert told == [(1, 3)]


def test_model_that_fails_is_left_out_with_its_name_and_reason(tmp_path: Path) -> None:
    found = measured(tmp_path, candidate(name="Baseline", values=SMALL_CNN | {"conv_blocks": 9}))
    assert found.costs == {}
    assert list(found.failures) == ["Baseline"]


def test_scoring_builds_traces_a_prediction_and_goes_over_the_test_images() -> None:
    from tests.planning.costs import cost

    assert cost(build_s=1.0, trace_s=8.0, image_s=0.6).score_s(60) == pytest.approx(1 + 2 + 12)


def test_gauge_keeps_the_most_memory_of_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = Gauge(is_inline=True)
    for used in (5, 9, 7):
        monkeypatch.setattr("tuner.planning.gauge.used_bytes", lambda pid, used=used: used)
        gauge.read(train_task(), EPOCH)
    assert list(gauge.peak_bytes.values()) == [9]


def test_share_is_processor_time_over_the_time_of_the_trainings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times: list[Any] = [10.0, 13.0]
    monkeypatch.setattr("tuner.planning.gauge._cpu_s", lambda process: times.pop(0))
    gauge = Gauge(is_inline=True)
    gauge.read(train_task(), EPOCH)
    assert gauge.share(6.0) == 0.5
    assert gauge.share(2.0) == 1.0


def test_without_processes_in_sight_nothing_is_measured() -> None:
    gauge = Gauge(is_inline=False)
    assert gauge.share(math.inf) is None
    assert gauge.peak_bytes == {}


def test_trainings_that_measure_are_told_apart_and_what_is_stopped_is_not_measured(
    tmp_path: Path,
) -> None:
    seen: list[str] = []
    reports = Reports(
        on_epoch=lambda task, epoch: seen.append(task.task_id), is_stopping=lambda: bool(seen)
    )
    with InlineExecutor(reports) as executor:
        found = measure([candidate()], executor, tmp_path)
    assert all(is_measuring(task_id) for task_id in seen)
    assert not is_measuring("0000")
    assert (dict(found.costs), dict(found.failures)) == ({}, {"a": "it was stopped"})
