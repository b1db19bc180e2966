"""What `quick` skips is skipped by search and plan alike, and is part of what a run is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.images import tiny_dataset
from tests.pipeline.comparison.jobs import job
from tests.pipeline.test_sizing import planned
from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.pipeline.costs import work_of
from tuner.pipeline.preparation.prepare import PreparedRun, prepare
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.search_stage import study_of
from tuner.planning.affordable import is_expense
from tuner.records.results import PresetName
from tuner.space.definition import SearchSpaceFile

SPEC = tiny_dataset().spec


def counted(values: Mapping[str, Any]) -> int:
    return cnn_size.multiply_adds(complete("cnn", values), SPEC)


def most_of(file: SearchSpaceFile) -> int:
    most = file.search.most_multiply_adds
    assert most is not None
    return most


def prepared(preset: PresetName, tmp_path: Path) -> PreparedRun:
    options = RunOptions(dataset="digits", preset=preset, data_dir=tmp_path, out=tmp_path)
    return prepare(options, lambda event: None, examines_data=False)


def of_search(run: PreparedRun) -> dict[str, object]:
    found: dict[str, object] = run.identity["space"]["search"]
    return found


def test_quick_alone_skips_large_networks_says_so_and_keeps_it_for_a_resumed_run(
    tmp_path: Path,
) -> None:
    quick, standard = prepared("quick", tmp_path), prepared("standard", tmp_path)
    most = quick.file.search.most_multiply_adds
    assert most is not None
    assert of_search(quick)["most_multiply_adds"] == most
    (note,) = [text for text in quick.notices if "multiply-adds" in text]
    assert note.startswith("preset quick: skips networks of more than")
    assert standard.file.search.most_multiply_adds is None
    assert "most_multiply_adds" not in of_search(standard), "as in runs of earlier versions"
    assert not [text for text in standard.notices if "multiply-adds" in text]


@pytest.fixture
def limited(tmp_path: Path) -> SearchSpaceFile:
    """A space of which all but the smallest that is drawn first is skipped."""
    file = job(tmp_path, []).file
    work = work_of(RunOptions(dataset="tiny"), file, tiny_dataset(), ())
    counts = sorted(counted(one.values) for one in work.settings)
    assert counts[0] < counts[-1]
    return replace(file, search=replace(file.search, most_multiply_adds=counts[0]))


def test_the_plan_counts_what_the_search_would_draw(limited: SearchSpaceFile) -> None:
    work = work_of(RunOptions(dataset="tiny"), limited, tiny_dataset(), ())
    assert any(map(is_expense, work.rejected))
    assert {counted(one.values) <= most_of(limited) for one in work.settings} == {True}


def test_the_search_draws_nothing_above_the_limit(limited: SearchSpaceFile, tmp_path: Path) -> None:
    study = study_of(replace(job(tmp_path, []), file=limited), 1)
    drawn = [trial.values for trial in islice(iter(study.next_trial, None), 5)]
    assert any(map(is_expense, study.rejected))
    assert {counted(values) <= most_of(limited) for values in drawn} == {True}


def test_a_time_budget_sets_a_limit_or_leaves_that_of_the_preset(limited: SearchSpaceFile) -> None:
    assert planned(most_multiply_adds=5).applied(limited).search.most_multiply_adds == 5
    most = limited.search.most_multiply_adds
    assert planned().applied(limited).search.most_multiply_adds == most
