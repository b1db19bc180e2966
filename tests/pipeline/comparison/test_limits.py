"""Limits of `--choose` and constraints on the models of a comparison, and latencies for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tests.pipeline.comparison.jobs import job
from tuner.pipeline.comparison.recommending import held, latency_bound, timed_before
from tuner.pipeline.job import Job
from tuner.records.results import ModelResult
from tuner.space.constraints import Constraints, Footprint
from tuner.space.costs import Limit


@dataclass
class TimedKept:
    """As much of a kept model as a latency is part of."""

    footprint: Footprint


def scored(name: str, latency_ms: float) -> ModelResult:
    return ModelResult(
        name=name,
        title=name,
        note="",
        in_verdict=False,
        model="cnn",
        values={},
        n_parameters=300,
        file_size_bytes=1200,
        latency_ms=latency_ms,
        max_epochs=1,
        runs=(),
    )


def limited(folder: Path, *limits: Limit, latency_ms: float | None = None) -> Job:
    found = job(folder, [])
    bounds = Constraints(latency_ms=latency_ms)
    return replace(
        found,
        file=replace(found.file, constraints=bounds),
        options=replace(found.options, choose=limits),
    )


def test_a_combination_says_which_limit_of_choose_it_breaks(tmp_path: Path) -> None:
    found = limited(tmp_path, Limit(name="multiply_adds", bound=10.0))
    kept = TimedKept(Footprint(latency_ms=1.0, multiply_adds=40))
    told = held(scored("ensemble", 1.0), kept, found)  # type: ignore[arg-type]
    assert told.breach == "multiply_adds is 40, over --choose multiply_adds <= 10"
    assert held(scored("ensemble", 1.0), None, found).breach == ""


def test_an_earlier_latency_counts_for_limits_and_not_in_the_table(tmp_path: Path) -> None:
    found = limited(tmp_path, latency_ms=4.0)
    kept = {"tuned": TimedKept(Footprint(latency_ms=5.0)), "b": TimedKept(Footprint())}
    now, before = (
        held(scored("tuned", 5.0), timed_before(kept, "tuned", ms)["tuned"], found)  # type: ignore[arg-type]
        for ms in (None, 3.0)
    )
    assert "latency_ms" in now.breach
    assert (before.breach, before.latency_ms) == ("", 5.0)
    assert kept["tuned"].footprint.latency_ms == 5.0
    again = timed_before(kept, "tuned", 7.0)  # type: ignore[arg-type]
    assert again["tuned"].footprint.latency_ms == 5.0
    assert timed_before(kept, "b", 7.0)["b"].footprint.latency_ms == 7.0  # type: ignore[arg-type]
    assert timed_before({}, "tuned", 7.0) == {}


def test_the_lowest_limit_decides_which_latencies_are_measured_again(tmp_path: Path) -> None:
    of_choice = Limit(name="latency_ms", bound=5.0)
    other = Limit(name="parameters", bound=1.0)
    assert latency_bound(limited(tmp_path, other)) is None
    assert latency_bound(limited(tmp_path, other, latency_ms=4.0)) == 4.0
    assert latency_bound(limited(tmp_path, of_choice)) == 5.0
    assert latency_bound(limited(tmp_path, of_choice, latency_ms=4.0)) == 4.0
